#!/bin/sh
# pz-eval --html: one page that needs nothing else, the same for any number of threads, and that a
# browser shows where there is one.
"$PZ_SRC/tests/sample"
run() { pz-eval -q -g shop -r aws-user-personalization,aws-sims --by CATEGORY_L1 "$@" >table || echo "status $?"; }
run --html page.html --threads 1
run --html again.html --threads 3
cmp page.html again.html

# Nothing from elsewhere, nothing that runs.
grep -Eio '<script|<link|<img|<iframe|@import|url\(|[a-z]*="?https?:| on[a-z]+=' page.html
grep -c 'nan' page.html
for word in Quality 'Learning curves' 'Coverage against accuracy' 'Long tail' Segments '20 users'; do
    grep -q "<h2>$word</h2>" page.html || echo "no section '$word'"
done
grep -c '<details>' page.html
grep -c 'because of' page.html | awk '{ print ($1 > 20) }'
# Tags are closed in order.
sed 's/<!DOCTYPE html>//; s/<meta[^>]*>//g' page.html | tr '\n' ' ' | grep -o '<[^>]*>' | awk '
    /\/>$/ { next }
    /^<\// { sub(/^<\//, ""); sub(/>$/, ""); if (stack[n--] != $0) { print "closes " $0 " where " stack[n + 1] " is open"; exit } next }
    { sub(/^</, ""); sub(/[ >].*/, ""); stack[++n] = $0 }
    END { print n " open" }'
# What is hostile in a name stays text.
mkdir odd
{
    echo USER_ID,ITEM_ID,TIMESTAMP
    awk 'BEGIN { for (u = 0; u < 40; u++) for (i = 0; i < 6; i++) print "<u>&" u ",<script>" (u * 7 + i * 3) % 11 "</script>," 1700000000 + u * 9 + i }'
} >odd.csv
pz-import -q -g odd -t interactions odd.csv >out
pz-eval -q -g odd -r aws-sims --protocol loo --html odd.html >out || echo "status $?"
grep -c '<script>\|<u>' odd.html
grep -q '&lt;script&gt;' odd.html || echo "no item is named"

# Metrics of single recipes stand there as in JSON, and nowhere without them.
grep -c 'Of single recipes' page.html odd.html
pz-eval -q -g shop -r aws-trending-now,aws-semantic-similarity --html single.html --json >json || echo "status $?"
for m in trend_prediction_accuracy item_popularity item_freshness item_similarity; do
    grep -c "<figcaption>$m</figcaption>" single.html
    jq -r --arg m $m '.metrics[$m] // empty' json | while read -r v; do
        v=$(printf %.4f "$v")
        sed -n "/<figcaption>$m</,/<.figure>/p" single.html | grep -q ">$v<" || echo "$m lacks $v"
    done
done

# A model alone has no learning curve, and the rest.
pz-train -q -g shop -r aws-user-personalization --no-eval -o m.safetensors >path
awk -F, 'NR > 1 { print $1 "\t" $2 }' interactions.csv | tail -n 300 >truth.tsv
pz-eval -q -m m.safetensors --protocol split --truth truth.tsv --seen keep --html model.html >out || echo "status $?"
grep -c '<h2>' model.html

for browser in chromium chromium-browser google-chrome; do
    command -v $browser >found || continue
    timeout 120 $browser --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$PWD/profile" \
        --window-size=500,3000 --screenshot="$PWD/page.png" "file://$PWD/page.html" >browser.log 2>&1
    # A blank page of this size compresses to some 10 kB.
    [ "$(wc -c <page.png)" -gt 60000 ] || echo "the page is blank in $browser"
    break
done
exit 0
