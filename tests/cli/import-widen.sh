#!/bin/sh
# A type that was inferred from the first rows and does not fit a later one.
set -u
awk 'BEGIN { print "USER_ID,ITEM_ID,TIMESTAMP,price,code,size"
    for (i = 1; i <= 12000; i++) {
        price = i == 11500 ? "2.5" : i; code = i == 11000 ? "A7" : i
        size = i == 11800 ? "1.5" : i
        printf "u%d,i%d,%d,%s,%s,%s\n", i % 50, i % 70, i, price, code, size } }' >log.csv
for threads in 1 2 3; do
    pz-import -g "g$threads" -t interactions --threads $threads log.csv || echo "status $?"
    pz-info -g "g$threads" --export interactions >"out$threads"
done
cmp out1 out2 && cmp out1 out3 && echo 'the same for any threads'
cmp g1/interactions.safetensors g3/interactions.safetensors && echo 'and its bytes'
sort log.csv >want && sort out1 | cmp - want && echo 'what came in comes out'
pz-info -g g1 | awk '$1 == "price" || $1 == "code" || $1 == "size" { print $1, $2 }'
pz-import -v -g told -t interactions log.csv 2>&1 | grep 'taken for' | cut -d : -f 2-
# Where it cannot be read again, or rows may be rejected, the first such row is named.
pz-import -g pipe -t interactions <log.csv 2>&1 || echo "status $?"
pz-import -q -g rejects -t interactions --max-rejects 1 log.csv 2>&1 || echo "status $?"
pz-import -q -g rejects -t interactions --max-rejects 9 log.csv
# The first fault of the input is told, whichever thread meets another before.
for k in 1 2 3 4; do
    { sed -n 1p log.csv | sed "s/size/size$k/"; sed -n "$((k * 7)),+4p" log.csv; } >part$k.csv
done
for _ in $(seq 60); do
    pz-import -g parts -t interactions --threads 4 log.csv part1.csv part2.csv part3.csv part4.csv 2>&1
done | sort -u
# Other faults are told as ever.
sed '11984s/,11983,/,noon,/' log.csv >bad.csv
pz-import -g bad -t interactions bad.csv 2>&1 || echo "status $?"
sed '10500s/^[^,]*,/,/' log.csv >bad.csv
pz-import -v -g bad -t interactions bad.csv 2>&1 | grep -v '^pz-import: inferred schema'
