#!/usr/bin/python3
"""protocols.py: splits of public data sets into files for the pz tools, and scores of what the tools answer.

  protocols.py strong OUT FORMAT FILE [--min-rating R] [--held N]
  protocols.py aws    OUT FORMAT FILE [--min-rating R] --seed N [--inner] [--query user|item]
  protocols.py split  OUT TRAIN TEST [--inner]
  protocols.py score  strong|split|aws TRUTH ANSWERS [--catalogue N]
  protocols.py mean                     lines of NAME=VALUE on stdin: mean and standard deviation a name
  protocols.py selftest

FORMAT is ml-100k (user, item, rating, time with tabs), sequences (a line a user, items oldest
first; the position is the time) or csv (USER_ID,ITEM_ID,TIMESTAMP[,EVENT_TYPE] with a header).

Each split writes into the folder OUT:
  train.csv               what pz-import reads
  PART.jsonl              a request a line for pz-recommend, PART being valid or test
  PART.truth.tsv          user TAB item: what those requests should have found

strong  Strong generalization (Liang et al. 2018). Rows below the least rating and repeated (user, item)
        pairs go; users with five items or more stay. A permutation of the sorted users with seed 98765
        gives N validation users, N test users, and the users to learn from. Of a held-out user's
        items (those that training knows) int(n/5), drawn at random, are the truth when there are five or
        more; the others are the history. Recall@20 and @50 over min(K, relevant), NDCG@100.
aws     Amazon Personalize's offline test. A tenth of the users, drawn by the seed, are test users;
        the model learns from the others. A test user's newest tenth of rows, rounded and at least one, is
        the truth, the older rows are the history. Seen items stay in. --query item asks for
        items related to the newest one of the history. --inner draws again
        among the users to learn from, so that values can be chosen without the test users.
split   A given split, 'user item item ...' a line: learn from TRAIN, ask for each user of TEST
        without the items seen. Recall@20 over all relevant, NDCG@20. --inner holds out a tenth of each user's
        training items instead.

The random numbers of `strong` are those of numpy's RandomState, made here without numpy, so that
the split is the one that other programs' figures were made with.
"""
import argparse
import json
import math
import os
import random
import statistics
import sys


# ---- numpy's legacy random numbers ---------------------------------------------------------

class LegacyRandom:
    """RandomState(seed): the same Mersenne Twister as Python's, seeded the older way."""

    def __init__(self, seed):
        key = [seed & 0xFFFFFFFF]
        for i in range(1, 624):
            key.append((1812433253 * (key[-1] ^ (key[-1] >> 30)) + i) & 0xFFFFFFFF)
        self.twister = random.Random()
        self.twister.setstate((3, tuple(key) + (624,), None))

    def upto(self, most):
        """A whole number in 0..most: draws of 32 bits, masked, until one fits."""
        mask = (1 << most.bit_length()) - 1
        while True:
            value = self.twister.getrandbits(32) & mask
            if value <= most:
                return value

    def permutation(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.upto(i)
            order[i], order[j] = order[j], order[i]
        return order

    def choice(self, n, size):
        """`size` of 0..n-1 without putting back."""
        return self.permutation(n)[:size]


# ---- reading and writing -------------------------------------------------------------------

def read_rows(form, path, min_rating=None):
    """(user, item, time, event) in file order; event may be ''."""
    rows = []
    with open(path) as f:
        if form == 'ml-100k':
            for line in f:
                user, item, rating, time = line.split('\t')
                if min_rating is None or float(rating) >= min_rating:
                    rows.append((user, item, int(time), ''))
        elif form == 'sequences':
            for line in f:
                user, *items = line.split()
                rows.extend((user, item, at, '') for at, item in enumerate(items, 1))
        elif form == 'csv':
            names = f.readline().rstrip('\n').split(',')
            at = [names.index(n) for n in ('USER_ID', 'ITEM_ID', 'TIMESTAMP')]
            event = names.index('EVENT_TYPE') if 'EVENT_TYPE' in names else None
            for line in f:
                cell = line.rstrip('\n').split(',')
                rows.append((cell[at[0]], cell[at[1]], int(cell[at[2]]),
                             '' if event is None else cell[event]))
        else:
            sys.exit("protocols.py: unknown format '%s'" % form)
    return rows


def by_user(rows):
    users = {}
    for row in rows:
        users.setdefault(row[0], []).append(row)
    return users


# Positions are small numbers; a real time keeps tools from taking them for a mistake.
EPOCH = 1000000000


def write_train(out, rows):
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, 'train.csv'), 'w') as f:
        events = any(row[3] for row in rows)
        f.write('USER_ID,ITEM_ID,TIMESTAMP%s\n' % (',EVENT_TYPE' if events else ''))
        for user, item, time, event in rows:
            time += EPOCH if time < EPOCH / 2 else 0
            f.write('%s,%s,%d%s\n' % (user, item, time, ',' + event if events else ''))


