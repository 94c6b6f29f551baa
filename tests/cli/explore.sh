#!/bin/sh
# Answers that try new items: what they depend on, how they are marked, campaigns.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
# Five items that nobody has had.
(head -n 1 items.csv; for i in 1 2 3 4 5; do sed -n "$((i + 1))s/^[^,]*/new$i/p" items.csv; done) >new.csv
pz-import -q -g shop -t items --mode incremental new.csv >out || exit
rm -r shop/models/personal
pz-train -q -g shop -S tried -r aws-user-personalization --no-eval >out || exit
pz-train -q -g shop -S plain -r aws-user-personalization -p model=ials --no-eval >out || exit
r() { pz-recommend -g shop -S tried "$@"; }
wants() { want=$1; shift; "$@" >out 2>err; got=$?; [ $got -eq "$want" ] || echo "$got, wanted $want: $*"; }
same() { cmp -s one two || { echo "$1: differ"; diff one two | head -n 4; }; [ -s one ] || echo "$1: nothing"; }
differ() { cmp -s one two && echo "$1: the same"; }

for s in tried plain; do
    r -S $s -n 10 - <users.txt >one
    r -S $s -n 10 --exploration-weight 0 - <users.txt >two
    same "$s: none"
    cut -f 1,2 one >best
    r -S $s -n 10 --exploration-weight 0.6 - <users.txt >one
    r -S $s -n 10 --exploration-weight 0.6 --threads 3 - <users.txt >two
    same "$s: again"
    awk -F '\t' 'NF != 4 || ($4 != "" && $4 != "Exploration")' one
    awk -F '\t' '$4 != "" {print $1 "\t" $2}' one >explored
    [ -s explored ] || echo "$s: nothing is explored"
    grep -xFf explored best
    awk -F '\t' '$2 ~ /^new/ && $4 == ""' one
    cut -f 1-3 one >three
    r -S $s -n 1000 - <users.txt | sort >all
    sort three | comm -23 - all # scores stay what they are
done
w='--exploration-weight 0.6'
# shellcheck disable=SC2086 # an option and its value
{
    r -n 10 $w - <users.txt >one
    r -n 10 $w -m shop/models/tried/*.safetensors - <users.txt >two 2>/dev/null
    pz-recommend -n 10 $w -m shop/models/tried/*.safetensors - <users.txt >two
    same 'a file alone'
    id=$(sed -n 3p users.txt)
    r -n 10 $w "$id" >two
    grep "^$id	" one >three
    mv three one
    same 'alone and beside others'
    PZ_NOW=$((PZ_NOW + 40000)) r -n 10 $w "$id" >two
    same 'the same day'
    PZ_NOW=$((PZ_NOW + 86400)) r -n 10 $w "$id" >two
    differ 'the next day'
    r -n 10 $w --seed 7 "$id" >two
    differ 'another seed'
    r $w --rank new1,i1,i2,new2 "$id" | cut -f 1-3 >one
    r --rank new1,i1,i2,new2 "$id" >two
    same 'given candidates'
    r -n 60 $w --exploration-item-age-cut-off 1 "$id" >one
    awk -F '\t' '$4 != "" && $2 !~ /^new/ {print "older than a day: " $0}' one | head -n 3
    r -n 3 $w --exploration-item-age-cut-off 0.5 --json "$id" >/dev/null
    r -n 6 --exploration-weight 1 --json --log log "$id" >one.json
    jq -c '.output | [(.recommendedItems | length), (.reasons | length), (.reasons | flatten | unique)]' one.json
    jq -c '[.reasons | flatten | length]' log
    wants 2 pz-recommend -g shop -S similar $w i1
}
cat err
wants 2 r --exploration-item-age-cut-off 3 u1
cat err
wants 2 r --exploration-weight 1.5 u1

echo "# campaigns"
v=$(basename shop/models/tried/*.safetensors .safetensors)
add() { sqlite3 shop/group.db "INSERT INTO campaign VALUES ('$1', 'tried', '$v', '$2', 1, 1)"; }
add plainly '{}'
add all '{"itemExplorationConfig":{"explorationWeight":"1","explorationItemAgeCutOff":"2"}}'
add never '{"itemExplorationConfig":{"explorationWeight":"0"}}'
start -g shop
list()
{
    while read -r u; do
        curl -s "$url/recommendations" -H 'Content-Type: application/json' \
            -d '{"campaignArn":"'"$arn:campaign/$1"'","userId":"'"$u"'","numResults":8}' | jq -r "$2"
    done <users.txt
}
r -n 8 - <users.txt | cut -f 2 >one
list never '.itemList[].itemId' >two
same 'weight 0'
list tried '.itemList[].itemId' >two
same 'no campaign'
r -n 8 --exploration-weight 0.3 - <users.txt | cut -f 2 >one
list plainly '.itemList[].itemId' >two
same 'as trained'
r -n 8 --exploration-weight 1 --exploration-item-age-cut-off 2 - <users.txt | cut -f 2,4 >one
list all '.itemList[] | .itemId + "\t" + (.reason // [""])[0]' >two
same 'as configured'
stop
exit 0
