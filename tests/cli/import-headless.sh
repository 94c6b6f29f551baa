#!/bin/sh
# CSV without a header: --header has the names; lines count from the first row.
set -e
show() { pz-info -g a --export interactions; rm -r a; }
printf 'u1\ti1\t3\t10\nu2\ti,2\t5\t20\n' >one.tsv
printf 'u3\ti3\t1\t30\n' | gzip >two.tsv.gz
set -- -t interactions --header USER_ID,ITEM_ID,RATING,TIMESTAMP
pz-import -g a "$@" one.tsv two.tsv.gz
show
echo '-- other names, a column that is not needed'
pz-import -g a -t interactions --header who,ITEM_ID,,TIMESTAMP -c USER_ID=who one.tsv 2>&1
show
echo '-- many chunks, the delimiter given'
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "u%d;i%d;%d\n", i % 97, i % 1009, i }' >many.csv
pz-import -q -g a -t interactions -d ';' --header USER_ID,ITEM_ID,TIMESTAMP many.csv
pz-info -g a --export interactions | sed 1d | sort >got
rm -r a
tr ';' , <many.csv | sort | cmp - got
echo '-- rejects'
printf 'u1,i1,10\nu2,i2,x\n' >bad.csv
pz-import -g a -t interactions --header USER_ID,ITEM_ID,TIMESTAMP --rejects rejects.csv bad.csv 2>&1
cat rejects.csv
rm -r a
echo '-- mistakes'
no() { pz-import -g a -t interactions "$@" 2>&1 || echo "status $?"; }
no one.tsv
no --header USER_ID,ITEM_ID,TIMESTAMP one.tsv
no --header USER_ID,ITEM_ID,RATING,TIMESTAMP bad.csv
no --header USER_ID,ITEM_ID,TIMESTAMP bad.csv
no --header '' one.tsv
echo '{"USER_ID":1}' | no --header USER_ID
printf '' | no --header USER_ID,ITEM_ID,TIMESTAMP
