#!/bin/sh
# Attribution: metrics over events, items and put items; answers told apart by pz-recommend's log.
for t in jq sqlite3; do
    command -v $t >/dev/null || { echo "no $t"; exit 77; }
done
"$PZ_SRC/tests/sample" || exit

echo "== the log says what answered"
pz-recommend -g shop -S personal -n 3 --log shown.jsonl u1 u2 >out
pz-recommend -g shop -S similar -n 3 --log shown.jsonl i1 >out
model=$(find shop/models/popular -name '*.safetensors')
pz-recommend -m "$model" -n 3 --log other.jsonl u1 >out
cp "$model" mine.safetensors
pz-recommend -m mine.safetensors -n 3 --log other.jsonl u1 >out
cat shown.jsonl other.jsonl | jq -r '[.source, (.version // "-" | gsub("[0-9]"; "0")), .recipe] | @tsv' |
    sed 's/[0-9]\{8\}T[0-9_]*Z[_0-9]*/VERSION/' | tr '\t' ' '
gzip other.jsonl

# Two days of events: some with a source, some from a list that was shown, some from nowhere.
ids=$(jq -r .recommendationId shown.jsonl)
n=0
for id in $ids RID-unknown ""; do
    for type in View Purchase; do
        for k in 1 2 3; do
            n=$((n + 1))
            printf '{"userId":"u%d","itemId":"i%d","eventType":"%s","eventValue":%d.5,"device":"tv","sentAt":%d%s}\n' \
                $k $((n % 7 + 1)) $type $n $((1735600000 + n * 3600)) "${id:+,\"recommendationId\":\"$id\"}"
        done
    done
done >events.jsonl
echo '{"userId":"u1","itemId":"kite","eventType":"Purchase","device":"tv","sentAt":1735689600,"eventAttributionSource":"a,b"}' >>events.jsonl
echo '{"userId":"u1","itemId":"nobody-knows","eventType":"Purchase","device":"tv","sentAt":1735689600}' >>events.jsonl
pz-event -g shop events.jsonl
echo '{"itemId":"kite","name":"Kite","categoryL1":"toys","categoryL2":"kites","price":9.5,"creationTimestamp":1,"description":""}' |
    pz-event -g shop -t items
echo '{"itemId":"i1","name":"Dear","categoryL1":"toys","categoryL2":"kites","price":1000,"creationTimestamp":1,"description":""}' |
    pz-event -g shop -t items

report() { pz-event -g shop --attribution --window 1d --log shown.jsonl --log other.jsonl.gz "$@"; }
echo "== metrics"
report --metric 'Revenue:Purchase:SUM(Items.PRICE)' --metric 'Views:View:SAMPLECOUNT()' \
    --metric 'Worth:View: sum ( interactions.event_value ) ' --metric 'none:Wink:SAMPLECOUNT()' >got.csv
head -n 1 got.csv
sed 1d got.csv | cut -d, -f1,2,4 | sort | uniq -c | tr -s ' '

echo "== the same out of SQLite"
pz-info -g shop --export items --source all >items.csv
jq -r '[.recommendationId, .source] | @csv' shown.jsonl >shown.csv
sqlite3 :memory: <<'SQL' >want.csv
.mode csv
CREATE TABLE ev (j TEXT);
CREATE TABLE shown (id TEXT, source TEXT);
.import shown.csv shown
.import items.csv item
.mode ascii
.separator "\037" "\n"
.import events.jsonl ev
.mode csv
CREATE TABLE e AS SELECT json_extract(j, '$.eventType') AS type, json_extract(j, '$.eventValue') AS value,
    json_extract(j, '$.sentAt') / 86400 * 86400 AS start, json_extract(j, '$.itemId') AS item,
    coalesce(json_extract(j, '$.eventAttributionSource'),
        (SELECT source FROM shown WHERE id = json_extract(j, '$.recommendationId')),
        iif(json_extract(j, '$.recommendationId') IS NULL, 'SOURCE_NAME_UNDEFINED', 'pz-recommend')) AS source
    FROM ev;
SELECT 'Revenue', type, round(sum(PRICE), 3), 'sum', source, start FROM e JOIN item ON ITEM_ID = item
    WHERE type = 'Purchase' GROUP BY type, source, start
UNION ALL SELECT 'Views', type, count(*), 'samplecount', source, start FROM e WHERE type = 'View' GROUP BY type, source, start
UNION ALL SELECT 'Worth', type, sum(value), 'sum', source, start FROM e WHERE type = 'View' GROUP BY type, source, start;
SQL
numbers() { tr -d '\r' | awk -F, -v OFS=, '{ $3 = sprintf("%.3f", $3); print }' | LC_ALL=C sort; }
numbers <want.csv >want
sed 1d got.csv | numbers | diff want - && wc -l <want

echo "== sources without and with logs"
pz-event -g shop --attribution --window 4w --metric 'n:Purchase:SAMPLECOUNT()' | cut -d, -f3,5-
report --window 4w --metric 'n:Purchase:SAMPLECOUNT()' | cut -d, -f3,5-

echo "== mistakes"
for wrong in "--metric x" "--metric x:y" "--metric a::SAMPLECOUNT()" "--metric :b:SAMPLECOUNT()" \
    "--metric a:b:SAMPLECOUNT" "--metric a:b:SUM()" "--metric a:b:SUM(Users.AGE)" "--metric a:b:SUM(Items.)" \
    "--metric a:b:SUM(Items.NAME)" "--metric a:b:SUM(Items.NONE)" "--metric a:b:SUM(Interactions.TIMESTAMP)" \
    "--metric a:b:SUM(Interactions.DEVICE)" "--metric a:b:SAMPLECOUNT()x" "--log items.csv" "--log absent"; do
    # shellcheck disable=SC2086 # words are wanted
    pz-event -g shop --attribution $wrong 2>&1
    echo "status $?"
done
# A line without an end is not a log that is still being written.
{
    head -n 1 shown.jsonl
    head -c 17000000 /dev/zero | tr '\0' x
} >endless.jsonl
pz-event -g shop --attribution --log endless.jsonl 2>&1
mkdir bare
pz-event -g bare --attribution --metric 'a:b:SUM(Items.PRICE)' 2>&1
pz-event -g bare --attribution --metric 'a:b:SUM(Interactions.NUM)' 2>&1
pz-event -g bare --metric 'a:b:SAMPLECOUNT()' </dev/null 2>&1 | head -n 1
pz-event -g bare --log shown.jsonl </dev/null 2>&1 | head -n 1
# shellcheck disable=SC2046 # words are wanted
pz-event -g shop --strict --attribution $(for i in 1 2 3 4 5 6 7 8 9 10 11; do echo "--metric m$i:View:SAMPLECOUNT()"; done) 2>&1 | head -n 1
