#!/bin/sh
# pz-train: versions and their names, the same bytes every time, JSON, and files of one's own.
set -u
make-shop . --users 150 --items 60 --days 40 2>/dev/null || exit
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit
pz-import -q -g shop -t items items.csv >/dev/null || exit

echo '== a version, and a second one in the same second'
pz-train -q -g shop -r aws-sims -S similar
pz-train -q -g shop -r arn:aws:personalize:::recipe/aws-sims -S similar
PZ_NOW=0 pz-train -q -g shop -r aws-sims -S similar
PZ_NOW=1735689601 pz-train -q -g shop -r aws-sims -S similar
PZ_NOW=1735689600 pz-train -q --no-eval -g shop -r aws-popularity-count

echo '== names do not end with two digits'
for n in 99 a100 a999 b1000; do
    : >"shop/models/similar/20250101T000001Z_$n.safetensors"
    pz-train -q --no-eval -g shop -r aws-sims -S similar
done
ls shop/models/similar >names
sort names | cmp - names
: >shop/models/similar/20250101T000001Z_zz.safetensors
pz-train -q --no-eval -g shop -r aws-sims -S similar
echo "a foreign name in the way: $?"
rm shop/models/similar/20250101T000001Z_*

echo '== nothing but models, the catalogue and locks was added'
find shop -name '*.lock' -o -path '*models/*' -type f | sort

echo '== the same bytes for any number of threads and any order of the rows'
for n in 1 2 3; do
    pz-train -q -g shop -r aws-sims -o "t$n.safetensors" --threads $n
done
{ sed 1q interactions.csv; sed 1d interactions.csv | sort -t, -k3,3r -k2,2; } >other.csv
pz-import -q -g other -t interactions other.csv >/dev/null
pz-import -q -g other -t items items.csv >/dev/null
pz-train -q -g other -r aws-sims -o t4.safetensors
for n in 2 3 4; do
    cmp t1.safetensors t$n.safetensors
done
# A version knows the group's events besides; what was learned is the same.
tensors() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
tensors t1.safetensors >t1.body
tensors shop/models/similar/20250101T000000Z.safetensors | cmp t1.body -
pz-train -q -g shop -r aws-sims -o t5.safetensors --seed 1
cmp -s t1.safetensors t5.safetensors || echo 'another seed, other metrics'
find other -path '*models*'

echo '== JSON'
pz-train -q -g shop -r aws-sims -S as-json --json -p neighbours=7 --event-type Purchase=2 \
    --event-type View >result
sed -n 1p result
sed -n 2p result | jq -c '[.solution, .version, .recipe, .path, .params.neighbours,
    (.metrics | length), (.baseline | length), .testUsers > 0, .interactions > 0]'
echo '== metrics on standard error'
pz-train -g shop -r aws-popularity-count -o p.safetensors 2>err >out
sed 's/ *[0-9.]*$//; s/^[0-9]* test/N test/' err
pz-train -g shop -r aws-popularity-count --no-eval -o p.safetensors 2>err >out
cat err
exit 0
