#!/bin/sh
# A dataset keeps its domain and its columns as long as it keeps its schema.
printf 'USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu1,i1,1600000000,View\nu2,i1,1600000001,Purchase\n' >some.csv
schema=$PZ_SRC/schemas/ecommerce-interactions.json
import() { pz-import -q -g shop -t interactions "$@" some.csv >done.txt || exit 1; }
is()
{
    pz-info --json shop/interactions.safetensors >info.json
    grep -q "\"domain\": *\"$1\"" info.json || echo "$2: not $1"
}
import --domain ecommerce -s "$schema"
is ECOMMERCE 'made'
import
is ECOMMERCE 'replaced by its own schema'
import -m incremental
is ECOMMERCE 'added to'
import -m incremental -s "$schema"
is ECOMMERCE 'added to with a schema'
import --domain video-on-demand
is VIDEO_ON_DEMAND 'another domain asked for'
import -s "$PZ_SRC/schemas/interactions.json"
is custom 'another schema'

# And leaves out, by name, what its schema does not have; a given schema decides silently.
head -n 3 some.csv | sed '1s/$/,PRICE,PLACE/; 2,$s/$/,1,x/' >more.csv
pz-import -g shop -t interactions more.csv >done.txt 2>err || exit 1
grep -q 'more\.csv: .*left out: EVENT_TYPE, PRICE, PLACE$' err || echo "left out: $(cat err)"
pz-import -g shop -t interactions -s "$PZ_SRC/schemas/interactions.json" more.csv >done.txt 2>err
[ ! -s err ] || echo "with a schema: $(cat err)"
exit 0
