#!/bin/sh
# What was put: items and users out of the store, and back into another one.
printf 'ITEM_ID,TITLE,PRICE,NEW\na,x,1.5,true\nb,y,2,false\n' | pz-import -q -g shop -t items >out
pz-event -g shop -t items <<'END'
{"itemId":"b","title":"say \"x\", then | go","price":3.5}
{"itemId":"z\\\"","price":-0.25,"new":true,"title":"two\nlines"}
{"itemId":"b","title":"newest, of the same id","price":4,"new":false}
{"itemId":"é","title":""}
END
printf 'USER_ID,PLAN,AGE\nu0,tin,20\n' | pz-import -q -g shop -t users >out
pz-event -g shop -t users <<'END'
{"userId":"u2","plan":"gold","age":41}
{"userId":"u1","age":30}
END
for source in bulk put all; do
    echo "== items, $source"
    pz-info -g shop --export items --source $source
done
pz-info -g shop --export items --source put --json
echo "== users"
pz-info -g shop --export users --source put
pz-info -g shop --export users --source put --json
pz-info -g shop --export users --source all
echo "== actions: none"
pz-info -g shop --export actions --source put
echo "== back into another group"
mkdir again
cp shop/items.safetensors again
pz-info -g shop --export items --source put >put.csv
pz-event -g again -t items put.csv
pz-info -g again --export items --source put | cmp - put.csv && echo "the same by CSV"
mkdir json
cp shop/items.safetensors json
pz-info -g shop --export items --source put --json | pz-event -g json -t items
pz-info -g json --export items --source put | cmp - put.csv && echo "the same by JSON"
pz-event -g again --compact
pz-event -g shop --compact
cmp shop/items.safetensors again/items.safetensors && echo "and the same dataset"
pz-info -g shop --export items --source put
pz-info --export items --source put shop/items.safetensors 2>&1 | head -n 1
echo "== many columns"
awk 'BEGIN {printf "ITEM_ID"; for (i = 0; i < 300; i++) printf ",C%d", i; print ""
    printf "a"; for (i = 0; i < 300; i++) printf ",%d", i; print ""}' |
    pz-import -q -g wide -t items >out
echo '{"itemId":"b","c0":7,"c299":8}' | pz-event -q -g wide -t items
pz-info -g wide --export items --source put --json
