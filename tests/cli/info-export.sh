#!/bin/sh
# An export is imported to the same bytes, whatever the values are.
cat >items.json <<'END'
{"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","version":"1.0",
 "fields":[{"name":"ITEM_ID","type":"string"},
           {"name":"TITLE","type":["null","string"],"categorical":true},
           {"name":"PRICE","type":["null","double"]},
           {"name":"STOCK","type":"long"},
           {"name":"NEW","type":["null","boolean"]}]}
END
cat >items.csv <<'END'
ITEM_ID,TITLE,PRICE,STOCK,NEW
07,plain,1.10,0,true
7,"a, b",,9223372036854775807,false
7.0,"say ""x""",1e300,-9223372036854775808,
" lead",C:\dir,0.1,1,TRUE
"x,\\","\\\\",-0,2,0
"two
lines",é|ü,100,3,1
"""q",'',33.333333333333336,4,
END
pz-import -g a -t items -s items.json items.csv >out || exit
pz-info -g a --export items | tee out.csv
pz-info -g a --export items --json | tee out.jsonl
pz-info -g a --schema items >out.json
pz-import -g b -t items -s out.json out.csv >out && cmp a/items.safetensors b/items.safetensors
pz-import -g c -t items -s out.json out.jsonl >out && cmp a/items.safetensors c/items.safetensors
pz-info a/items.safetensors -x items | cmp - out.csv

make-shop data --users 40 --items 30 --days 20 2>/dev/null || exit
for type in interactions items users; do
    pz-import -g shop -t $type -s "$PZ_SRC/samples/schemas/shop-$type.json" data/$type.csv >out ||
        exit
    pz-info -g shop --export $type >$type.out || exit
    pz-info -g shop --schema $type >$type.json
    pz-import -g again -t $type -s $type.json $type.out >out || exit
    cmp shop/$type.safetensors again/$type.safetensors && echo "$type: the same"
done

echo "# a damaged file is not exported"
cp shop/users.safetensors bad
printf '\377' | dd of=bad bs=1 seek=$(($(wc -c <bad) - 1)) conv=notrunc 2>/dev/null
pz-info --export users bad 2>err
echo "status $? $(grep -c "damaged" err)"
echo "# nor to a full disk"
pz-info -g shop --export interactions 2>err >/dev/full
echo "status $?: $(cat err)"
