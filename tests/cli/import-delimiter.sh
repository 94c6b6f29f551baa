#!/bin/sh
# CSV with another delimiter: the same dataset as with commas, and commas are data.
set -e
"$PZ_SRC/tests/sample" csv >/dev/null 2>&1
columns=$(head -n 1 csv/interactions.csv)
for c in ';' '|' tab; do
    char=$c
    [ "$c" != tab ] || char=$(printf '\t')
    rm -rf other
    tr , "$char" <csv/interactions.csv |
        pz-import -q -g other -t interactions -d "$c" >/dev/null
    pz-info -g other --export interactions | head -n 1 | grep -qx "$columns"
    pz-info -g other --export interactions >other.csv
    pz-import -q -g plain -t interactions csv/interactions.csv >/dev/null
    pz-info -g plain --export interactions | cmp - other.csv
done
echo '-- quotes, commas and a carriage return'
printf 'USER_ID;ITEM_ID;TIMESTAMP;NOTE\r\nu;"a;""b";3;x,y\r\nv;c;4;"q, w"\r\n' >semi.csv
pz-import -g semi -t interactions --delimiter ';' semi.csv
pz-info -g semi --export interactions
echo '-- several threads and pieces'
awk 'BEGIN { print "USER_ID|ITEM_ID|TIMESTAMP|NOTE"
    for (i = 0; i < 99999; i++) printf "u%d|i%d|%d|\"a|%d\"\n", i % 97, i % 1009, i, i % 7 }' >many.csv
pz-import -q -g many -t interactions -d '|' many.csv
pz-info -g many --export interactions | sed 1d | sort >got
sed -e 1d -e 's/"//g' -e 's/|/,/1' -e 's/|/,/1' -e 's/|/,/1' many.csv | sort | cmp - got
echo '-- found in the header'
for c in ';' '|' '\t'; do
    rm -rf other
    # shellcheck disable=SC2059 # the text is a format
    printf "USER_ID${c}ITEM_ID${c}TIMESTAMP${c}\"X, Y\"\nu${c}a,b${c}3${c}x\n" | pz-import -q -g other -t interactions
    pz-info -g other --export interactions
done
echo '-- mistakes'
no() { pz-import -g c -t interactions "$@" 2>&1 || echo "status $?"; }
no -d , semi.csv
no -d tab semi.csv
no -d ';' csv/interactions.csv
printf 'USER_ID;ITEM,ID;TIMESTAMP\nu;i;3\n' >comma.csv
no comma.csv
no -d ';;' semi.csv
no -d '"' semi.csv
no -d a semi.csv
no -d '' semi.csv
[ ! -e c ] || ls c
