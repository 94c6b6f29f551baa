#!/bin/sh
# The session "In real time" of README.md does what the text says.
for need in pz-import pz-train pz-recommend pz-event pz-filter; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
pz-train -q -g shop -r aws-user-personalization -S mine --no-eval >/dev/null
awk '/^## / {on = /In real time/} on && sub(/^\$ /, "")' "$PZ_SRC/README.md" >session
[ "$(wc -l <session)" -eq 10 ] || echo "the session has $(wc -l <session) lines"
i=0
while read -r line; do
    i=$((i + 1))
    echo "$line" >line.sh
    sh ./line.sh >out.$i || echo "line $i: status $?"
done <session
pz-recommend -m shop/models/personal/*.safetensors -n 5 nobody | cut -f 2 >favourites
cut -f 2 out.1 | cmp -s - favourites || echo 'a new user does not get what people begin with'
cut -f 2 out.5 | cmp -s - favourites && echo 'the list is not hers'
cut -f 2 out.5 | grep -qx i11 || echo 'what she has bought is not in the list before the filter'
cut -f 2 out.7 | grep -x i11
[ "$(wc -l <out.7)" -eq 5 ] || echo 'the filter leaves fewer than there are'
cut -f 2,4- out.9 | tail -n 1
grep promotion out.10
exit 0
