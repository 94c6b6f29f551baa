#!/bin/sh
# Metrics of single recipes, by naive scripts to 1e-9.
set -u
make-shop . --users 200 --items 60 --days 30 2>/dev/null || exit
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit
items() { pz-import -q -g "$1" -t items -s "$PZ_SRC/samples/schemas/shop-items.json" items.csv >/dev/null; }
items shop || exit
close_to() { # NAME NAIVE TESTED
    awk -v name="$1" -v a="$2" -v b="$3" 'BEGIN {
        print name ": " (b > 0 && b < 1 && a - b < 1e-9 && b - a < 1e-9 ? "the same" : a " is not " b) }'
}
metric() { sed -n "s/.*\"$2\":\([-0-9.e]*\).*/\1/p" "$1"; }

echo '== trends'
cell() { sed -n 1p interactions.csv | tr , '\n' | grep -n "^$1\$" | cut -d: -f1; }
at=$(cell TIMESTAMP)
newest=$(sed 1d interactions.csv | cut -d, -f"$at" | sort -n | tail -n 1)
found=0 most=0
rises() { # END: "ITEM RISE" of the day behind END
    awk -F, -v at="$at" -v end="$1" 'FNR == 1 { next }
        $at > end && $at <= end + 86400 { n[$2]++ }
        $at > end - 86400 && $at <= end { n[$2]-- }
        END { for (i in n) if (n[i] > 0) print i, n[i] }' interactions.csv | sort
}
for k in 1 2 3 4 5 6 7 8 9 10; do
    end=$((newest - k * 86400))
    rises "$end" >rise
    rm -rf past
    awk -F, -v at="$at" -v end="$end" 'FNR == 1 || $at <= end' interactions.csv >past.csv
    pz-import -q -g past -t interactions past.csv >/dev/null
    items past
    pz-train -q -g past -r aws-trending-now -p 'trend_discovery_frequency=1 day' --no-eval -o past.model >/dev/null
    pz-recommend -q -m past.model -n 25 u1 | cut -f 2 | sort >list
    found=$((found + $(join list rise | awk '{ n += $2 } END { print n + 0 }')))
    most=$((most + $(sort -k 2,2nr rise | head -n 25 | awk '{ n += $2 } END { print n + 0 }')))
done
pz-train -q -g shop -r aws-trending-now -p 'trend_discovery_frequency=1 day' -o t.model --json >json
close_to trend_prediction_accuracy "$(awk "BEGIN { printf \"%.17g\", $found / $most }")" \
    "$(metric json trend_prediction_accuracy)"
sed 1d json | jq '.baseline | has("trend_prediction_accuracy")'
eval_of() { pz-eval -q -g shop "$@" --json; }
eval_of -r aws-popularity-count,aws-trending-now,aws-sims -p 'trend_discovery_frequency=1 day' --protocol loo >evaluated
close_to 'pz-eval trend_prediction_accuracy' "$(awk "BEGIN { printf \"%.17g\", $found / $most }")" \
    "$(jq 'select(.recipe == "aws-trending-now").metrics.trend_prediction_accuracy' evaluated)"
jq -s 'map(.metrics.trend_prediction_accuracy)' evaluated |
    jq --argjson b "$(sed 1d json | jq .baseline.trend_prediction_accuracy)" -c '[.[0] == $b, .[2]]'
pz-eval -q -g shop -r aws-popularity-count,aws-trending-now -p 'trend_discovery_frequency=1 day' \
    --metrics trend_prediction_accuracy,item_similarity |
    awk -F '\t' 'NR == 1 { print $1, $2, $3, NF } NR > 1 { print $1, $2, ($3 > 0), NF }'
pz-eval -q -g shop -r aws-trending-now --metrics hr --at 5 | sed -n 1p
pz-eval -q -g shop -r aws-popularity-count --metrics trend 2>&1 | sed -n 1p

