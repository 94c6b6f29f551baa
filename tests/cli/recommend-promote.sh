#!/bin/sh
# Promotions, columns of items, the log.
# shellcheck disable=SC2016,SC2086,SC2129 # filters hold $; names have no blanks
for need in pz-import pz-train pz-recommend pz-filter; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
r() { pz-recommend -g shop -S personal "$@"; }
wants() { want=$1; shift; "$@" >out 2>err; got=$?; [ $got -eq "$want" ] || echo "$got, wanted $want: $* $(cat err)"; }
toys='INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("toys")'
same() { cmp -s one two || { echo "$1:"; diff one two | head -n 4; }; [ -s one ] || echo "$1: nothing"; }

# The share, the best of the kind, and score order among themselves; the others as ever.
for p in 1 10 50 100; do
    r -n 10 --promote "$p:$toys" u1 >out
    n=$(awk -F '\t' '$4 == "promotion"' out | wc -l)
    want=$((10 * p / 100))
    [ $want -eq 0 ] && want=1
    [ "$n" -eq $want ] || echo "$p percent: $n promoted"
    [ "$(wc -l <out)" -eq 10 ] || echo "$p percent: $(wc -l <out) items"
    awk -F '\t' '$4 != "" {print $2, $3}' out >one
    r -n $want -F "$toys" u1 | awk -F '\t' '{print $2, $3}' >two
    same "$p percent: those promoted"
    [ $p -lt 100 ] || continue
    awk -F '\t' '$4 == "" {print $2}' out >two
    r -n 1000 u1 | cut -f 2 | grep -vxFf - /dev/null
    awk -F '\t' '$4 != "" {print $2}' out >promoted
    r -n 1000 u1 | cut -f 2 | grep -vxFf promoted | head -n $((10 - want)) >one
    same "$p percent: the others"
done
[ "$(cut -f 2 out | sort -u | wc -l)" -eq 10 ] || echo 'an item is shown twice'

# Places follow from seed and user.
r -n 10 --promote "30:$toys" --seed 1 u1 u2 u3 >one
r -n 10 --promote "30:$toys" --seed 1 u1 u2 u3 >two
same 'one seed'
r -n 10 --promote "30:$toys" --seed 1 u3 >two
grep '^u3' one >three
mv three one
same 'alone and beside others'
for s in 1 2 3 4 5 6; do r -n 10 --promote "30:$toys" --seed $s u1 | cut -f 4 | paste -sd, -; done |
    sort -u | wc -l >n
[ "$(cat n)" -gt 2 ] || echo 'seeds change nothing'

# Beside a filter: each looks at its own items. Fewer than asked for are as many as exist.
r -n 10 --promote "40:$toys" -F 'EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("toys")' \
    --metadata CATEGORY_L1 u5 | awk -F '\t' '($4 != "") != ($5 == "toys")'
r -n 1000 --promote '90:INCLUDE ItemID WHERE Items.PRICE < $P' -F 'INCLUDE ItemID WHERE Items.PRICE > $MIN' \
    -V P=8 -V MIN=60 u1 >out
awk -F '\t' '$4 != ""' out | wc -l >one
r -n 1000 -F 'INCLUDE ItemID WHERE Items.PRICE < 8' u1 | wc -l >two
same 'as many as exist'
r -n 10 --promote '50:INCLUDE ItemID WHERE Items.PRICE < 0' u1 | cut -f 1-3 >one
r -n 10 u1 >two
same 'none to promote'
pz-filter -q -g shop --save toys "$toys"
r -n 4 --json --promote 25:toys u1 | grep -o '"promotionNames.*null}'
echo '{"userId":"u1","itemList":["i1","i2"]}' | r --promote 50:toys | grep -o '"promotionNames":[^]]*.'
for bad in 0:toys 101:toys toys 5: x:toys 50:nosuch; do wants 2 r --promote $bad u1; done

# Columns.
pz-recommend -g shop -S popular -n 2 --metadata PRICE,category_l1 u1
pz-recommend -g shop -S popular -n 2 --metadata PRICE --json u1
r -n 2 --metadata PRICE --explain u1 | awk -F '\t' 'NF != 6'
wants 2 r --metadata NOSUCH u1
grep -q 'they have NAME' err || cat err
wants 2 pz-recommend -m shop/models/personal/*.safetensors --metadata PRICE u1

# The log holds what was shown.
r -n 3 --log log u1 u2 >out
r -n 3 --log log --json u3 >out.json
wc -l <log | sed 's/^ *//'
sed 's/.*"userId":"\([^"]*\)","recommendedItems":\[\([^]]*\)\].*/\1 \2/; s/"//g' log | head -n 2 >one
awk -F '\t' '{a[$1] = a[$1] (a[$1] == "" ? "" : ",") $2} END {for (u in a) print u, a[u]}' out |
    sort >two
same 'the log'
sed -n '3s/.*\(RID-[0-9a-f-]*\).*/\1/p' log >one
sed 's/.*\(RID-[0-9a-f-]*\).*/\1/' out.json >two
same 'the id in the answer'
grep -c '^{"recommendationId":"RID-[0-9a-f]\{8\}-[0-9a-f]\{4\}-4[0-9a-f]\{3\}-[0-9a-f]\{4\}-[0-9a-f]\{12\}","time":1735689600,' log
grep -o 'RID-[0-9a-f-]*' log | sort | uniq -d
wants 5 r --log /no/such/log u1
wants 5 r --log /dev/full u1
seq -f 'u%g' 1 2000 >many.txt
rm log
r -n 2 --threads 4 --log log <many.txt >out
wc -l <log | sed 's/^ *//'
exit 0
