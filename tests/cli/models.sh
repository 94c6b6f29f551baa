#!/bin/sh
# Each model of aws-user-personalization alone: the same bytes for any number of threads,
# answers to users of the group and to a history of one's own, exact reasons.
set -u
make-shop . --users 150 --items 60 --days 40 2>/dev/null || exit
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit

for model in ials next rules ease rp3beta cheby; do
    for n in 1 3; do
        pz-train -q -g shop -r aws-user-personalization -p model=$model --no-eval \
            -p hidden_dimension=32 -o "$model$n.safetensors" --threads $n >/dev/null
    done
    cmp "${model}1.safetensors" "${model}3.safetensors"
    echo "$model: $(pz-recommend -m "${model}1.safetensors" -n 5 u1 u2 u3 | wc -l) items," \
        "$(pz-recommend -m "${model}1.safetensors" -n 4 --history i1,i2 | wc -l) for a history"
    # Reasons are exact: the log of a probability goes by their sum, with one slope.
    pz-recommend -m "${model}1.safetensors" -n 3 --exclude-seen --explain --json u2 |
        jq -r '.output | [.scores, [.explanation[].rawScore]] | transpose
            | [((.[0][0] / .[1][0] | log) / (.[0][1] - .[1][1])),
               ((.[1][0] / .[2][0] | log) / (.[1][1] - .[2][1]))]
            | if (.[0] / .[1] - 1 | fabs) < 0.01 then "reasons agree" else . end'
done

echo '== neighbours instead of the closed form'
pz-train -q -g shop -r aws-user-personalization -p model=ease -p ease_neighbours=10 --no-eval \
    -o near.safetensors >/dev/null
pz-info near.safetensors --json | jq -r '.tensors[]? | select(.name | startswith("ease.")) | .name' | sort
echo '== of two items in a history, both have a say'
pz-recommend -m cheby1.safetensors -n 1 --history i1,i2 --explain | cut -f 4 | sort
echo '== a blend by hand, and updated'
train() { pz-train -q -g shop -r aws-user-personalization --no-eval "$@"; }
for n in 1 3; do
    train -p blend_ease=0.6 -p blend_next=1.5 -p hidden_dimension=32 -o hand$n.safetensors --threads $n >/dev/null
done
cmp hand1.safetensors hand3.safetensors
told() { pz-info "$1" --json | jq -rc '.metadata | [."train.parts", ."train.weights", ."train.weight.next", ."train.weight.ease"]'; }
told hand1.safetensors
train -S hand -p blend_ease=0.6 -p blend_next=1.5 >/dev/null
told "$(pz-train -q -g shop -S hand --mode update)"
train -v -p blend_recent=1 -p blend_rules=0.5 -o v.safetensors 2>&1 | grep -c 'rules alone: .* weight 0.50$'
pz-eval -q -g shop -r aws-user-personalization:blend_ease=1,aws-user-personalization:model=ease -p learn_repeats=False --metrics ndcg@25 --baseline first |
    cut -f 3 | sed 1d | uniq | wc -l # ease alone is ease, however it is said
train -p blend_ease=0.6 -p model=next
echo "status $?"
train -p blend_eas=0.6 2>&1 | cut -c 1-110
train -p blend_ease=-1
echo '== a value out of range'
pz-train -q -g shop -r aws-user-personalization -p ease_dropout=1
echo "status $?"
pz-train -q -g shop -r aws-user-personalization -p model=svd
echo "status $?"
exit 0
