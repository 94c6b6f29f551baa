#!/bin/sh
# pz-eval: what pz-train prints, every protocol, and figures that threads do not change.
"$PZ_SRC/tests/sample"
two='-g shop -r aws-user-personalization,aws-sims'

# Protocol aws is the test that pz-train makes.
pz-train -q -g shop -r aws-sims --json -o m.safetensors | tail -n 1 | sed 's/.*"metrics":{\([^}]*\)}.*/\1/' |
    tr ',' '\n' | sed 's/"coverage"/"coverage_at_25"/' | sort >trained
pz-eval -g shop -r aws-sims --baseline first --json | sed 's/.*"metrics":{\([^}]*\)}.*/\1/' | tr ',' '\n' | sort >tested
diff trained tested
[ "$(wc -l <trained)" -eq 8 ] || echo "not 8 metrics"

# shellcheck disable=SC2086
for run in "" "--draws 3" "--holdout last" "--valid" "--protocol loo" "--protocol loo --refit" "--protocol strong --draws 2" \
    "--protocol time" "--protocol time --cut 0.7 --seen hide" "--protocol split --valid"; do
    echo "# $run"
    pz-eval $two $run --threads 1 >one || echo "status $?"
    pz-eval $two $run --threads 3 >three
    cmp one three
    awk -F'\t' 'NR == 1 { print NF, $0 } NR > 1 { print $1, $2 }' one
done

# A truth that is what everybody gets: popularity finds it at once.
pz-recommend -g shop -S popular -n 1 u1 u2 u3 | cut -f 1,2 >truth.tsv
pz-eval -g shop -r aws-sims --protocol split --truth truth.tsv --seen keep --metrics hr@1,ndcg@5,map@2,recall@1 | head -n 2
{
    echo USER_ID,ITEM_ID
    tr '\t' , <truth.tsv
} | gzip >truth.csv.gz
pz-eval -g shop -r aws-sims --protocol split --truth truth.csv.gz --seen keep --metrics hr@1,ndcg@5,map@2,recall@1 | head -n 2

pz-eval -g shop -r aws-sims:shrinkage=0,aws-sims:neighbours=7 -p shrinkage=3 -p neighbours=9 --baseline first --json |
    jq -r '[.label, .params.shrinkage, .params.neighbours, .baseline] | @tsv'

# Mistakes.
for wrong in "-r nothing" "-r aws-sims:x=1" "-r aws-sims -p x=1" "-r aws-sims --protocol none" "-r aws-sims --metrics hr@0" \
    "-r aws-sims --metrics item_popularity@5" \
    "-r aws-sims --at 1,x" "-r aws-sims --protocol split" "-r aws-sims --protocol ncf" "-r aws-sims --protocol time --cut soon" "-r aws-sims --seen maybe" \
    "-r aws-sims --holdout all" "-r aws-sims --protocol loo --draws 2" "-r aws-sims --cut 0.5" "-r aws-sims --refit" \
    "-r aws-sims --truth truth.tsv" "-r aws-sims --negatives truth.tsv" "-r aws-sims --protocol time --holdout last" \
    "-r aws-sims --protocol loo --refit --valid" "-r aws-sims --protocol split --truth truth.tsv --valid" ""; do
    # shellcheck disable=SC2086
    pz-eval -g shop $wrong >out 2>err
    echo "$? $(wc -c <out) $(head -n 1 err | cut -c 1-46)"
done
printf 'u1\n' | pz-eval -g shop -r aws-sims --protocol split --truth - 2>&1
echo "$?"
pz-eval -g nowhere -r aws-sims 2>&1
echo "$?"
