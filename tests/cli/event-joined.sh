#!/bin/sh
# Bulk rows and events together: training, export, compaction, a full import, forgetting. Each is
# compared with what an import of the same rows in one file gives.
make-shop data --users 60 --items 30 --days 20 2>/dev/null || exit
head -n 1 data/interactions.csv >head.csv
n=$(wc -l <data/interactions.csv)
half=$((n / 2))
head -n $half data/interactions.csv >old.csv
(cat head.csv; tail -n $((n - half + 20)) data/interactions.csv) >late.csv # twenty are in both
schema=$PZ_SRC/samples/schemas/shop-interactions.json
pz-import -q -g whole -t interactions -s "$schema" data/interactions.csv >out || exit
pz-import -q -g shop -t interactions -s "$schema" old.csv >out || exit
before=$(sha256sum <shop/interactions.safetensors)
pz-event -g shop late.csv
pz-event -g shop --json late.csv | sed 's/"lines":[0-9]*/"lines":N/; s/"repeated":[0-9]*/"repeated":N/'

echo "== training sees both, and leaves the dataset alone"
for recipe in aws-user-personalization aws-sims aws-popularity-count; do
    pz-train -q -g whole -r $recipe -o whole.model >out || exit
    pz-train -q -g shop -r $recipe -o shop.model >out || exit
    cmp whole.model shop.model && echo "$recipe: the same model"
done
[ "$before" = "$(sha256sum <shop/interactions.safetensors)" ] && echo "the same dataset"
ls -A shop

echo "== export"
pz-info -g whole --export interactions >want
pz-info -g shop --export events --source all | cmp - want && echo "all: the same rows"
pz-info -g shop --export interactions --source all | cmp - want && echo "by either name"
pz-info -g shop --export events --source bulk | tail -n +2 | wc -l | tr -d ' ' >bulk.n
[ "$(cat bulk.n)" -eq "$(pz-info -g shop --export interactions | tail -n +2 | wc -l)" ] && echo "bulk"
[ "$(pz-info -g shop --export events --source put | wc -l)" -eq "$(wc -l <late.csv)" ] && echo "put"
pz-info -g shop --export events --source some 2>&1
echo "status $?"
pz-info -g shop --export items --source put 2>&1
echo "status $?"

echo "== a full import replaces bulk rows only"
cp -a shop full
pz-import -q -g full -t interactions old.csv >out
pz-info -g full --export events --source all | cmp - want && echo "the events are still there"

echo "== compaction"
pz-event -g shop --compact --older-than 99999d
pz-event -g shop --compact | sed 's/[0-9][0-9]* rows$/N rows/; s/[0-9][0-9]* moved/N moved/'
cmp shop/interactions.safetensors whole/interactions.safetensors && echo "the same dataset"
pz-info -g shop --export events | wc -l | tr -d ' '
pz-event -g shop --compact
echo "again: status $?"

echo "== what stays: sessions of nobody; what needs a dataset; then not"
pz-event -g shop <<'END'
{"sessionId":"s1","itemId":"i1","eventType":"View","device":"tv","sentAt":1735689600}
END
pz-event -v -g shop --compact 2>&1
pz-event -g shop <<'END'
{"sessionId":"s1","userId":"me","itemId":"i2","eventType":"View","device":"tv","sentAt":1735689700}
END
pz-event -g shop --compact | sed 's/[0-9][0-9]* rows$/N rows/'
pz-info -g shop --export interactions | grep '^me,' | cut -d, -f1-4

echo "== options that would change nothing"
for o in --list-trackers --compact --attribution '--create-tracker x'; do
    for idle in --ack '-T x' '-t items' --strict '--window 1d'; do
        case $o$idle in --attribution--[sw]* | --create*--strict) continue ;; esac
        # shellcheck disable=SC2086 # words
        pz-event -g shop $o $idle 2>&1 | head -n 1
    done
done
pz-event -g shop --window 1d </dev/null 2>&1 | head -n 1

echo "== records"
printf 'ITEM_ID,PRICE\na,1\nb,2\n' | pz-import -q -g kinds -t items >out
printf 'USER_ID,AGE\nu,30\n' | pz-import -q -g kinds -t users >out
printf 'ITEM_ID,PRICE\nb,3\nc,\n' | pz-event -g kinds -t items
echo '{"userId":"w","age":41}' | pz-event -g kinds -t users
pz-info -g kinds --export items --source all
pz-event -g kinds --compact
pz-info -g kinds --export items
pz-info -g kinds --export users

echo "== a group of events alone"
mkdir new
echo '{"userId":"u","itemId":"i","eventType":"v","sentAt":5}' | pz-event -g new
pz-train -q -g new -r aws-popularity-count --no-eval -o new.model && pz-recommend -m new.model u
pz-event -g new --compact --json
pz-info -g new --export interactions

echo "== mistakes"
for wrong in "--compact x" "--older-than 1d" "--compact --older-than 1y" "--attribution --window 0" \
    "--compact --attribution"; do
    # shellcheck disable=SC2086 # words
    pz-event -g new $wrong 2>&1 | head -n 1
    echo "  for $wrong"
done
