#!/bin/sh
# Options that would change nothing beside the others are refused, each by its name; what
# does change something beside them is taken.
# shellcheck disable=SC2016,SC2086 # placeholders; words of an option
"$PZ_SRC/tests/sample" || exit
truth=truth.tsv
printf 'u1\ti1\n' >$truth
printf 'u1\ti1\t1\n' >ranked.tsv
: >events.jsonl
cheap='INCLUDE ItemID WHERE Items.PRICE < $MAX'
pz-filter -g shop --save cheap "$cheap"
pz-recommend -g shop -S personal --log shown.jsonl u1 >out
# The first line of standard error behind the command, and the status unless it is 2.
no()
{
    "$@" </dev/null >out 2>err
    status=$?
    [ $status -eq 2 ] || echo "status $status: $*"
    [ ! -s out ] || echo "writes: $*"
    sed 's/^/  /;q' err
}
yes() { "$@" <ranked.tsv >out 2>err || echo "status $?: $*: $(head -n 1 err)"; }

echo '-- pz-import'
for o in '-m full' '-m incremental' '--domain custom' '--timestamp-unit s' '--memory 1G' --strict '-t users'; do
    no pz-import -g shop --forget $o u1
done
echo '{"USER_ID":"u1","ITEM_ID":"i1","TIMESTAMP":1}' >rows.jsonl
no pz-import -g g -t interactions -d ';' rows.jsonl
no pz-import -g g -t interactions --header A rows.jsonl
echo '-- pz-event'
no pz-event -g shop --compact --batch 3
no pz-event -g shop --attribution --batch 3
no pz-event -g shop --create-tracker a --batch 20000
no pz-event -g shop --attribution --json
no pz-event -g shop --list-trackers --compact
no pz-event -g shop --older-than 1d events.jsonl
no pz-event -g shop --window 15m events.jsonl
no pz-event -g shop --list-trackers events.jsonl
yes pz-event -g shop --create-tracker web --json
jq -r '.name, (.trackingId | length)' out
yes pz-event -g shop --list-trackers --json
yes pz-event -g shop --compact --older-than 1d --json
echo '-- pz-info'
no pz-info -g shop shop/items.safetensors
no pz-info -g shop --verify shop
no pz-info -g shop --audit u1 --export items
no pz-info -g shop --source put
PZ_GROUP=shop yes pz-info shop/items.safetensors
yes pz-info -g shop --export items --source put --json
echo '-- pz-recommend'
no pz-recommend -g shop -S personal --window 5 u1
no pz-recommend -g shop -S similar --exclude-seen i1
no pz-recommend -g shop -S similar --history i1 i2
no pz-recommend -g shop -S personal -V MAX=3 u1
yes pz-recommend -g shop -S personal --window 5 -F cheap -V MAX=30 u1
yes pz-recommend -g shop -S personal --rank i1,i2,i3 --history i3 --promote '50:INCLUDE ItemID WHERE Items.PRICE < 30' u1
echo '-- pz-filter'
no pz-filter -g shop --check --window 3 cheap
no pz-filter -g shop --check --explain -n 3 cheap
no pz-filter -g shop --list --strict
no pz-filter -g shop --save x --json "$cheap"
no pz-filter -g shop --save x --check "$cheap"
no pz-filter -g shop --delete cheap -V MAX=3
yes pz-filter -g shop --check --explain --window 3 --user u1 -V MAX=20 cheap
yes pz-filter -g shop --check -V MAX=20 cheap
pz-filter -g shop --check -V MAX=dear cheap
echo "status $?"
echo '-- pz-train'
no pz-train --list-recipes -S x
no pz-train --list-recipes --json
no pz-train -g shop -r aws-sims --shown shown.jsonl -S x
no pz-train -g shop --auto -r aws-user-personalization,aws-sims --objective PRICE:LOW
no pz-train -g shop --auto -p shrinkage=1
no pz-train -g shop --mode update -S personal --hpo-metric coverage
no pz-train -g shop -r aws-user-personalization --time-budget 2 -p time_budget=3
yes pz-train -q -g shop -r aws-user-personalization --shown shown.jsonl -S x --no-eval
yes pz-train -q -g shop --mode update -S x --shown shown.jsonl --no-eval --json
echo '-- pz-eval'
for o in '-p shrinkage=3' '--protocol aws' '--baseline first' '--by history' '--html x' '--event-type View' \
    '--valid' '--draws 2' '--holdout newest' '--cut 0.5' '--seen keep' '--objective PRICE:LOW' '-g shop'; do
    no pz-eval --truth $truth $o ranked.tsv
done
yes pz-eval --truth $truth --at 1,2 --metrics ndcg --intervals --json ranked.tsv
yes pz-eval --truth $truth --per-user users.out --seed 3 --threads 1 ranked.tsv
model=$(echo shop/models/personal/*)
for o in '--event-type View' '--exclude items.PRICE' '--event-value-threshold 1' '--objective PRICE:LOW' '-g shop' '--draws 2'; do
    no pz-eval -m "$model" --protocol split --truth $truth $o
done
no pz-eval -g shop -r aws-sims --by history --intervals
no pz-eval -g shop -r aws-sims --at 3 --metrics ndcg@3,mrr@5
no pz-eval -g shop -r aws-sims --cut 0.8
yes pz-eval -q -g shop -r aws-sims --by history --intervals --json
yes pz-eval -q -g shop -r aws-sims --at 3 --metrics ndcg,mrr@5
echo '-- pz-serve'
no pz-serve --root . -g shop
no pz-serve -g shop --log-format json
no pz-serve -g shop --max-skew 3
