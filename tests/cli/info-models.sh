#!/bin/sh
# Models in the description of a group, whole and cut off, and as files.
command -v pz-train >/dev/null || { echo "pz-train is not built"; exit 77; }
export PZ_NOW=1700000000
make-shop data --users 60 --items 30 --days 20 2>/dev/null || exit
pz-import -g shop -t interactions data/interactions.csv >out || exit
for recipe in aws-popularity-count aws-sims; do
    pz-train -q -g shop -r $recipe -S ${recipe#aws-} >out 2>err || { cat err; exit 1; }
done
mkdir shop/models/empty
models='.models[] | [.solution, .version, .recipe, .users, .trained, .seconds,
    (.metrics | has("coverage")), (.params | type)] | @tsv'
pz-info -g shop --json | jq -r "$models"
pz-info -g shop | grep -A 3 '^models'
pz-info shop/models/sims/*.safetensors | sed -n 's/^\(kind\|format\) .*/&/p; s/^  \(recipe\) .*/&/p'
pz-info --verify shop | grep -v group.db
echo "# one cut off, one that the catalogue does not know"
cp shop/models/sims/*.safetensors shop/models/sims/copy.safetensors
head -c 1000 shop/models/sims/copy.safetensors >shop/models/empty/cut.safetensors
pz-info -g shop --json >out
echo "status $?"
jq -r '.models[] | [.solution, .version, .recipe, .trained, .error] | @tsv' out |
    sed 's/damaged or .*/.../; s/not a safetensors file.*/.../'
pz-info --verify shop >out
echo "status $?"
cut -d: -f1,2 out
