#!/bin/sh
# Numbers as people write them.
set -e
cat >de.csv <<'EOF'
ITEM_ID;Preis;Menge;Kurs;Text
a;1.234,50;1.000;-0,5;1,2,3
b;12;2;1 234,5;x
c;;;1e3;y
EOF
show() { pz-info -g "$1" --export items; }
echo '-- a hint'
pz-import -g a -t items de.csv 2>&1
echo '-- the schema that is there stays, unless it is inferred again'
pz-import -g a -t items --decimal , de.csv
show a
pz-import -g a -t items --decimal , --infer de.csv
show a
pz-info -g a --schema items | tr '{' '\n' | grep -E 'Preis|Menge|Kurs|Text'
echo '-- the same from JSON lines, where a number is a number'
printf '%s\n' '{"ITEM_ID":"a","P":"1.234,5","Q":1.234}' '{"ITEM_ID":"b","P":"2","Q":2.5}' |
    pz-import -g b -t items --decimal ,
show b
echo '-- English and Swiss marks'
printf "ITEM_ID,P,Q\na,\"1,234,567.25\",1'234.5\nb,5,-1\n" | pz-import -g c -t items --decimal .
show c
echo '-- a value behind the sample makes the column wider'
awk 'BEGIN { print "ITEM_ID;P"; for (i = 0; i < 20000; i++) printf "i%d;%d\n", i, i; print "x;7,5" }' >late.csv
pz-import -q -g d -t items --decimal , late.csv
show d | tail -n 1
echo '-- mistakes'
no() { pz-import -g a -t items "$@" de.csv 2>&1 || echo "status $?"; }
no --decimal ';'
no --infer -m incremental
no
no --decimal .
