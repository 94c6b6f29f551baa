#!/usr/bin/python3
"""What Python's libraries take for what pz does: tests/bench/peers runs it beside pz.

    peers.py import CSV OUT        pandas: read, number users and items, sort by user and time
    peers.py ease OUT              NumPy, LAPACK: closed-form item-item weights, 500 an item
    peers.py sims OUT              SciPy: cosine of co-occurrence, 100 an item
    peers.py batch OUT             NumPy: the best 10 unseen of all items for every user,
                                   from factors that are there already, 64 each
    peers.py faiss OUT             the same by faiss, seen ones not left out
    peers.py query ROWS            faiss: the best 25 of ROWS x 64 for one vector, one thread;
                                   prints the least microseconds of 25
    peers.py have MODULE...        status 1 when one is missing

OUT is a folder; `import` writes there what the others read.
"""
import importlib.util
import sys
import time

import numpy as np


def load(out):
    from scipy.sparse import csr_matrix

    user, item = (np.load(f"{out}/{name}.npy") for name in ("user", "item"))
    ones = np.ones(len(user), np.float32)
    seen = csr_matrix((ones, (user, item)), shape=(user.max() + 1, item.max() + 1))
    seen.data[:] = 1
    return seen


def read(csv, out):
    import pandas

    rows = pandas.read_csv(csv, dtype={"USER_ID": str, "ITEM_ID": str, "EVENT_TYPE": "category"})
    user, users = pandas.factorize(rows["USER_ID"])
    item, items = pandas.factorize(rows["ITEM_ID"])
    when = rows["TIMESTAMP"].to_numpy()
    order = np.lexsort((when, user))
    kind = rows["EVENT_TYPE"].cat.codes.to_numpy()
    for name, values in (("user", user), ("item", item), ("when", when), ("kind", kind)):
        np.save(f"{out}/{name}.npy", values[order])
    for name, ids in (("users", users), ("items", items)):
        with open(f"{out}/{name}.txt", "w", encoding="utf-8") as f:
            f.write("\n".join(ids))


def best(scores, k):
    """The k greatest of each row, greatest first: columns and values."""
    column = np.argpartition(scores, -k, axis=1)[:, -k:]
    value = np.take_along_axis(scores, column, axis=1)
    order = np.argsort(-value, axis=1)
    return np.take_along_axis(column, order, axis=1), np.take_along_axis(value, order, axis=1)


def ease(out):
    from scipy.linalg import lapack

    seen = load(out)
    gram = (seen.T @ seen).toarray(order="F")
    gram[np.diag_indices_from(gram)] += 500
    factor, info = lapack.spotrf(gram, lower=1, overwrite_a=1, clean=0)
    assert info == 0
    inverse, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    assert info == 0
    n = len(inverse)
    for j in range(1, n):  # what LAPACK leaves out
        inverse[:j, j] = inverse[j, :j]
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, -np.inf)
    save(out, "ease", weights, min(500, n - 1))


def save(out, name, scores, k):
    rows = [best(scores[i : i + 1000], k) for i in range(0, len(scores), 1000)]
    np.save(f"{out}/{name}.columns.npy", np.concatenate([c for c, _ in rows]))
    np.save(f"{out}/{name}.values.npy", np.concatenate([v for _, v in rows]))


def sims(out):
    seen = load(out)
    both = seen.T.tocsr() @ seen
    one = np.sqrt(both.diagonal())
    columns, values = [], []
    for i in range(0, both.shape[0], 1000):
        part = both[i : i + 1000].toarray() / one / one[i : i + 1000, None]
        part[np.arange(len(part)), np.arange(i, i + len(part))] = -1
        c, v = best(part, min(100, part.shape[1] - 1))
        columns.append(c)
        values.append(v)
    np.save(f"{out}/sims.columns.npy", np.concatenate(columns))
    np.save(f"{out}/sims.values.npy", np.concatenate(values))


def factors(seen):
    rng = np.random.default_rng(1)
    return [rng.standard_normal((n, 64), np.float32) for n in seen.shape]


def batch(out):
    seen = load(out)
    users, items = factors(seen)
    lists = []
    for i in range(0, len(users), 1000):
        scores = users[i : i + 1000] @ items.T
        row, column = seen[i : i + 1000].nonzero()
        scores[row, column] = -np.inf
        lists.append(best(scores, 10)[0])
    np.save(f"{out}/batch.npy", np.concatenate(lists))


def batch_faiss(out):
    import faiss

    users, items = factors(load(out))
    index = faiss.IndexFlatIP(64)
    index.add(items)
    np.save(f"{out}/batch.npy", index.search(users, 10)[1])


def query(rows):
    import faiss

    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(1)
    index = faiss.IndexFlatIP(64)
    index.add(rng.standard_normal((int(rows), 64), np.float32))
    taken = []
    for _ in range(25):
        vector = rng.standard_normal((1, 64), np.float32)
        start = time.thread_time()
        index.search(vector, 25)
        taken.append(time.thread_time() - start)
    print(f"query_us={1e6 * min(taken):.0f}")


def have(*modules):
    sys.exit(any(importlib.util.find_spec(m) is None for m in modules))


calls = {"import": read, "ease": ease, "sims": sims, "batch": batch, "faiss": batch_faiss,
         "query": query, "have": have}
if len(sys.argv) < 3 or sys.argv[1] not in calls:
    sys.exit(__doc__)
calls[sys.argv[1]](*sys.argv[2:])
