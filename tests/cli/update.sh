#!/bin/sh
# Training modes: a version learned on, with what is new, and what stays as it was.
for need in jq pz-info pz-recommend; do
    command -v $need >/dev/null || { echo "there is no $need"; exit 77; }
done
make-shop . --users 120 --items 60 --days 30 2>/dev/null || exit
schemas=$PZ_SRC/samples/schemas
sort -t , -k 3,3n interactions.csv >sorted.csv # the header comes first
n=$(wc -l <sorted.csv)
head -n $((n * 9 / 10)) interactions.csv >early.csv
(head -n 1 interactions.csv; tail -n $((n / 10)) interactions.csv) >late.csv
pz-import -q -g shop -t interactions -s "$schemas/shop-interactions.json" early.csv >out || exit
pz-import -q -g shop -t items -s "$schemas/shop-items.json" items.csv >out || exit
same() { cmp -s one two || { echo "$1: differ"; diff one two | head -n 4; }; [ -s one ] || echo "$1: nothing"; }
wants() { want=$1; shift; "$@" >out 2>err; got=$?; [ $got -eq "$want" ] || echo "$got, wanted $want: $*"; }
full() { s=$1; shift; pz-train -q -g shop -r aws-user-personalization -S "$s" --no-eval "$@" >out || exit; }
update() { pz-train -g shop --mode update -S "$@" >path 2>err || { cat err; exit 1; }; }
answers() { PZ_RECIPE_PATH=. pz-recommend -g shop -n 20 -S "$@" - <ids; }
tail -n +2 users.csv | cut -d , -f 1 >ids
kept() { pz-info --json "$(cat path)" | grep -o '"update.kept":"[^"]*"'; }

echo "# with nothing new: the same answers"
full auto -p time_budget=0
full ials -p model=ials
full softmax -p model=softmax -p time_budget=0 -p softmax_rounds=2 -p softmax_dimension=16
full next -p model=next -p time_budget=0
full ease -p model=ease -p ease_neighbours=8 -p time_budget=0
full anew -p model=ease
for s in auto ials softmax next ease anew; do
    answers $s >one
    update $s
    answers $s >two
    same $s
    echo "$s $(kept)"
done
sed 's/updated [0-9TZ]*/updated VERSION/' err
update auto -o again.model --threads 3
cmp -s again.model "$(cat path)" || echo 'not at its place'
update auto -o other.model --threads 1
cmp again.model other.model

echo "# an item in front of all others: all numbers move"
(head -n 1 items.csv; sed -n '2s/^[^,]*/!first/p' items.csv) >new.csv
pz-import -q -g shop -t items --mode incremental new.csv >out || exit
# Scores are measured by their deviation over all items, so that near ones may change places.
for s in auto ials softmax next ease; do
    pz-recommend -g shop -n 24 -S $s - <ids | cut -f 1,2 | sort >one
    update $s
    pz-recommend -g shop -n 21 -S $s - <ids | awk -F '\t' '$2 != "!first" && ++n[$1] <= 20' |
        cut -f 1,2 | sort | comm -23 - one | sed "s/^/$s: /"
done
sed 's/updated [0-9TZ]*/updated VERSION/' err
pz-recommend -g shop -S auto -n 100 u1 | cut -f 2 | grep -x '!first'

echo "# new events, users and items"
sed -n 2,40p late.csv | sed 's/^[^,]*,[^,]*/fresh,novel/' >fresh.csv
cat fresh.csv >>late.csv
pz-import -q -g shop -t interactions --mode incremental late.csv >out || exit
before=$(pz-recommend -g shop -S auto -n 100 --history novel | cut -f 2 | grep -cx novel)
update auto
sed 's/updated [0-9TZ]*/updated VERSION/; s/[0-9]* more/N more/' err
echo "novel: $before, then $(pz-recommend -g shop -S auto -n 100 u1 | cut -f 2 | grep -cx novel)"
pz-info -g shop --verify >out || cat out
for v in shop/models/auto/*; do pz-info --json "$v" | jq -c .metadata.params; done |
    sort -u | grep -c time_budget
for v in shop/models/auto/*; do pz-info --json "$v" | grep -c '"update.of"'; done | paste -sd ' ' -

echo "# events that were chosen stay chosen"
full buys --event-type Purchase=2 --event-type View
update buys
for v in shop/models/buys/*; do pz-info --json "$v" | jq -c .metadata.selection; done | sort -u
awk -F, -v OFS=, 'NR % 2 && $4 == "View" { $4 = "VIEW" } { print }' early.csv >cases.csv
pz-import -q -g cases -t interactions cases.csv >out || exit
echo '{"name":"cases","recipe":"aws-user-personalization","hyperParameters":{"model":"rules"},
    "eventTypes":[{"type":"View","weight":2},{"type":"VIEW"}]}' >cases.json
pz-train -q -g cases --no-eval -r ./cases.json -S cases >out || exit
answers cases -g cases >one
PZ_RECIPE_PATH=. pz-train -q -g cases --mode update -S cases >path 2>err || cat err
kept
answers cases -g cases >two
same cases

echo "# an objective stays, on the values of now; columns that were left out stay out"
full dear --objective price:high
full plain --exclude items.PRICE --exclude Items.NAME
full all
answers dear >one
update dear
answers dear >two
same dear
for v in shop/models/dear/* shop/models/plain/*; do
    pz-info --json "$v" | jq -c '[.metadata | .objective, ."objective.column", .columns]'
done | sort | uniq -c | sed 's/^ *//'
update plain
pz-info --json "$(cat path)" | jq -c .metadata.columns
for s in plain all; do update $s -o $s.before; done
# Prices the other way round; the cells before them hold no commas.
at=$(head -n 1 items.csv | tr , '\n' | grep -n '^PRICE$' | cut -d : -f 1)
awk -F , -v OFS=, -v at="$at" 'NR > 1 { $at = 300 - $at } { print }' items.csv >turned.csv
pz-import -q -g shop -t items --mode incremental turned.csv >out || exit
for s in plain all; do update $s -o $s.after; done
cmp plain.before plain.after
cmp -s all.before all.after && echo 'all: prices do not matter'
mean_price() { answers dear | cut -f 2 | awk -F , -v at="$at" 'FNR == NR { p[$1] = $at; next } { s += p[$1] } END { print int(s / FNR) }' turned.csv -; }
before=$(mean_price)
update dear
[ "$(mean_price)" -gt $((before + 20)) ] || echo "mean price $before, then $(mean_price)"

echo "# mistakes"
pz-train -q -g shop -r aws-sims -S similar --no-eval >out || exit
for bad in '-S similar' '-S nothing' '-S auto -p model=next' '-S auto -r aws-sims' '-S auto --auto' '-S auto --event-type View'; do
    # shellcheck disable=SC2086 # several words
    wants 2 pz-train -g shop --mode update $bad
    head -n 1 err
done
wants 2 pz-train -g shop --mode often -S auto
head -n 1 err
exit 0
