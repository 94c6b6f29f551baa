#!/bin/sh
# Bad rows: none are allowed at first; --max-rejects and --rejects leave them aside, in the
# order of the input whatever the threads, and what was rejected can be imported later.
head='USER_ID,ITEM_ID,TIMESTAMP'
{
    echo "$head"
    seq 1 400000 | awk '{
        time = $1 % 100000 == 77 ? "x" $1 : 1600000000 + $1
        print "u" $1 % 997 ",i" $1 % 89 "," time }'
} >big.csv
exec 2>&1
pz-import -g g -t interactions big.csv; echo "status $?"
ls -A g
pz-import -g g -t interactions --max-rejects 2 big.csv; echo "status $?"
ls -A g
for threads in 1 4; do
    pz-import -g g -t interactions --threads $threads --rejects bad.csv big.csv 2>bad.txt
    cat bad.txt bad.csv
done
cp bad.csv kept.csv
pz-import -q -g g -t interactions --max-rejects -1 big.csv && echo 'quiet'
sed 's/,x/,1600/' bad.csv | pz-import -g g -t interactions -m incremental
printf '%s\nu1,i1,5\n' "$head" | pz-import -g g -t interactions --rejects none.csv
ls none.csv 2>/dev/null || echo 'no rejects, no file'
printf '%s\nu1,i1,no\n' "$head" | pz-import -g g -t interactions --rejects bad.csv; echo "status $?"
cmp bad.csv kept.csv && echo 'an import that fails leaves the file of an earlier one'
printf '%s\nu1,i1,5\n' "$head" | pz-import -g g -t interactions --rejects bad.csv
ls bad.csv 2>/dev/null || echo 'no rejects, no file any more'
printf '%s\nu1,i1,no\n' "$head" | pz-import -g g -t interactions --rejects all.csv; echo "status $?"
pz-import -g g -t interactions -m append big.csv; echo "status $?"
pz-import -g new -t interactions -m incremental big.csv; echo "status $?"
pz-import -t interactions big.csv; echo "status $?"
pz-import -g g big.csv; echo "status $?"
pz-import -g g -t films big.csv; echo "status $?"
pz-import -g g -t interactions nowhere.csv; echo "status $?"
