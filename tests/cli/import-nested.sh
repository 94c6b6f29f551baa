#!/bin/sh
# JSON lines with objects in them: their members are columns.
set -e
cat >clicks.jsonl <<'EOF'
{"ts":10,"user":{"id":7,"geo":{"country":"DE"}},"article":{"id":"007","tags":["a","b"]},"event":"click","more":[{"x":1}]}
{"ts":20,"user":{"id":8,"geo":null},"article":{"id":"008"},"event":"click","other":{"late":1}}
EOF
echo '-- with names'
pz-import -g a -t interactions -c USER_ID=user.id -c ITEM_ID=article.id -c TIMESTAMP=ts clicks.jsonl 2>&1
pz-info -g a --export interactions
echo '-- names that fit by themselves; a key of its own goes before one within'
cat >ids.jsonl <<'EOF'
{"user":{"id":"u"},"item":{"id":"i"},"timestamp":1}
{"item":{"id":"no"},"item_id":"j","user":{"id":"v","x":"X"},"timestamp":2}
{"item_id":"k","item":{"id":"no"},"user":{"id":"w"},"timestamp":3}
EOF
pz-import -g b -t interactions ids.jsonl 2>&1
pz-info -g b --export interactions
echo '-- again, and with keys that the dataset does not have'
pz-import -g b -t interactions -m incremental ids.jsonl 2>&1
pz-import -g b -t interactions -m incremental -c USER_ID=user.id -c ITEM_ID=article.id -c TIMESTAMP=ts clicks.jsonl 2>&1
pz-info -g b --export interactions | wc -l
echo '-- mistakes'
no() { pz-import -g c -t interactions "$@" 2>&1 || echo "status $?"; }
no clicks.jsonl
no -c USER_ID=user -c ITEM_ID=article.id -c TIMESTAMP=ts clicks.jsonl
printf '{"user_id":"u","item_id":"i","timestamp":1,"item_id":"j"}\n' >twice.jsonl
no twice.jsonl
printf '{"user_id":"u","item":{"id":"i","id":"j"},"timestamp":1}\n' | no
rm -r c
echo '-- keys that are data'
awk 'BEGIN { for (i = 0; i < 2048; i++) printf "{\"user_id\":\"u\",\"item_id\":\"i%d\",\"timestamp\":1,\"k%d\":1}\n", i, i }' >keys.jsonl
no keys.jsonl
sed 2045q keys.jsonl | no | tail -n 1 # as many as can be
pz-import -g d -t interactions -s "$PZ_SRC/schemas/interactions.json" keys.jsonl 2>&1
rm -r c
echo '{}' | no
