#!/bin/sh
# The same data and seed make the same bytes: any threads, order of rows, compression, pipe
# or files, place and locale.
for t in pz-import pz-train pz-recommend; do
    [ -x "$PZ_BUILD/$t" ] || { echo "no $t is built"; exit 77; }
done
"$PZ_SRC/tests/sample" || exit
schema=schemas/shop-interactions.json
same() { cmp "$1" "$2" >difference || echo "$3: $(cat difference)"; }

import() { pz-import -q -t interactions -s $schema -g "$@" >out || echo "import $1: status $?"; }
import a --threads 1 interactions.csv
data=a/interactions.safetensors
import b --threads 4 interactions.csv
same $data b/interactions.safetensors '4 threads'
import c --memory 64K interactions.csv
same $data c/interactions.safetensors 'sorted on disk'
{
    head -n 1 interactions.csv
    sed 1d interactions.csv | awk '{print (NR * 7919) % 10007 "," $0}' | sort -n | cut -d, -f2-
} >shuffled.csv
import d shuffled.csv
same $data d/interactions.safetensors 'rows in another order'
import e <interactions.csv
same $data e/interactions.safetensors 'from a pipe'
gzip -k interactions.csv
import f interactions.csv.gz
same $data f/interactions.safetensors 'gzip'
half=$(($(wc -l <interactions.csv) / 2))
head -n $half interactions.csv >one.csv
{ head -n 1 interactions.csv; sed "1,${half}d" interactions.csv; } >two.csv
import g two.csv one.csv
same $data g/interactions.safetensors 'two files'
import h one.csv
import h --mode incremental two.csv
same $data h/interactions.safetensors 'full, then incremental'
LC_ALL=de_DE.UTF-8 import i interactions.csv
same $data i/interactions.safetensors 'another locale'

# Recipes that read the items need them; in another order they are the same.
{ head -n 1 items.csv; sed 1d items.csv | sort -r; } >reversed.csv
pz-import -q -t items -s schemas/shop-items.json -g a items.csv >out || echo "items: status $?"
pz-import -q -t items -s schemas/shop-items.json -g d --threads 3 reversed.csv >out ||
    echo "items: status $?"
same a/items.safetensors d/items.safetensors 'items in another order'
for group in a d; do
    for set in actions action-interactions; do
        pz-import -q -t $set -g $group $set.csv >out || echo "$set: status $?"
    done
done
for recipe in $(pz-train --list-recipes | grep -v "^aws-ecomm-\|^aws-vod-\|-v2[[:space:]]\|^aws-hrnn" | cut -f1); do
    pz-train -q -g a -r "$recipe" -o 1.model --threads 1 >out 2>err || { cat err; continue; }
    for threads in 2 3; do
        pz-train -q -g d -r "$recipe" -o $threads.model --threads $threads >out 2>err || cat err
        same 1.model $threads.model "$recipe with $threads threads"
    done
    # Users, items and attributes: what a recipe does not know is answered too, or bad.
    { sed 's/,.*//' users.csv items.csv; echo 'ITEMS.CATEGORY_L1 = "garden"'; } >ids
    pz-recommend -q -m 1.model --threads 1 <ids >1.tsv
    pz-recommend -q -m 1.model --threads 4 <ids >4.tsv
    same 1.tsv 4.tsv "$recipe: answers with 4 threads"
    rm -f ./*.model
done
exit 0
