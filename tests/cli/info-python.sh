#!/bin/sh
# Dataset files against the rules of the public safetensors readers, by a reader of our own
# in another language.
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cat >check.py <<'END'
import json, struct, sys
SIZE = {"U8": 1, "I8": 1, "BOOL": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "F32": 4,
        "U64": 8, "I64": 8, "F64": 8}

def load(path):
    raw = open(path, "rb").read()
    (n,) = struct.unpack("<Q", raw[:8])
    assert n < 100_000_000 and raw[8:9] == b"{" and (8 + n) % 8 == 0
    head = json.loads(raw[8:8 + n].decode("utf-8"))
    meta = head.pop("__metadata__")
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in meta.items())
    at, data = 0, {}
    for name, t in sorted(head.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = t["data_offsets"]
        count = 1
        for d in t["shape"]:
            count *= d
        assert begin == at and end - begin == count * SIZE[t["dtype"]], name
        assert name.startswith("__pad") or begin == end or (8 + n + begin) % 64 == 0, name
        data[name] = raw[8 + n + begin:8 + n + end]
        at = end
    assert 8 + n + at == len(raw)
    return meta, data

meta, data = load(sys.argv[1])
def numbers(name, code):
    return [x for (x,) in struct.iter_unpack("<" + code, data[name])]
def strings(prefix):
    at = numbers(prefix + ".offsets", "q")
    return [data[prefix + ".bytes"][a:b].decode() for a, b in zip(at, at[1:])]

users, items, rows = strings("user"), strings("item"), numbers("row.offsets", "Q")
kinds = strings("dict.EVENT_TYPE")
print(meta["pz.kind"], meta["dataset"], users, items)
for u, (a, b) in enumerate(zip(rows, rows[1:])):
    for r in range(a, b):
        valid = data["col.EVENT_TYPE.valid"][r]
        print(users[u], items[numbers("row.item", "B")[r]], numbers("col.TIMESTAMP", "I")[r],
              kinds[data["col.EVENT_TYPE"][r]] if valid else None)
END
cat >i.csv <<'END'
USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE
u2,é,1700000000,view
u1,i1,1700000005,buy
u1,i2,1700000001,
u2,i1,1699999999,view
END
pz-import -q -g g -t interactions i.csv >out && python3 check.py g/interactions.safetensors
