#!/bin/sh
# aws-personalized-ranking: the order of aws-user-personalization over a list; each line
# printed is a broken promise.
for need in pz-import pz-train pz-recommend; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
set -- -q -g shop --no-eval -p hidden_dimension=32 -p iterations=4
pz-train "$@" -r aws-personalized-ranking -o rank.model >out || exit
pz-train "$@" -r aws-user-personalization -o user.model >out || exit
list=i7,i30,i2,no-such,i99,i2,i41

# Of all items as the other recipe ranks them, those of the list, then the unknown one.
pz-recommend -m user.model -n 1000 u1 u2 u3 | cut -f 1,2 |
    awk -v list=$list 'BEGIN {n = split(list, a, ","); for (i in a) want[a[i]] = 1}
        u && $1 != u {print u "\tno-such"} {u = $1} $2 in want {print}
        END {print u "\tno-such"}' >one
pz-recommend -m rank.model --rank $list u1 u2 u3 >ranked
cut -f 1,2 ranked | cmp -s - one || { echo 'another order:'; cut -f 1,2 ranked | diff - one; }
awk -F '\t' '$3 == "" && $2 != "no-such" {print "no score: " $0}
    {s[$1] += $3} END {for (u in s) if (s[u] < 0.99999 || s[u] > 1.00001) print u ": sum " s[u]}' ranked

# The list of a batch line; without one it is a bad line, as in AWS.
printf '{"userId":"u1","itemList":["i7","i30","i2","no-such","i99","i41"]}\n{"userId":"u1"}\n' |
    pz-recommend -q -m rank.model >lines.out
sed -n '1s/.*"recommendedItems":\[\([^]]*\)\].*/\1/p' lines.out | tr -d '"' | tr , '\n' >two
sed -n 's/^u1\t//p' one | cmp -s - two || { echo 'a batch line:'; cat lines.out; }
sed -n 2p lines.out | grep -q 'recipe aws-personalized-ranking needs \\"itemList\\"' ||
    { echo 'a line without a list:'; cat lines.out; }

# A stranger's list is in the order of popularity, the unknown last, without scores.
pz-recommend -m rank.model --rank $list stranger | cut -f 2- >one
{ pz-recommend -g shop -S popular -n 1000 x | cut -f 2 |
    awk -v list=$list 'BEGIN {n = split(list, a, ","); for (i in a) want[a[i]] = 1}
        $1 in want'; echo no-such; } | sed 's/$/\t/' >two
cmp -s one two || { echo 'a stranger:'; diff one two; }

# AWS's name for it, its metrics, and no parameters of exploration.
pz-train -q -g shop -r arn:aws:personalize:::recipe/aws-personalized-ranking -o x.model --json \
    -p hidden_dimension=32 -p iterations=2 | grep -q '"metrics":{"coverage"' || echo 'no metrics'
pz-train -g shop -r aws-personalized-ranking -p exploration_weight=0 -o x.model 2>err
[ $? = 2 ] || echo 'it explores'
exit 0
