#!/bin/sh
# A model file and a group: which events count, and that the environment has no say.
"$PZ_SRC/tests/sample" || exit
same() { if diff "$1" "$2"; then echo "$3: the same"; else echo "$3: different"; fi; }
put() { printf '{"userId":"%s","itemId":"%s","eventType":"View","device":"tv","sentAt":%d}\n' "$@"; }
scores() { pz-recommend --explain -n 5 "$@"; }

# Twenty views of i7, then two trainings on the same rows: a version, and a file.
for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    put u1 i7 $((PZ_NOW - 100 + k))
done | pz-event -g shop
for recipe in aws-user-personalization aws-sims; do
    pz-train -q --no-eval -g shop -r $recipe -S again >out || exit
    pz-train -q --no-eval -g shop -r $recipe -o alone.safetensors >out || exit
    echo "== $recipe"
    id=u1
    [ $recipe != aws-sims ] || id=i7
    scores -m alone.safetensors $id >alone
    scores -m alone.safetensors -g shop $id >with
    scores -g shop -S again $id >version
    same alone with "nothing new: the file, and the file within the group"
    same with version "the file and the version"
done
pz-train -q --no-eval -g shop -r aws-user-personalization -S again >out
pz-train -q --no-eval -g shop -r aws-user-personalization -o alone.safetensors >out
scores -m alone.safetensors u1 >alone

echo "== something new"
for k in 1 2 3 4 5; do put u1 i9 $((PZ_NOW + k)); done | pz-event -g shop
scores -m alone.safetensors u1 >still
scores -m alone.safetensors -g shop u1 >with
scores -g shop -S again u1 >version
same alone still "the file alone"
cmp -s alone with || echo "within the group it counts"
same with version "and as for the version"

echo "== late, but older than the newest that was learned"
put u1 i11 1600000000 | pz-event -g shop
scores -m alone.safetensors -g shop u1 >late
same with late "the file"
scores -g shop -S again u1 >version
cmp -s with version || echo "the version: counts"
echo "== a stranger's events all count"
put new i11 1500000000 | pz-event -g shop
pz-recommend -m alone.safetensors -g shop -n 3 new >known
pz-recommend -m alone.safetensors -n 3 new >unknown
cmp -s known unknown || echo "yes"

echo "== PZ_GROUP"
export PZ_GROUP=shop
scores -m alone.safetensors u1 >answer
same alone answer "a file alone"
pz-recommend -m alone.safetensors -n 3 -F 'INCLUDE ItemID WHERE Items.PRICE < 50' u1 2>&1 | head -n 1
scores -S again u1 >answer
same version answer "a solution"
pz-recommend -m alone.safetensors -g absent u1 2>&1 | head -n 1
exit 0
