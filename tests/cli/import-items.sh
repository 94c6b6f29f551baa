#!/bin/sh
# Items: the last record of an id counts, incremental imports replace, nulls and empty
# strings stay apart, and what went leaves no trace in the file.
set -e
cat >schema.json <<'J'
{"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","fields":[
 {"name":"ITEM_ID","type":"string"},
 {"name":"GENRES","type":["null","string"],"categorical":true},
 {"name":"PRICE","type":["null","float"]},
 {"name":"STOCK","type":"int"},
 {"name":"NEW","type":["boolean","null"]},
 {"name":"TITLE","type":"string"}],"version":"1.0"}
J
show() { pz-info -g g --export items; }
cat >a.csv <<'C'
ITEM_ID,GENRES,PRICE,STOCK,NEW,TITLE
i2,Drama|Crime,9.5,-3,true,"A ""quoted"", title"
i1,,,7,,
i2,Comedy,1e2, 70000 ,False,"later
line"
i10,Drama,0.1,0,0,"back\\slash \"esc\""
C
pz-import -g g -t items -s schema.json a.csv
show
echo '-- incremental'
printf 'PRICE,ITEM_ID,GENRES,STOCK,NEW,TITLE\n2.25,i10,War,1,,x\n,i3,,2,true,y\n' >b.csv
pz-import -g g -t items -m incremental b.csv
show
echo '-- the same as all at once'
cat >c.csv <<'C'
ITEM_ID,GENRES,PRICE,STOCK,NEW,TITLE
i3,,,2,true,y
i10,War,2.25,1,,x
i1,,,7,,
i2,Comedy,100,70000,false,"later
line"
C
pz-import -q -g once -t items -s schema.json c.csv >all.txt
cmp g/items.safetensors once/items.safetensors && echo same
grep -c 'Drama' g/items.safetensors || echo 'no trace'
echo '-- a wider schema, new columns allow null'
sed 's/{"name":"TITLE"/{"name":"COLOR","type":["string","null"]},&/' schema.json >wider.json
printf 'ITEM_ID,GENRES,PRICE,STOCK,NEW,TITLE,COLOR\ni4,,,2,true,y,red\n' |
    pz-import -g g -t items -m incremental -s wider.json
show
echo '-- one that lost a column'
sed '/"STOCK"/d' schema.json >less.json
cp g/items.safetensors before
pz-import -g g -t items -m incremental -s less.json c.csv 2>&1 || echo "status $?"
cmp before g/items.safetensors && echo untouched
