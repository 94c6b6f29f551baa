#!/bin/sh
# What a processor can do does not show: closed forms, graphs, rules and the softmax come out the
# same to the byte on all levels and for any number of threads; factors, whose sums are in
# another order, are as good.
set -u
make-shop . --users 60 --items 460 --days 30 2>/dev/null || exit # more items than a tile has
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit
train() { pz-train -q -g shop -r aws-user-personalization --no-eval "$@" >/dev/null; }
for model in next rules ease cheby rp3beta softmax; do
    set -- -p model=$model
    [ $model != softmax ] || set -- "$@" -p softmax_rounds=2 -p softmax_members=1
    PZ_CPU=scalar train "$@" --threads 1 -o want
    for as in scalar:2 avx2:1 avx2:3 avx512:2; do # what a machine lacks is done by the next best
        PZ_CPU=${as%:*} train "$@" --threads "${as#*:}" -o got
        cmp want got || echo "$model: $as"
    done
    echo "$model"
done
for cpu in scalar avx2 avx512; do
    PZ_CPU=$cpu pz-eval -q -g shop -r aws-user-personalization:model=ials --draws 2 --metrics ndcg@25 |
        sed -n 3p
done | awk -F '\t' '{ ndcg[++n] = $3; if ($3 < 0.1 || $3 > 1.01 * ndcg[1] || $3 < 0.99 * ndcg[1]) print "not so: " $0 }
    END { print "ials " n }'
exit 0
