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
echo '== a value out of range'
pz-train -q -g shop -r aws-user-personalization -p ease_dropout=1
echo "status $?"
pz-train -q -g shop -r aws-user-personalization -p model=svd
echo "status $?"
exit 0
