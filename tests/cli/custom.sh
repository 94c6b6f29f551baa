#!/bin/sh
# Recipes of one's own: a shared object and presets, found and refused.
set -u
"$PZ_SRC/tests/sample" >/dev/null
mkdir r
cc=${CC:-cc}
command -v "$cc" >/dev/null || { echo "no compiler"; exit 77; }
"$cc" -shared -fPIC -I"$PZ_SRC/libcore" -o r/fading-popularity.so \
    "$PZ_SRC/samples/recipes/fading-popularity.c" || exit
no() { "$@" 2>&1 || echo "status $?"; }
train() { no pz-train -q -g shop "$@" | sed 's|/[0-9TZ_]*\.safetensors||'; }

echo '-- a shared object'
PZ_RECIPE_PATH=/nowhere:r train -r fading-popularity -S fading -p halflife=7
export PZ_RECIPE_PATH=r
pz-recommend -g shop -S fading -n 5 u1 | cut -f 2,3 >got
# The same by awk: 2^-(age in days / 7), summed by item.
awk -F, 'NR > 1 { if ($3 > last) last = $3; t[NR] = $3; i[NR] = $2 }
    END { for (r in t) s[i[r]] += 2 ^ (-(last - t[r]) / 604800)
          for (k in s) printf "%s\t%.4f\n", k, s[k] }' interactions.csv |
    sort -t "$(printf '\t')" -k 2,2gr | head -n 5 >want
awk -F '\t' 'NR == FNR { want[$1] = $2; next }
    { d = $2 - want[$1]; if (d < -1e-3 || d > 1e-3) print "differs: " $0 } END { print FNR }' want got
train -r fading-popularity -p halflife=0
unset PZ_RECIPE_PATH
no pz-recommend -g shop -S fading u1 | sed "s|'[^']*safetensors'|MODEL|; s|, and .* has|, and PATH has|"

echo '-- a preset'
cp "$PZ_SRC/samples/recipes/new-to-me.json" r
train -r r/new-to-me.json
PZ_RECIPE_PATH=r train -r new-to-me -S mine -p hidden_dimension=32 --event-type View
pz-train --list-recipes -r ./r/new-to-me.json | head -n 6
model=$(ls shop/models/new-to-me/*)
pz-info "$model" | grep -E 'recipe|preset|filter' | tr -s ' '
# What it shows is what its recipe shows through the filter.
for u in u1 u6 u47 u90; do
    pz-recommend -g shop -S new-to-me "$u" | cut -f 2 >got
    grep "^$u," interactions.csv | awk -F, '$4 == "Purchase" { print $2 }' | sort -u >bought
    [ -s bought ] || echo "$u bought nothing"
    grep -cxFf bought got
done
pz-recommend -g shop -S new-to-me -n 3 -F 'EXCLUDE ItemID WHERE Items.PRICE > 20' \
    --metadata PRICE u1 | awk -F '\t' '$3 != "" || $4 > 20 { print "wrong: " $0 } END { print NR }'
no pz-recommend -g shop -S new-to-me -F 'EXCLUDE ItemID WHERE Items.PRICES > 20' u1 | head -n 1
pz-recommend -m "$model" -n 1 u1 2>&1 | cut -f 1

echo '-- listed'
mkdir first
echo '{"name":"twice","recipe":"aws-sims","summary":"the first one"}' >first/twice.json
echo '{"name":"twice","recipe":"aws-sims","summary":"the second one"}' >r/twice.json
echo '{"name":"other","recipe":"aws-sims"}' >r/bad.json
echo 'no library' >r/broken.so
echo 'not looked at' >r/README
PZ_RECIPE_PATH=/nowhere:first:r pz-train --list-recipes >list 2>err
pz-train --list-recipes | diff - list
cut -d ' ' -f 1-7 err
rm -r first r/twice.json r/bad.json r/broken.so r/README
echo '-- refused'
bad() { printf '%s' "$2" >"r/$1.json"; train -r "./r/$1.json" | head -n 1; }
bad p1 '{"name":"p1"}'
bad p2 '{"name":"p3","recipe":"aws-sims"}'
bad p3 '{"name":"p3","recipe":"no-recipe"}'
bad p4 '{"name":"p4","recipe":"aws-sims","hyperparameters":{}}'
bad p5 '{"name":"p5","recipe":"aws-sims","hyperParameters":{"shrinkage":[1]}}'
bad p6 '{"name":"p6","recipe":"aws-sims","hyperParameters":{"shrinkag":1}}'
bad p7 '{"name":"p7","recipe":"aws-sims","eventTypes":[{"type":"View","weight":-1}]}'
bad p8 '{"name":"p8","recipe":"aws-sims","eventTypes":["View"]}'
bad p9 '{"name":"p9","recipe":"aws-sims","scores":"no"}'
bad p12 '{"name":"p12","recipe":"aws-sims","filter":"INCLUDE ItemID WHERE Items.NOPE < 10"}'
bad p13 '{"name":"p13","recipe":"aws-sims","filter":"INCLUDE ItemID"}'
bad aws-sims '{"name":"aws-sims","recipe":"aws-sims"}'
bad p10 '["name"]'
bad p11 '{"name":"p11"'
printf 'no library' >r/lib.so
train -r ./r/lib.so | head -n 1
train -r ./r/none.json
printf 'int x;' >x.c && "$cc" -shared -fPIC -o r/x.so x.c && train -r ./r/x.so
printf 'struct { unsigned abi; } pz_recipe = {99};' >x.c &&
    "$cc" -shared -fPIC -o r/y.so x.c && train -r ./r/y.so

echo '-- compared'
printf '{"name":"wide","recipe":"aws-sims","hyperParameters":{"shrinkage":0}}' >r/wide.json
export PZ_RECIPE_PATH=r
pz-eval -g shop -r wide,aws-sims:shrinkage=0,fading-popularity --json >got.json 2>/dev/null || echo "status $?"
grep -o '"label":"[^"]*"' got.json
no pz-eval -g shop -r new-to-me

echo '-- served'
rm -f r/p*.json r/aws-sims.json r/lib.so r/x.so r/y.so
. "$PZ_SRC/tests/cli/serve.inc"
start -g shop
for domain in '' '"domain":"ECOMMERCE"'; do
    control ListRecipes "{$domain}" | grep -o '"name":"[^"]*"' |
        grep -E 'wide|fading-popularity|new-to-me|"aws-sims"|most-viewed|popular-items-by-views' | xargs
done
control DescribeRecipe '{"recipeArn":"arn:aws:personalize:::recipe/fading-popularity"}' | head -n 1
stop
