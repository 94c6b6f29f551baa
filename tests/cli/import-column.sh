#!/bin/sh
# Columns under other names, in CSV and JSON lines, with a schema and without.
set -e
printf 'visitor,sku,at,what\nu1,i1,10,view\nu2,i2,20,buy\n' >log.csv
pz-import -g a -t interactions -c USER_ID=visitor -c item_id=SKU -c TIMESTAMP=at log.csv
pz-info -g a --export interactions
echo '{"visitor":"u1","sku":"i1","at":10,"what":"view"}
{"visitor":"u2","sku":"i2","at":20,"what":"buy"}' >log.jsonl
pz-import -q -g b -t interactions -c USER_ID=visitor -c item_id=sku -c TIMESTAMP=at log.jsonl
pz-info -g b --export interactions
echo '-- two that change places, with the schema that is there'
printf 'ITEM_ID,USER_ID,TIMESTAMP,what\nu3,i3,30,view\n' |
    pz-import -g a -t interactions -m incremental -c USER_ID=ITEM_ID -c ITEM_ID=USER_ID
pz-info -g a --export interactions | tail -n 1
echo '-- mistakes'
no() { pz-import -g c -t interactions "$@" log.csv 2>&1 || echo "status $?"; }
no
no -c USER_ID=visitors
no -c USER_ID=visitor -c ITEM_ID=visitor
no -c USER_ID=visitor -c USER_ID=sku
no -c USER_ID=visitor -c visitor=sku -c what=at -c ITEM_ID=what
no -c USER_ID
no -c what=at
[ ! -e c ] || ls c
