#!/bin/sh
# Text in other encodings makes the same dataset as in UTF-8; bytes that are wrong are named.
set -e
if ! command -v iconv >/dev/null; then echo 'no iconv'; exit 77; fi
awk 'BEGIN { print "USER_ID\tITEM_ID\tTIMESTAMP\tNote"
    for (i = 0; i < 60000; i++) printf "ü%d\ti%d\t%d\t\"Größe %d €\nZeile\"\n", i % 97, i % 1009, i, i % 7 }' >utf8.txt
pz-import -q -g want -t interactions utf8.txt >/dev/null
pz-info -g want --export interactions >want.csv
same() { pz-info -g got --export interactions | cmp - want.csv; rm -r got; }
for e in UTF-16LE UTF-16BE UTF-32LE UTF-32BE; do
    echo "-- $e, with a mark"
    { printf '\357\273\277'; cat utf8.txt; } | iconv -f UTF-8 -t $e >file.txt
    pz-import -g got -t interactions file.txt
    same
done
echo '-- without, from a pipe, compressed'
iconv -f UTF-8 -t UTF-16LE utf8.txt | gzip | pz-import -q -g got -t interactions
same
echo '-- Windows-1252'
iconv -f UTF-8 -t WINDOWS-1252 utf8.txt >file.txt
pz-import -g got -t interactions file.txt 2>&1 || echo "status $?"
pz-import -g got -t interactions --encoding cp1252 file.txt
same
echo '-- a last character that could have joined with the next'
printf 'USER_ID,ITEM_ID,TIMESTAMP,Note\nu,i,1,\340' >hebrew.txt
pz-import -q -g got -t interactions --encoding WINDOWS-1255 hebrew.txt
pz-info -g got --export interactions
rm -r got
echo '-- two files, JSON lines'
printf '{"USER_ID":"ü","ITEM_ID":"i","TIMESTAMP":1}\n' | iconv -f UTF-8 -t UTF-16 >a.jsonl
printf '{"USER_ID":"v","ITEM_ID":"i","TIMESTAMP":2}\n' >b.jsonl
pz-import -g got -t interactions a.jsonl b.jsonl
pz-info -g got --export interactions
rm -r got
echo '-- mistakes'
no() { pz-import -g got -t interactions "$@" 2>&1 || echo "status $?"; }
no --encoding nonsense utf8.txt
no --encoding ASCII utf8.txt
printf '\377\376U\000S\000E\000R\000,\000\n\000\000\330x\000' >half.txt
no half.txt
printf '\377\376U\000S\000E\000R\000,' >odd.txt
no odd.txt
printf '\377\376' >mark.txt
no mark.txt
