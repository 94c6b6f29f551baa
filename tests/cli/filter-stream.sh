#!/bin/sh
# shellcheck disable=SC2016,SC2002 # placeholders are not for the shell; cat is the pipe
# pz-filter on streams: what passes, in which form; each line printed is a broken promise or
# part of the output that is compared.
for need in pz-import pz-train pz-recommend pz-filter; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
f() { pz-filter -g shop "$@"; }
# same WHAT: the files one and two agree, and there is something in them.
same()
{
    cmp -s one two || { echo "$1:"; diff one two | head -n 4; }
    [ -s one ] || echo "$1: nothing came out"
}
# status WANTED WHAT COMMAND...
status()
{
    want=$1 what=$2
    shift 2
    "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || echo "$what: status $got, wanted $want: $(head -n 1 err)"
}

pz-recommend -g shop -S personal -n 120 <users.txt >all.tsv
cheap='INCLUDE ItemID WHERE Items.PRICE < 30'

# Against awk over the CSV, whose last column is quoted and third last the price.
sed -n 's/^\([^,]*\),.*,\([0-9.]*\),[0-9]*,"[^"]*"$/\1 \2/p' items.csv |
    awk '$2 < 30 {print $1}' >cheap.txt
awk -F '\t' 'NR == FNR {ok[$1]; next} $2 in ok' cheap.txt all.tsv >one
f "$cheap" <all.tsv >two
same 'prices'
f 'EXCLUDE ItemID WHERE Items.PRICE >= 30' <all.tsv >two
same 'EXCLUDE is the rest'
f 'EXCLUDE ItemID WHERE Items.PRICE >= $P' -V P=30 <all.tsv >two
same 'a placeholder'
f -n 3 "$cheap" <all.tsv >two
awk -F '\t' 'NR == FNR {ok[$1]; next} $2 in ok && n[$1]++ < 3' cheap.txt all.tsv >one
same '-n counts what is kept'

# What was bought.
awk -F, '$4 == "Purchase" {print $1 "\t" $2}' interactions.csv >bought.txt
awk -F '\t' 'NR == FNR {b[$1 "\t" $2]; next} !($1 "\t" $2 in b)' bought.txt all.tsv >one
f 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")' <all.tsv >two
same 'bought'
awk -F '\t' 'NR == FNR {b[$1 "\t" $2]; next} $1 "\t" $2 in b' bought.txt all.tsv >one
f 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("PURCHASE")' <all.tsv >two
same 'bought, turned around'

# JSON lines hold the same, in arrays that are as long.
if command -v jq >/dev/null; then
    pz-recommend -g shop -S personal -n 120 --json <users.txt | f "$cheap" >json
    jq -r '.input.userId as $u | .output | [.recommendedItems, .scores] | transpose[] |
        [$u, .[0]] | @tsv' json >two
    f "$cheap" <all.tsv | cut -f 1,2 >one
    same 'JSON lines'
    jq -e 'select((.output.scores | length) != (.output.recommendedItems | length))' json
    # Ids may stand in objects; a list without ids must not pass as it is.
    printf '%s\n' '{"input":{},"output":{"recommendedItems":[{"score":2,"itemId":"i1"},{"itemId":"i2"}],"n":[1,2]}}' |
        f 'EXCLUDE ItemID WHERE Items.ITEM_ID IN ("i1")'
    printf '%s\n' '{"input":{},"output":{"recommendedItems":["i1",5]}}' \
        '{"input":{},"output":{"recommendedItems":["i1",{"itemId":7}]}}' | f "$cheap"
fi

# From a file, a pipe, byte by byte; --user in place of the line's.
f "$cheap" <all.tsv >one
cat all.tsv | f "$cheap" - 2>/dev/null && echo 'two operands are taken'
cat all.tsv | dd bs=7 2>/dev/null | f "$cheap" >two
same 'a pipe'
f --user u1 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")' <all.tsv |
    awk -F '\t' '$1 == "u2" {print $2}' | sort >one
f 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")' <all.tsv |
    awk -F '\t' '$1 == "u1" {print $2}' | sort >two
same '--user'

# Items that nobody knows, escapes, other columns, lines in a row of one item.
printf 'u1\tnope\t1\nu1\ti1\t2\tx\ty\nu1\ti1\t3\nu\\t1\ti\\\\1\t4\n' >odd.tsv
echo '-- INCLUDE'
f 'INCLUDE ItemID WHERE Items.PRICE > 0' <odd.tsv
echo '-- EXCLUDE, one of each'
f -n 1 'EXCLUDE ItemID WHERE Items.PRICE > 1000' <odd.tsv
echo '-- explained'
f --explain 'EXCLUDE ItemID WHERE Items.PRICE > 20 AND Interactions.EVENT_TYPE NOT IN ("x") |
    EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($C)' <odd.tsv
echo '-- lines that are none'
printf 'no tab\nu1\ti1\t1\n' | f -q "$cheap"
cat >odd.jsonl <<'END'
{"input":{"userId":"u1"},"output":{"recommendedItems":["i1","i2", "nope"],"scores":[ 3, 2,1],"names":["a"]},"error":null}
{"input":{"userId":"u1"},"output":null,"error":"it had one"}
{"input":{"userId":"u1","filterValues":{"P":"1000"}},"output":{"recommendedItems":["i1","i2"]}}
{"input":{"itemId":"i1","filterValues":{"Q":"1"}},"output":{"recommendedItems":[]}}
{"output":{"x":[1,[2]],"recommendedItems":["i2"],"scores":[{"a":[]}]},"input":{}}
{"input": {"userId":
END
echo '-- JSON lines'
f -V P=30 'INCLUDE ItemID WHERE Items.PRICE < $P' <odd.jsonl
echo '-- strict'
f --strict "$cheap" <odd.jsonl >/dev/null 2>err
echo $?
: | f "$cheap" || echo 'nothing in is a mistake'

# Mistakes.
status 2 'no expression' pz-filter -g shop
status 2 'two operands' pz-filter -g shop a b
status 2 'no group' pz-filter "$cheap"
status 2 'a group that is not there' pz-filter -g none "$cheap"
status 3 'a wrong expression' pz-filter -g shop 'INCLUDE ItemID'
status 2 'no such filter' pz-filter -g shop nothing
status 2 '-V without =' pz-filter -g shop -V P "$cheap"
printf 'u1\ti1\n' >one.tsv
f "$cheap" -V X=1 <one.tsv 2>err; [ $? -eq 3 ] || echo 'a value for nothing is taken'
f 'INCLUDE ItemID WHERE Items.PRICE < $P' <one.tsv 2>err; [ $? -eq 3 ] || echo 'a missing value is taken'
f 'INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE | EXCLUDE ItemID WHERE
    Interactions.EVENT_TYPE IN ("*")' <one.tsv 2>err
[ $? -eq 2 ] || echo 'user and item from one id'
f --item i2 'INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE | EXCLUDE ItemID WHERE
    Interactions.EVENT_TYPE IN ("Nothing")' <one.tsv
f "$cheap" <all.tsv >/dev/full 2>err
[ $? -eq 5 ] || echo "a full disk: $(cat err)"
exit 0
