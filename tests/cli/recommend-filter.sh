#!/bin/sh
# pz-recommend --filter: pushed down, it must give what filtering the whole ranking gives.
# shellcheck disable=SC2016,SC2086,SC2129 # filters hold $; names have no blanks
for need in pz-import pz-train pz-recommend pz-filter; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
r() { pz-recommend -g shop "$@"; }
wants() { want=$1; shift; "$@" >out 2>err; got=$?; [ $got -eq "$want" ] || echo "$got, wanted $want: $* $(cat err)"; }
says() { grep -q "$1" err || echo "not said: $1, but: $(cat err)"; }

# The push-down list is the prefix of the filtered full ranking, and it is full.
# prefix SOLUTION N EXPR [OPTION]...
prefix()
{
    s=$1 n=$2 expr=$3
    shift 3
    ids=users.txt
    [ $s = similar ] && ids=items.txt
    r -S $s -n 1000 <$ids | pz-filter -g shop -n "$n" "$@" "$expr" >one
    r -S $s -n "$n" -F "$expr" "$@" <$ids >two
    cmp -s one two || { echo "$s, $expr:"; diff one two | head -n 4; }
    [ -s two ] || echo "$s, $expr: nothing came out"
}
seq -f 'i%g' 1 20 >items.txt
printf 'stranger\nu100\n' >>users.txt
bought='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")'
for s in personal popular similar; do
    prefix $s 7 'INCLUDE ItemID WHERE Items.PRICE < 30'
    prefix $s 7 'EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("toys","books")'
    prefix $s 1000 'INCLUDE ItemID WHERE Items.PRICE < $MAX AND Items.CATEGORY_L1 IN ($C)' \
        -V MAX=60 -V 'C="toys","books"'
done
for s in personal popular; do
    prefix $s 7 "$bought"
    prefix $s 7 "INCLUDE ItemID WHERE Items.PRICE >= 20 | $bought"
    prefix $s 7 "$bought" --window 1
    prefix $s 7 'EXCLUDE ItemID WHERE Items.PRICE > 20 IF CurrentUser.AGE < 40'
done
prefix similar 5 'INCLUDE ItemID WHERE Items.CATEGORY_L1 IN CurrentItem.CATEGORY_L1'
n=$(r -S personal -n 7 -F 'INCLUDE ItemID WHERE Items.PRICE < 60' <users.txt | wc -l)
[ "$n" -eq $((7 * $(wc -l <users.txt))) ] || echo "$n items, 7 each wanted"

# Any number of threads, and bitmaps of more users than are kept at a time.
awk 'BEGIN {for (i = 0; i < 3000; i++) print "u" i % 230}' >many.txt
r -S personal -n 5 -F "$bought" --threads 1 <many.txt >one
r -S personal -n 5 -F "$bought" --threads 4 <many.txt >two
cmp one two

# A line's own values; a bad one spoils its line alone.
max='INCLUDE ItemID WHERE Items.PRICE < $MAX'
for m in 20 40 20; do echo "{\"userId\":\"u1\",\"filterValues\":{\"MAX\":\"$m\"}}"; done >in.jsonl
r -S personal -n 3 -F "$max" <in.jsonl | sed 's/.*recommendedItems":\[\([^]]*\).*/\1/; s/"//g' >one
for m in 20 40 20; do r -S personal -n 3 -F "$max" -V MAX=$m u1 | cut -f 2 | paste -sd, -; done >two
cmp one two
echo '{"userId":"u1"}' >>in.jsonl
echo '{"userId":"u1","filterValues":{"MAX":"cheap"}}' >>in.jsonl
echo '{"userId":"u1","filterValues":{"MIN":"1"}}' >>in.jsonl
echo '{"userId":"u1","filterValues":7}' >>in.jsonl
echo '{"userId":"u1","filterValues":{"MAX":30}}' >>in.jsonl
r -q -S personal -n 3 -F "$max" <in.jsonl | sed 's/.*"error"/"error"/'
echo '--'
r -S personal -n 3 -F "$max" -V MAX=90 <in.jsonl 2>/dev/null | sed -n 4p | cmp -s - /dev/null &&
    echo 'a value of all requests does not serve a line without one'

# Candidates: those that the model does not know are tested too.
r -S personal -F 'INCLUDE ItemID WHERE Items.PRICE < 30' --rank i1,i2,nowhere u1 | grep nowhere
r -S personal -F 'EXCLUDE ItemID WHERE Items.PRICE < 30' --rank i1,i2,nowhere u1 | grep -c nowhere

# By name, and mistakes.
pz-filter -q -g shop --save unbought "$bought"
r -S personal -n 5 -F unbought u1 >one
r -S personal -n 5 -F "$bought" u1 >two
cmp one two
wants 2 r -S personal -F nosuch u1
says unbought
wants 3 r -S personal -F 'INCLUDE ItemID WHERE Items.NOSUCH = 1' u1
says '^pz-recommend: filter:1:'
wants 3 r -S personal -F "$max" u1
says 'MAX'
wants 2 r -S personal -F 'INCLUDE UserID WHERE Users.AGE > 3' u1
says ItemID
wants 3 r -S personal --strict -F '(INCLUDE ItemID WHERE Items.PRICE < 3)' u1
wants 2 r -S personal -V MAX=3 u1
wants 2 r -S personal -F "$max" -V MAX u1
wants 3 r -S personal -F "$max" -V MAX=1 -V MIN=1 u1
echo '{"userId":"u1","filterValues":{"A":"1"}}' | r -q -S personal | grep -o '"error".*'
wants 2 pz-recommend -m shop/models/personal/*.safetensors -F "$bought" u1
says 'give the group'
wants 0 pz-recommend -g shop -m shop/models/personal/*.safetensors -F "$bought" u1

# Context: checked, and without effect.
wants 0 r -S personal -n 3 --context DEVICE=phone u1
r -S personal -n 3 u1 | cmp - out
wants 2 r -S personal --context NOSUCH=1 u1
wants 2 r -S personal --context DEVICE u1
echo '{"userId":"u1","context":{"DEVICE":"phone"}}' | r -S personal -n 1 | grep -o '"error".*'
exit 0
