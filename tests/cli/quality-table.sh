#!/bin/sh
# The table of `make quality`: pz-eval understands every row, and a bad row is found.
quality="$PZ_SRC/tests/bench/quality"
"$quality" --check
awk -F'\t' '!/^#/ { print NF, ($1 == "q" || $1 == "-") }' "$PZ_SRC/tests/bench/quality.tsv" | sort -u
printf 'q\tml-1m\t--protocol loo\taws-sims:nothing=1\thr@10\t-\t-\n' >bad.tsv
"$quality" --check --table bad.tsv | cut -c 1-80
printf 'q\tml-1m\t--protocol loo\taws-sims\n' >short.tsv
"$quality" --check --table short.tsv 2>&1
PZ_DATA=$PWD/nothing "$quality" --quick --only 'ml-1m --protocol loo' | sed "s|$PWD|.|"
