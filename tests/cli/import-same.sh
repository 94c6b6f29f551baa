#!/bin/sh
# One set of interactions, in every shape pz-import reads: always the same dataset file.
set -e
make-shop . --users 300 --items 80 --days 30 2>/dev/null
schema="$PZ_SRC/samples/schemas/shop-interactions.json"
want=want/interactions.safetensors
import()
{
    dir=$1
    shift
    rm -rf "$dir"
    pz-import -q -g "$dir" -t interactions -s "$schema" "$@" >"$dir.txt" || exit 1
    cmp "$want" "$dir/interactions.safetensors" && echo "$dir: the same"
}
pz-import -q -g want -t interactions -s "$schema" interactions.csv >/dev/null
head -n 1 interactions.csv >head.csv
tail -n +2 interactions.csv >rows.csv

import threads-1 --threads 1 interactions.csv
import threads-7 --threads 7 interactions.csv
import spilled --memory 64K interactions.csv
import spilled-3 --memory 100K --threads 3 interactions.csv
import stdin <interactions.csv
import dash - <interactions.csv
gzip -kc interactions.csv >i.csv.gz
zstd -qkc interactions.csv >i.csv.zst
import gz i.csv.gz
import zst i.csv.zst
import gz-stdin <i.csv.gz
{ cat head.csv; sort -r rows.csv; } >reversed.csv
import reversed reversed.csv
{ cat head.csv; sort -t, -k3 rows.csv; } >by-time.csv
import by-time by-time.csv
{ printf '\357\273\277'; sed 's/$/\r/' interactions.csv; } >dos.csv
import bom-and-crlf dos.csv
{ cat head.csv; head -n 1000 rows.csv; } >a.csv
{ cat head.csv; tail -n +1001 rows.csv; } >b.csv
import two-files a.csv b.csv
import two-files-swapped b.csv a.csv
{ cat interactions.csv; head -n 500 rows.csv; } >twice.csv
import duplicates twice.csv
sed 's/.*read, \(.*\) kept, \(.*\) duplicates.*/\2 duplicates/' duplicates.txt
awk -F, -v OFS=, '{ print $5, $4, "x", $3, $2, $1, $6 }' interactions.csv >columns.csv
import columns-permuted columns.csv
awk -F, 'NR == 1 { print tolower($0); next }
    { for (i = 1; i <= NF; i++) printf "\"%s\"%s", $i, i < NF ? "," : "\n" }
    ' interactions.csv >quoted.csv
import quoted quoted.csv
awk -F, 'NR > 1 { v = $5 == "" ? "null" : $5
    printf "{\"ITEM_ID\":\"%s\",\"USER_ID\":\"%s\",\"TIMESTAMP\":%s,", $2, $1, $3
    printf "\"EVENT_TYPE\":\"%s\",\"EVENT_VALUE\":%s,\"DEVICE\":\"%s\"}\n", $4, v, $6
    }' interactions.csv >i.jsonl
import json-lines i.jsonl
awk -F, -v OFS=, 'NR > 1 { $3 = $3 "789" } 1' interactions.csv >ms.csv
import milliseconds --timestamp-unit ms ms.csv
awk -F, -v OFS=, 'NR > 1 { $3 = $3 ".789" } 1' interactions.csv >fraction.csv
import fractions --timestamp-unit float fraction.csv

# In steps, the second with rows that are there already.
rm -rf steps
pz-import -q -g steps -t interactions -s "$schema" a.csv >/dev/null
pz-import -q -g steps -t interactions -m incremental twice.csv >/dev/null
cmp "$want" steps/interactions.safetensors && echo "steps: the same"
pz-info -g want --export interactions >export.csv
import export export.csv
