#!/bin/sh
# aws-item-affinity and aws-item-attribute-affinity; each line printed is a broken promise.
for need in pz-import pz-train pz-recommend pz-info; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
set -- -g shop -p hidden_dimension=32 -p iterations=4
pz-train -q "$@" -r aws-item-affinity -S fans --json >out || exit
pz-train "$@" -r aws-item-attribute-affinity -S lovers 2>table >/dev/null || exit

# Metrics: AWS's names, stored with the version, and better than the most active users.
sed 1d out | jq -e '.metrics.hits_at_1_percent > .baseline.hits_at_1_percent and
    .metrics.recall_at_1_percent > .baseline.recall_at_1_percent and
    .metrics.hits_at_1_percent_by_time > .baseline.hits_at_1_percent_by_time and
    .metrics.coverage <= 1 and .asked > 0' >/dev/null || { echo metrics:; cat out; }
pz-info -g shop --json | grep -q '"hits_at_1_percent":' || echo 'pz-info shows no metrics'
[ "$(grep -c -e '^hits_at_1_percent  *[0-9.]*  *[0-9.]*$' -e 'test attributes$' table)" = 2 ] ||
    { echo table:; cat table; }

# The same bytes for any number of threads.
pz-train -q "$@" -r aws-item-affinity -o one.model --no-eval --threads 1 >/dev/null
pz-train -q "$@" -r aws-item-affinity -o three.model --no-eval --threads 3 >/dev/null
cmp one.model three.model

# Users, best first; a filter on users; columns of users.
pz-recommend -g shop -S fans -n 20 i7 >all
[ "$(wc -l <all)" = 20 ] || echo 'not 20 users'
sort -t "$(printf '\t')" -k 3,3gr -s all | cmp -s - all || echo 'not best first'
cut -f 2 all | grep -vq '^u' && echo 'not users'
pz-recommend -g shop -S fans -n 200 --metadata MEMBERSHIP i7 >columns
kind=$(sed -n 1p columns | cut -f 4)
awk -F '\t' -v kind="$kind" '$4 == kind' columns >want
pz-recommend -g shop -S fans -n 200 --metadata MEMBERSHIP \
    -F "INCLUDE UserID WHERE Users.MEMBERSHIP IN (\"$kind\")" i7 | cmp -s - want ||
    echo 'the filter on users differs'
pz-recommend -g shop -S fans -F 'INCLUDE ItemID WHERE Items.PRICE < 9' i7 2>err
[ $? = 2 ] || echo 'a filter on items is taken'
grep -q 'UserID is wanted here' err || cat err

# Batch lines as AWS has them.
printf '%s\n' '{"itemId": "i7"}' '{"itemId": "no-such"}' '{"userId": "u1"}' \
    '{"itemAttributes": "ITEMS.PRICE = 1"}' | pz-recommend -q -g shop -S fans -n 2 >lines
users=$(sed 2q all | cut -f 2 | sed 's/.*/"&"/' | paste -sd, -)
sed -n 1p lines | grep -Fqx "{\"input\":{\"itemId\":\"i7\"},\"output\":{\"usersList\":[$users]},\"error\":null}" ||
    { echo 'a line:'; sed -n 1p lines; }
sed 1d lines | jq -e -s '.[0].error == "line 2: item '"'no-such'"' is not in the model" and
    all(.[]; .output == null)' >/dev/null || { echo lines:; cat lines; }
# An unknown item has no answer in text either, and no part in the others' answers.
pz-recommend -g shop -S fans -n 2 no-such i7 >out 2>err || echo 'an unknown item ends the run'
head -n 2 all | cmp -s - out || { echo 'beside an unknown item:'; cat out; }
grep -q "line 1: item 'no-such' is not in the model" err || { echo 'an unknown item:'; cat err; }
pz-recommend -q --strict -g shop -S fans -n 2 no-such >out
[ $? = 1 ] || echo 'an unknown item does not count'

# Attributes: of both kinds at once fewer items, so that less is expected.
expr='ITEMS.CATEGORY_L1 = "garden"'
pz-recommend -g shop -S lovers -n 1000 "$expr" | cut -f 2,3 | sort >one
pz-recommend -g shop -S lovers -n 1000 "$expr AND items.category_l2 = \"pots\"" | cut -f 2,3 | sort >two
join one two | awk '$3 > $2 {print "more of fewer: " $0} END {if (NR < 100) print "too few users"}'
printf '{"itemAttributes": "ITEMS.CATEGORY_L1 = \\"garden\\""}\n{"itemAttributes": "ITEMS.NO = 1"}\n{"itemId": "i7"}\n' |
    pz-recommend -q -g shop -S lovers -n 3 >lines
jq -e -s '.[0].input.itemAttributes == "ITEMS.CATEGORY_L1 = \"garden\"" and
    (.[0].output.usersList | length) == 3 and
    (.[1].error | startswith("line 2: the model has learned no attribute")) and
    (.[2].error | endswith("needs \"itemAttributes\""))' lines >/dev/null || cat lines
# Values that no item has, and values that no item has together; wrong operands.
printf '%s\n' 'ITEMS.CATEGORY_L1 = "gardn"' "$expr AND ITEMS.CATEGORY_L1 = \"home\"" "$expr" |
    pz-recommend --json -g shop -S lovers -n 3 >nothing || echo 'no items end the run'
jq -e -s '(.[0].error | startswith("line 1: no item of the model has the attributes")) and
    (.[1].error | startswith("line 2: no item of the model has the attributes")) and
    all(.[0, 1]; .output == null) and (.[2].output.usersList | length) == 3' nothing \
    >/dev/null || cat nothing
pz-recommend -q --strict -g shop -S lovers 'ITEMS.CATEGORY_L1 = "gardn"'
[ $? = 1 ] || echo 'an unknown value does not count'
pz-recommend -q -g shop -S lovers -n 3 'ITEMS.PRICE > 3' "$expr" >out
[ $? = 3 ] || echo 'a wrong operand is nothing'
[ "$(wc -l <out)" = 3 ] || echo 'a wrong operand ends the run'
[ "$(echo "$expr" | pz-recommend --json -g shop -S lovers -n 3)" = "$(sed 1q lines)" ] ||
    echo 'text and JSON differ'
echo 'ITEMS.PRICE > 3' | pz-recommend -g shop -S lovers 2>err || echo 'a bad line ends the run'
grep -q 'warning: line 1: ' err || { echo 'a bad line:'; cat err; }

# Reasons are of the user's history.
pz-recommend -g shop -S fans -n 1 --explain i7 | awk -F '\t' 'NF != 5 || $5 <= 0 && NR == 1 {print}'

# What has no meaning.
for o in --history=i1 --rank=u1 --exclude-seen --promote=10:x; do
    pz-recommend -g shop -S fans "$o" i7 2>err
    [ $? = 2 ] || echo "$o is taken"
done
pz-eval -g shop -r aws-item-affinity --protocol loo 2>err
[ $? = 2 ] || echo "pz-eval holds out items of a segment"
exit 0