def write_part(out, part, requests, truth):
    """requests: dicts; truth: (user, items) in the same order."""
    with open(os.path.join(out, part + '.jsonl'), 'w') as f:
        for request in requests:
            f.write(json.dumps(request) + '\n')
    with open(os.path.join(out, part + '.truth.tsv'), 'w') as f:
        for user, items in truth:
            for item in items:
                f.write('%s\t%s\n' % (user, item))


def read_truth(path):
    truth = {}
    with open(path) as f:
        for line in f:
            user, item = line.rstrip('\n').split('\t')
            truth.setdefault(user, []).append(item)
    return truth


def read_answers(path, order):
    """user -> items, best first. JSON lines answer the users of `order` in that order."""
    answers = {}
    with open(path) as f:
        n = 0
        for line in f:
            if line.startswith('{'):
                output = json.loads(line).get('output') or {}
                answers[order[n]] = output.get('recommendedItems', [])
                n += 1
            else:
                cell = line.rstrip('\n').split('\t')
                answers.setdefault(cell[0], []).append(cell[1])
    if n not in (0, len(order)):
        sys.exit("protocols.py: '%s' has %d answers to %d requests" % (path, n, len(order)))
    return answers


# ---- splits --------------------------------------------------------------------------------

def split_strong(out, rows, held):
    seen, users = set(), {}
    for row in rows:
        if row[:2] not in seen:
            seen.add(row[:2])
            users.setdefault(row[0], []).append(row)
    names = sorted(u for u in users if len(users[u]) >= 5)
    rng = LegacyRandom(98765)
    names = [names[i] for i in rng.permutation(len(names))]
    held = held or min(10000, len(names) // 10)
    train = [row for u in names[2 * held:] for row in users[u]]
    known = {row[1] for row in train}
    write_train(out, train)
    for part, group in (('valid', names[:held]), ('test', names[held:2 * held])):
        requests, truth = [], []
        for u in group:
            mine = [row for row in users[u] if row[1] in known]
            if len(mine) < 5:
                continue
            hidden = set(rng.choice(len(mine), int(.2 * len(mine))))
            given = [r for k, r in enumerate(mine) if k not in hidden]
            requests.append({'userId': u, 'history': [r[1] for r in given]})
            truth.append((u, [mine[k][1] for k in sorted(hidden)]))
        write_part(out, part, requests, truth)
    print('train_rows=%d\ntrain_users=%d\ntrain_items=%d' % (len(train), len(names) - 2 * held, len(known)))


def split_aws(out, rows, seed, inner, query):
    users = by_user(rows)
    names = sorted(users)
    random.Random(seed).shuffle(names)
    n_test = max(1, len(names) // 10)
    test, rest = names[:n_test], names[n_test:]
    if inner:
        random.Random(seed + 1000003).shuffle(rest)
        test, rest = rest[:n_test], rest[n_test:]
    learn = set(rest)
    write_train(out, [row for row in rows if row[0] in learn])
    requests, truth = [], []
    for u in test:
        mine = sorted(users[u], key=lambda row: row[2])
        n = max(1, int(len(mine) / 10 + .5))
        given, hidden = mine[:-n], mine[-n:]
        if not given:
            continue
        if query == 'item':
            requests.append({'itemId': given[-1][1]})
        else:
            requests.append({'userId': u, 'history': [row[1] for row in given]})
        truth.append((u, [row[1] for row in hidden]))
    write_part(out, 'test', requests, truth)
    print('users=%d\ntest_users=%d\ncatalogue=%d' % (len(names), len(truth), len({r[1] for r in rows})))


def split_given(out, train, test, inner):
    learn = by_user(read_rows('sequences', train))
    ask = by_user(read_rows('sequences', test))
    if inner:
        rng, ask = random.Random(1), {}
        for u, rows in learn.items():
            rng.shuffle(rows)
            n = len(rows) // 10
            if n:
                ask[u], learn[u] = rows[:n], rows[n:]
    write_train(out, [row for rows in learn.values() for row in rows])
    names = [u for u in ask if u in learn]
    write_part(out, 'test', [{'userId': u} for u in names],
               [(u, [row[1] for row in ask[u]]) for u in names])
    with open(os.path.join(out, 'test.ids'), 'w') as f:
        f.writelines(u + '\n' for u in names)


# ---- scores --------------------------------------------------------------------------------

def gain(position):
    """Of a hit at a position that starts at 0."""
    return 1 / math.log2(position + 2)


def ideal(n):
    return sum(gain(i) for i in range(n))


def ndcg(items, relevant, k):
    got = sum(gain(i) for i, item in enumerate(items[:k]) if item in relevant)
    return got / ideal(min(k, len(relevant)))


def hits(items, relevant, k):
    return sum(item in relevant for item in items[:k])


def score_strong(lists):
    return {
        'R@20': statistics.mean(hits(a, r, 20) / min(20, len(r)) for a, r in lists),
        'R@50': statistics.mean(hits(a, r, 50) / min(50, len(r)) for a, r in lists),
        'N@100': statistics.mean(ndcg(a, r, 100) for a, r in lists),
    }


def score_split(lists):
    return {
        'R@20': statistics.mean(hits(a, r, 20) / len(r) for a, r in lists),
        'N@20': statistics.mean(ndcg(a, r, 20) for a, r in lists),
    }


def score_aws(lists, catalogue=None):
    first = (next((i for i, item in enumerate(a[:25]) if item in r), None) for a, r in lists)
    scores = {'MRR@25': statistics.mean(0 if i is None else 1 / (i + 1) for i in first)}
    for k in (5, 10, 25):
        scores['NDCG@%d' % k] = statistics.mean(ndcg(a, r, k) for a, r in lists)
    for k in (5, 10, 25):
        scores['P@%d' % k] = statistics.mean(hits(a, r, k) / k for a, r in lists)
    if catalogue:
        scores['coverage'] = len({i for a, _ in lists for i in a[:25]}) / catalogue
    return scores


def score(protocol, truth_path, answers_path, catalogue):
    truth = read_truth(truth_path)
    answers = read_answers(answers_path, list(truth))
    lists = [(answers.get(u, []), set(truth[u])) for u in truth]
    if protocol == 'aws':
        scores = score_aws(lists, catalogue)
    else:
        scores = {'strong': score_strong, 'split': score_split}[protocol](lists)
    for name, value in scores.items():
        print('%s=%.6f' % (name, value))


def mean():
    values = {}
    for line in sys.stdin:
        name, value = line.strip().split('=')
        values.setdefault(name, []).append(float(value))
    for name, v in values.items():
        print('%s=%.6f\n%s.sd=%.6f' % (name, statistics.mean(v), name,
                                       statistics.stdev(v) if len(v) > 1 else 0))


# ---- self-test -----------------------------------------------------------------------------

def near(got, want):
    if abs(got - want) > 5e-5:
        sys.exit('protocols.py: selftest: %r, not %r' % (got, want))


def selftest():
    """The worked examples of Amazon's documentation, and numpy's first draws."""
    def at(rank, n=25):
        return ['x'] * (rank - 1) + ['hit'] + ['x'] * (n - rank)
    mrr = score_aws([(at(4), {'hit'}), (at(2), {'hit'}), (at(6), {'hit'})])['MRR@25']
    near(mrr, (1 / 4 + 1 / 2 + 1 / 6) / 3)
    two = score_aws([(['a', 'b', 'c', 'd', 'e'], {'b', 'e'})])
    near(two['NDCG@5'], 0.6241)
    near(two['P@5'], 0.4)
    short = score_strong([(['a', 'b'], {'a', 'z'})])
    near(short['R@20'], 0.5)
    near(short['N@100'], 1 / (1 + 1 / math.log2(3)))
    if LegacyRandom(98765).permutation(12) != SELFTEST_ORDER:
        sys.exit('protocols.py: selftest: the permutation is not numpy\'s')
    print('ok')


SELFTEST_ORDER = [11, 9, 2, 7, 8, 4, 1, 10, 6, 0, 3, 5]


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest='command', required=True)
    for name in ('strong', 'aws'):
        p = sub.add_parser(name)
        p.add_argument('out')
        p.add_argument('format')
        p.add_argument('file')
        p.add_argument('--min-rating', type=float)
        p.add_argument('--held', type=int, default=0)
        p.add_argument('--seed', type=int, default=0)
        p.add_argument('--inner', action='store_true')
        p.add_argument('--query', choices=('user', 'item'), default='user')
    p = sub.add_parser('split')
    p.add_argument('out')
    p.add_argument('train')
    p.add_argument('test')
    p.add_argument('--inner', action='store_true')
    p = sub.add_parser('score')
    p.add_argument('protocol', choices=('strong', 'split', 'aws'))
    p.add_argument('truth')
    p.add_argument('answers')
    p.add_argument('--catalogue', type=int)
    sub.add_parser('mean')
    sub.add_parser('selftest')
    a = ap.parse_args()
    if a.command == 'strong':
        split_strong(a.out, read_rows(a.format, a.file, a.min_rating), a.held)
    elif a.command == 'aws':
        split_aws(a.out, read_rows(a.format, a.file, a.min_rating), a.seed, a.inner, a.query)
    elif a.command == 'split':
        split_given(a.out, a.train, a.test, a.inner)
    elif a.command == 'score':
        score(a.protocol, a.truth, a.answers, a.catalogue)
    elif a.command == 'mean':
        mean()
    else:
        selftest()


if __name__ == '__main__':
    main()