echo '== likeness'
sed 's/"[^"]*"//g' items.csv >plain.csv
created=$(sed -n 1p plain.csv | tr , '\n' | grep -n '^CREATION_TIMESTAMP$' | cut -d: -f1)
for with in '' 'POPULARITY=0.5' 'FRESHNESS=0.7'; do
    pz-train -q -g shop -r aws-semantic-similarity ${with:+-p "$with"} -o s.model --json >json
    pz-train -q -g shop -r aws-semantic-similarity --no-eval -o cosine.model >/dev/null
    sed 1d plain.csv | cut -d, -f1 >ids
    pz-recommend -q -m s.model -n 25 <ids >lists
    pz-recommend -q -m cosine.model -n 60 --explain --json <ids |
        jq -r '.input.itemId as $q | .output as $o | range($o.recommendedItems | length) |
            select($o.explanation[.].rawScore) |
            [$q, $o.recommendedItems[.], $o.explanation[.].rawScore] | @tsv' >cosine
    awk -F, -v at="$created" '
        FILENAME == "interactions.csv" { if (FNR > 1 && !(($1, $2) in had)) { had[$1, $2] = 1; users[$2]++ } next }
        FILENAME == "plain.csv" { if (FNR > 1) { made[$1] = $at; id[++n] = $1 } next }
        FILENAME == "cosine" { split($0, c, "\t"); cosine[c[1], c[2]] = c[3]; next }
        FNR == 1 {
            for (i in users) if (users[i] > most) most = users[i]
            for (i = 1; i <= n; i++)
                for (j = 1; j <= n; j++) fresh[id[i]] += made[id[j]] <= made[id[i]]
        }
        { split($0, c, "\t") }
        (c[1], c[2]) in cosine {
            k++
            popular += log(1 + users[c[2]]) / log(1 + most)
            new += fresh[c[2]] / n
            alike += cosine[c[1], c[2]]
        }
        END { printf "%.12f %.12f %.12f\n", popular / k, new / k, alike / k }
    ' interactions.csv plain.csv cosine lists >naive
    read -r popular new alike <naive
    # Traits are stored with 7 digits.
    for m in item_popularity:"$popular" item_freshness:"$new" item_similarity:"$alike"; do
        awk -v name="${m%:*}" -v a="${m#*:}" -v b="$(metric json "${m%:*}")" 'BEGIN {
            print name ": " (a - b < 1e-7 && b - a < 1e-7 && b > 0 ? "the same" : a " is not " b) }'
    done
    eval_of -r aws-semantic-similarity ${with:+-p "$with"} >evaluated
    jq -c '.metrics | [.item_popularity, .item_freshness, .item_similarity]' evaluated | sed -n 2p >all
    for m in item_popularity item_freshness item_similarity; do metric json $m; done | jq -s -c . | cmp - all && echo 'pz-eval: as pz-train'
done
pz-eval -q -g shop -r aws-semantic-similarity --intervals --metrics hr,item_similarity --at 5 | cut -f 1,2,4-
printf 'u1\ti1\nu2\ti2\n' >truth.tsv
pz-eval -q -m cosine.model --protocol split --truth truth.tsv --baseline first --metrics item_similarity | head -n 1
echo '== the same influence in a request as in the model'
for with in POPULARITY=0.5 FRESHNESS=0.7; do
    pz-train -q -g shop -r aws-semantic-similarity -p "$with" --no-eval -o s.model >/dev/null
    pz-recommend -q -m s.model --explain <ids >lists
    pz-recommend -q -m cosine.model --influence "$with" --explain <ids | cmp - lists && echo "$with"
    pz-recommend -q -m s.model --influence POPULARITY=0 --explain <ids >lists
    pz-recommend -q -m cosine.model --explain <ids | cmp - lists && echo none
done
no() { "$@" 2>&1 | grep -v '^Try'; }
no pz-recommend -m s.model --influence POPULARITY=2 i1
no pz-recommend -m s.model --influence PRICE=1 i1
no pz-recommend -m t.model --influence POPULARITY=1 u1
items lone
pz-train -g lone -r aws-semantic-similarity -o lone.model 2>&1 | grep -v ' of ' | sed 's/[ 0-9.]*$//'
exit 0
