#!/bin/sh
# The splits and scores behind the quality figures: worked examples, and a split made twice.
python=/usr/bin/python3
[ -x $python ] || python=python3
command -v $python >found || { echo "no python3"; exit 77; }
protocols() { $python "$PZ_SRC/tests/bench/protocols.py" "$@"; }

[ "$(protocols selftest)" = ok ] || echo "the self-test failed"

# Ten users, twenty items each; user k has the items from k on, of 25.
awk 'BEGIN { for (u = 1; u <= 10; u++) { printf "%d", u; for (i = u; i < u + 20; i++) printf " %d", i % 25; print "" } }' >seq
protocols strong a sequences seq --held 2 >counts || echo "strong failed"
protocols strong b sequences seq --held 2 >counts
cmp a/test.jsonl b/test.jsonl
[ "$(wc -l <a/test.truth.tsv)" -eq 8 ] || echo "strong: a fifth of two users' 20 items is not 8"
[ "$(wc -l <a/train.csv)" -eq 121 ] || echo "strong: not six users to learn from"
cut -f2 a/test.truth.tsv | while read -r item; do
    grep -q ",$item," a/train.csv || echo "strong: item $item of the truth is not in training"
done

# The truth itself is the best answer, in either format.
cp a/test.truth.tsv perfect
protocols score strong a/test.truth.tsv perfect | grep -v '=1\.000000$'
awk -F'\t' '{ if ($1 != u && NR > 1) print "{\"output\":{\"recommendedItems\":[" s "]}}"
    s = ($1 == u ? s "," : "") "\"" $2 "\""; u = $1 }
    END { print "{\"output\":{\"recommendedItems\":[" s "]}}" }' perfect >perfect.jsonl
protocols score strong a/test.truth.tsv perfect.jsonl | grep -v '=1\.000000$'

protocols aws c sequences seq --seed 3 >counts || echo "aws failed"
[ "$(wc -l <c/test.truth.tsv)" -eq 2 ] || echo "aws: a tenth of 20 rows is not 2"
head -n 1 c/test.truth.tsv | while read -r user item; do
    [ "$item" -eq $(((user + 18) % 25)) ] || echo "aws: the truth is not the newest"
done
exit 0
