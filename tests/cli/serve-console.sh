#!/bin/sh
# The console page and what it asks: headers, who may ask, and the numbers of the tools.
# shellcheck disable=SC2016 # $MAX is the filter's
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
start -g shop

# console WHAT BODY: the answer, in body.
console()
{
    curl -s -o body -w '%{http_code}\n' -H 'Content-Type: application/json' "$url/console/$1" -d "$2" >code
    [ "$(cat code)" = 200 ] || { cat code body; echo; }
}

echo "# the page"
curl -s -D heads -o page "$url/"
tr -d '\r' <heads | grep -iE '^(HTTP|Content-(Type|Security)|X-Content|Referrer|Cache)'
tag=$(tr -d '\r' <heads | sed -n 's/^ETag: //p')
curl -s -o body -w '%{http_code} %{size_download}\n' -H "If-None-Match: $tag" "$url/"
curl -s -o body -w '%{http_code} %{size_download}\n' -I "$url/"
# All that the page refers to is there, and all of it is ours.
for f in $(grep -oE '(href|src)="[^"#]*"' page | sed 's/.*="//; s/"//' | grep -v '^data:') \
    $(cd "$PZ_SRC/libcore/serve/console" && grep -ohE 'from "\./[a-z]*\.js"' ./*.js | sed 's/.*\.\///; s/"//; s/^/\/console\//' | sort -u); do
    curl -s -o body -w "%{http_code} %{content_type} $f\n" "$url$f"
    cmp body "$PZ_SRC/libcore/serve/console/${f##*/}"
