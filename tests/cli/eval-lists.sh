#!/bin/sh
# pz-eval --truth: the scores of any program's lists, against a naive script to 1e-9; and
# against what pz-eval says of the same model when it asks itself.
"$PZ_SRC/tests/sample"

# All definitions word by word; no list is sorted, no two metrics share anything.
cat >naive.awk <<'EOF'
BEGIN { FS = "\t" }
NR == FNR { if (!(($1, $2) in true)) { true[$1, $2] = 1; if (!relevant[$1]++) user[++n_users] = $1 } ; next }
{ item[$1, ++len[$1]] = $2; score[$1, len[$1]] = $3 }
function rank(u, p,    q, r) {
    if (score[u, p] == "")
        return p
    # As many as have this score or a greater one: those before it, and equal ones behind.
    r = p
    for (q = p + 1; q <= len[u] && score[u, q] != "" && score[u, q] + 0 == score[u, p] + 0; q++)
        r = q
    return r
}
function gain(r) { return log(2) / log(1 + r) }
END {
    n_k = split("1 3 5 10 25 60", K, " ")
    for (i = 1; i <= n_k; i++) {
        k = K[i]
        for (m in sum)
            delete sum[m]
        for (j = 1; j <= n_users; j++) {
            u = user[j]; hits = best = dcg = idcg = ap = 0; at = k < relevant[u] ? k : relevant[u]
            delete found
            for (p = 1; p <= len[u]; p++)
                if ((u, item[u, p]) in true && rank(u, p) <= k) {
                    found[++hits] = rank(u, p)
                    if (!best || rank(u, p) < best) best = rank(u, p)
                    dcg += gain(rank(u, p))
                }
            for (p = 1; p <= hits; p++)
                ap += p / found[p]
            for (p = 1; p <= at; p++)
                idcg += gain(p)
            sum["hit_rate"] += hits > 0
            sum["precision"] += hits / k
            sum["recall"] += hits / relevant[u]
            sum["capped_recall"] += hits / at
            sum["mean_reciprocal_rank"] += best ? 1 / best : 0
            sum["normalized_discounted_cumulative_gain"] += dcg / idcg
            sum["mean_average_precision"] += ap / at
        }
        for (m in sum)
            printf "%s_at_%d %.12f\n", m, k, sum[m] / n_users
    }
}
EOF
# Prints what differs by more than 1e-9.
compare()
{
    awk -f naive.awk truth.tsv "$1" | sort >naive
    pz-eval -q --truth truth.tsv --metrics hr,precision,recall,crecall,mrr,ndcg,map --at 1,3,5,10,25,60 --json <"$1" >json || echo "status $?"
    sed 's/.*"metrics":{\([^}]*\)}.*/\1/; s/"//g' json | tr ',:' '\n ' | sort >tested
    join naive tested | awk -v of="$2" '{ n++ } $2 - $3 > 1e-9 || $3 - $2 > 1e-9 { print of ": " $0 } END { print of ": " n + 0 " compared" }'
}

# What 200 users did last, asked of models that know it or not.
cut -d , -f 1 users.csv | tail -n +2 >everybody.txt
awk -F, 'NR > 1 { print $1 "\t" $2 }' interactions.csv | tail -n 1500 | awk 'NR % 3 == 0' >truth.tsv
for solution in personal popular; do
    pz-recommend -q -g shop -S $solution -n 60 <everybody.txt >$solution.tsv
    compare $solution.tsv $solution
done
# Ties everywhere, lists without scores behind the first, and users without a list.
awk -F'\t' '$1 ~ /[1-7]$/ { printf "%s\t%s\t%s\n", $1, $2, $1 ~ /3$/ ? "" : int($3 * 300) }' personal.tsv >ties.tsv
compare ties.tsv ties
# Random lists.
awk -F'\t' 'BEGIN { srand(5) }
    !($1 in n) { n[$1] = int(rand() * 50); for (i = 1; i <= n[$1]; i++) print $1 "\ti" i * 2 + int(rand() * 2) "\t" 90 - int(i / 2) }' \
    truth.tsv >random.tsv
compare random.tsv random

# The same model asked by pz-eval itself; one item more than K tells of ties at the end.
pz-train -q -g shop -r aws-user-personalization --no-eval -o m.safetensors >path
pz-recommend -q -m m.safetensors -n 26 <everybody.txt | pz-eval -q --truth truth.tsv --metrics ndcg,map,hr --at 5,25 >lists
pz-eval -q -m m.safetensors --protocol split --truth truth.tsv --seen keep --metrics ndcg,map,hr --at 5,25 --baseline first >asked
cut -f 2- lists >a
cut -f 2- asked >b
cmp a b
pz-eval -q -g shop -r aws-user-personalization --protocol split --truth truth.tsv --seen keep --metrics ndcg,map,hr --at 5,25 --baseline first |
    cut -f 2- | cmp - b

# Two programs, paired.
pz-eval -q --truth truth.tsv popular.tsv personal.tsv --at 10 --metrics hr,coverage --intervals |
    awk -F'\t' '{ print $1, $2, NF, $6, ($8 <= $7 && $7 <= $9) }'
pz-eval -q --truth truth.tsv --per-user users.tsv personal.tsv --at 10 >out
awk -F'\t' 'NR > 1 { n++; hit += $6 > 0 } END { print n, (hit > 0) }' users.tsv
head -n 1 users.tsv

# Mistakes.
mistake()
{
    pz-eval -q --truth truth.tsv >out 2>err
    echo "$? $(wc -c <out) $(cat err)"
}
printf 'u1\ti1\tx\n' | mistake
printf 'u1\ti1\nu1\n' | mistake
u=$(head -n 1 truth.tsv | cut -f 1)
printf '%s\ti1\n%s\ti2\n%s\ti1\n' "$u" "$u" "$u" | mistake | sed "s/'$u'/'U'/"
printf '%s\ti1\nother\ti1\n%s\ti2\n' "$u" "$u" | mistake | sed "s/'$u'/'U'/"
pz-eval -m m.safetensors --protocol loo 2>&1 | cut -c 1-70
pz-eval -m m.safetensors -r aws-sims 2>&1 | head -n 1
pz-eval -g shop -r aws-sims --by NOTHING 2>&1 | head -n 1
pz-eval -g shop -r aws-sims --by price --by CATEGORY_L1 --by history --by popularity --metrics hr@10,gini@10,popularity@10 |
    awk -F'\t' '$1 == "aws-sims" { print $2, NF, $5, ($6 == "-") }' | cut -d : -f 1 | sort | uniq -c | sort -k 2
exit 0