done
cmp page "$PZ_SRC/libcore/serve/console/page.html"
# Nothing that turns text into markup or code, and no script or style inside of the page.
grep -nE 'innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|srcdoc|javascript:' \
    "$PZ_SRC"/libcore/serve/console/*
grep -nE '<style|<script>| on[a-z]+=| style=|https?://' page

echo "# who may ask"
who()
{
    curl -s -o body -w '%{http_code} ' "$@"
    jq -r '.message // "answered"' <body 2>/dev/null || echo "answered"
}
who "$url/" -H 'Host: evil.example:8750'
who "$url/" -H 'Host: localhost:8750'
who "$url/console/groups" -d '{}' -H 'Host: evil.example:8750'
who "$url/console/groups" -d '{}' -H 'Origin: http://evil.example'
who "$url/console/groups" -d '{}' -H "Origin: $url"
who "$url/console/groups" -d '{}'
who "$url/console/groups"
who "$url/events" -d '{"trackingId":"t"}' -H 'Origin: http://evil.example'
who "$url/events" -d '{"trackingId":"t"}' -H 'Origin: null'
who "$url/events" -d '{"trackingId":"t"}' -H 'Origin: http://evil.example:8750' -H 'Host: evil.example:8750'
who "$url/" -d '{}' -H 'X-Amz-Target: AmazonPersonalize.ListRecipes' -H 'Origin: http://evil.example'
who "$url/" -d '{}' -H 'X-Amz-Target: AmazonPersonalize.ListRecipes' -H "Origin: $url"
who "$url/" -d '{}' -H 'X-Amz-Target: AmazonPersonalize.ListRecipes' -H 'Host: pz.example'
who "$url/" -X OPTIONS -H 'Origin: http://evil.example' -H 'Access-Control-Request-Method: POST'

echo "# the group is what pz-info says"
console groups '{}'
jq -c '.single, [.groups[] | [.name, .campaigns]]' body
console group '{"groupName":"shop"}'
jq -S '[.datasets[] | {dataset, rows, bytes, domain, users, items, from, to, schema}]' body >got
pz-info -g shop --json | jq -S '[.datasets[] | {dataset, rows, bytes, domain, users, items, from, to, schema}]' >want
cmp got want && echo "datasets: $(jq length got)"
jq -S '[.versions[] | {solution, version, recipe, bytes, users, items, trained, seconds, params, metrics}] | sort_by(.solution)' body >got
pz-info -g shop --json | jq -S '[.models[] | {solution, version, recipe, bytes, users, items, trained, seconds, params, metrics}] | sort_by(.solution)' >want
cmp got want && echo "versions: $(jq length got)"
jq -c '.campaigns[] | [.name, .recipe, .asks, .answers, .explains, .latest]' body | sort
console insights '{"groupName":"shop"}'
pz-import -g copy -t interactions -s schemas/shop-interactions.json interactions.csv -q >/dev/null
pz-import -g copy -t items -s schemas/shop-items.json items.csv -q >/dev/null
pz-import -g copy -t users -s schemas/shop-users.json users.csv --json --report -q | tail -n 1 | jq -S . >want
jq -S . body | cmp - want && echo "insights: $(jq '.findings | length' body) findings"

console insights '{"groupName":"shop"}'
jq -S . body | cmp - want || echo "another the second time"
# A damaged model is shown as one.
mkdir shop/models/broken
head -c 1000 shop/models/similar/*.safetensors >shop/models/broken/20250101T000000Z.safetensors
console group '{"groupName":"shop"}'
jq -c '(.versions | length), (.versions[] | select(.error) | [.solution, .version])' body
rm -r shop/models/broken

echo "# recommendations are those of pz-recommend, with its reasons"
# same CAMPAIGN MEMBERS COMMAND...
same()
{
    console recommend '{"groupName":"shop","campaign":"'"$1"'",'"$2"'}'
    shift 2
    "$@" --json >want.json
    jq -c '[.items[] | [.id, .score // null, .columns.NAME // null, .rawScore // null,
        ((.because // [])[] | [.itemId, .contribution])]]' body >got
    jq -c '.output as $o | [range($o.recommendedItems | length) as $i | [$o.recommendedItems[$i],
        ($o.scores[$i] // null), ($o.metadata[$i].name // null),
        ($o.explanation[$i].rawScore // null),
        (($o.explanation[$i].because // [])[:8][] | [.itemId, .contribution])]]' want.json >want
    cmp got want && echo "the same: $(jq length got) items, $(jq '[.items[].because // [] | length] | add' body) reasons"
}
same personal '"userId":"u1"' pz-recommend -g shop -S personal -n 10 --metadata NAME --explain u1
same personal '"userId":"u7","numResults":25,"filter":"INCLUDE ItemID WHERE Items.PRICE < $MAX","filterValues":{"MAX":"20"}' \
    pz-recommend -g shop -S personal -n 25 --metadata NAME --explain -F "INCLUDE ItemID WHERE Items.PRICE < \$MAX" -V MAX=20 u7
same similar '"itemId":"i1"' pz-recommend -g shop -S similar -n 10 --metadata NAME --explain i1
same popular '"numResults":3' pz-recommend -g shop -S popular -n 3 --metadata NAME nobody
console recommend '{"groupName":"shop","campaign":"personal","userId":"nobody","numResults":1}'
jq -c '[.fallback, .unknown]' body
# What the first reasons leave out is added up.
console recommend '{"groupName":"shop","campaign":"personal","userId":"u1","numResults":5}'
jq -c '[.items[] | (([.because[].contribution] | add) + (.othersContribution // 0) - .rawScore) | fabs < 1e-6] | unique' body

echo "# filters are checked as pz-filter does"
# checked EXPRESSION [VALUES]
checked()
{
    jq -n --arg e "$1" --argjson v "${2:-{\}}" '{groupName: "shop", expression: $e, filterValues: $v}' >q
    console check "$(cat q)"
    jq -rj '.compiled // empty' body >got
    v=$(jq -r '.filterValues | to_entries[] | "\(.key)=\(.value)"' q)
    pz-filter -q -g shop --check --explain ${v:+-V "$v"} "$1" >want 2>why
    cmp got want && jq -c 'del(.compiled)' body
    jq -r 'select(.line) | "filter:\(.line):\(.column): \(.message)"' body >got
    [ ! -s got ] || sed 's/^pz-filter: //' why | cmp - got
}
checked 'INCLUDE ItemID WHERE Items.PRICE < 20'
checked "EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN (\$C)" '{"C":"\"kitchen\""}'
checked "INCLUDE ItemID WHERE Items.PRICE < \$MAX"
checked 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")'
checked 'INCLUDE ItemID WHERE Items.COLOUR = "red"'
checked 'INCLUDE ItemID
    WHERE Items.PRICE <'
checked 'nonsense here'

# What becomes of an item is what pz-filter tells of it.
for i in i1 i9 none; do
    console check '{"groupName":"shop","expression":"INCLUDE ItemID WHERE Items.PRICE < 30","candidateId":"'$i'"}'
    jq -r '[(if .passes then "kept" else "dropped" end), .why] | @tsv' body >got
    printf 'u1\t%s\t0.5\n' $i | pz-filter -g shop --explain 'INCLUDE ItemID WHERE Items.PRICE < 30' |
        cut -f 3- | cmp - got && cat got
done

echo "# what it looks up"
console history '{"groupName":"shop","userId":"u2","maxResults":3}'
jq -r '.events[] | [.itemId, .eventType, .time] | @csv' body >got
pz-info -g shop --export interactions | awk -F, '$1 == "u2"' | sort -t, -k3n | tail -n 3 |
    while IFS=, read -r _ item at type _; do
        echo "\"$item\",\"$type\",\"$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)\""
    done | cmp - got && wc -l <got
jq -c '.columns, .stored == '"$(pz-info -g shop --export interactions | grep -c '^u2,')" body
grep '^u2,' users.csv
console history '{"groupName":"shop","userId":"none"}'
cat body; echo
console find '{"groupName":"shop","dataset":"users","text":"u19","maxResults":4}'
jq -c '.found' body
console find '{"groupName":"shop","dataset":"items","text":"TRAY","maxResults":50}'
jq -r '.found[].id' body | sort >got
# Its names have no commas where they have no quotes.
awk -F, 'NR > 1 && tolower($2) ~ /tray/ { print $1 }' items.csv | sort | cmp - got && wc -l <got
console find '{"groupName":"shop","dataset":"items","text":"none such"}'
jq -c . body
console find '{"groupName":"shop","dataset":"shops","text":"x"}'
console activity '{"groupName":"shop","parts":4}'
# 60 days in four equal parts, counted anew.
pz-info -g shop --export interactions | awk -F, 'NR > 1 { print $3 }' | sort -n | awk '
    { t[NR] = $1 } END { w = (t[NR] - t[1] + 1) / 4
    for (i = 1; i <= NR; i++) n[int((t[i] - t[1]) / w)]++
    printf "[%d,%d,%d,%d]\n", n[0], n[1], n[2], n[3] }' >want
jq -c .counts body | cmp - want && cat want
console recommend '{"groupName":"shop","campaign":"personal","userId":"u1","itemList":["i5","none","i1"]}'
jq -c '.unknown, [.items[] | [.id, .score // null, .rawScore // null]]' body >got
pz-recommend -g shop -S personal --rank i5,none,i1 --json --explain u1 | jq -c '1, (.output as $o |
    [range(3) as $i | [$o.recommendedItems[$i], $o.scores[$i], $o.explanation[$i].rawScore // null]])' |
    cmp - got && echo "ranks as --rank"

echo "# promoted"
pz-filter -g shop --save dear 'INCLUDE ItemID WHERE Items.PRICE > $LEAST'
settle
console recommend '{"groupName":"shop","campaign":"personal","userId":"u1","numResults":10,
    "filter":"INCLUDE ItemID WHERE Items.PRICE < $MOST","filterValues":{"MOST":"100","LEAST":"60"},
    "promotion":{"filter":"dear","percent":40}}'
jq -r '.items[].id' body >got
pz-recommend -g shop -S personal -n 10 -F 'INCLUDE ItemID WHERE Items.PRICE < $MOST' --promote 40:dear \
    -V MOST=100 -V LEAST=60 u1 | cut -f 2 | cmp - got && echo "as --promote"
jq -c '[.items[] | select(.promoted)] | length, ([.[].columns.PRICE | tonumber > 60] | all)' body
for promotion in '{"filter":"none","percent":40}' '{"filter":"dear"}' '{"filter":"dear","percent":101}' '"dear"'; do
    console recommend '{"groupName":"shop","campaign":"personal","userId":"u1","promotion":'"$promotion"'}'
done

echo "# titles"
console titles '{"groupName":"shop","ids":["i1","none","i2"]}'
jq -r '.titles | to_entries[] | "\(.key),\(.value)"' body | while IFS=, read -r id name; do
    grep -c "^$id,\"*$name" items.csv
done

echo "# events, and waiting for them"
console events '{"groupName":"shop"}'
cat body; echo
(curl -s "$url/console/events" -d '{"groupName":"shop","after":0,"waitSeconds":20}' >waited) &
sleep 0.3
echo '{"userId":"eve","itemId":"i4","eventType":"View","timestamp":1735689600,"eventValue":1.5,"DEVICE":"phone"}' | pz-event -q -g shop
wait $!
jq -c '.last, (.events[] | del(.eventId))' waited
console events '{"groupName":"shop","after":1,"waitSeconds":0.2}'
cat body; echo

echo "# errors"
for q in 'group {}' 'group {"groupName":"none"}' 'group {' 'recommend {"groupName":"shop","campaign":"none"}' \
    'recommend {"groupName":"shop","campaign":"personal"}' 'recommend {"groupName":"shop","campaign":"similar","userId":"u1"}' \
    'recommend {"groupName":"shop","campaign":"personal","userId":"u1","numResults":501}' \
    'recommend {"groupName":"shop","campaign":"personal","userId":"u1","filter":"none"}' \
    'recommend {"groupName":"shop","campaign":"personal","userId":"u1","filter":"INCLUDE ItemID WHERE Items.PRICE <"}' \
    'events {"groupName":"shop","after":-1}' 'events {"groupName":"shop","waitSeconds":26}'; do
    console "${q%% *}" "${q#* }"
done

echo "# 32 may wait; who comes then is answered at once"
for _ in $(seq 32); do
    curl -s "$url/console/events" -d '{"groupName":"shop","after":1,"waitSeconds":20}' >>all &
    waiting="${waiting:-} $!"
done
for _ in $(seq 600); do # they and this one are there
    [ "$(curl -s "$url/metrics" | sed -n 's/^pz_connections //p')" -gt 32 ] && break
    sleep 0.1
done
sleep 1
began=$(date +%s)
console events '{"groupName":"shop","after":1,"waitSeconds":20}'
cat body; echo
console groups '{}'
[ $(($(date +%s) - began)) -lt 15 ] && echo "at once" # a wait is of 20
echo '{"userId":"eve","itemId":"i5","eventType":"View","timestamp":1735689601,"DEVICE":"phone"}' | pz-event -q -g shop
# shellcheck disable=SC2086 # they are many
wait $waiting
grep -o '"seq":2' all | wc -l

echo "# one that waits does not hold up the end"
(curl -s "$url/console/events" -d '{"groupName":"shop","after":2,"waitSeconds":20}') &
sleep 0.3
began=$(date +%s)
stop
wait $!
echo
[ $(($(date +%s) - began)) -lt 15 ] && echo "at once"

echo "# with credentials there is no page"
printf '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n' >keys
chmod 600 keys
start -g shop --credentials keys
who "$url/"
who "$url/console/groups" -d '{}' -H "Origin: $url"
stop
