#!/bin/sh
# pz-train --objective: answers against a naive script, and what is gained and lost.
set -u
make-shop . --users 150 --items 700 --days 40 2>/dev/null || exit
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit
pz-import -q -g shop -t items items.csv >/dev/null || exit
train() { pz-train -q -g shop -r aws-user-personalization -p model=next --no-eval "$@" >/dev/null; }
no() { "$@" 2>&1 || echo "status $?"; }

echo '== OFF is as if it were not there'
train -o none.model
train -o off.model --objective PRICE:OFF
cmp none.model off.model && echo same

# The first 500 items (all candidates) by log p + w sd(log p) (v - mean) / sd(v), v being the
# share of cheaper items; as much probability as they had together.
cat >naive.awk <<'AWK'
FNR == NR { if (FNR > 1) { split($0, cell, ","); value[++n_items] = cell[column]; id[n_items] = cell[1] } next }
FNR == 1 && NR > 1 && !made {
    made = 1
    for (i = 1; i <= n_items; i++) {
        v = 0
        for (j = 1; j <= n_items; j++)
            v += value[j] + 0 < value[i] + 0 ? 1 : value[j] == value[i] ? 0.5 : 0
        place[id[i]] = v / n_items
    }
}
$1 != user { if (n) out(); user = $1; n = 0 }
{ item[++n] = $2; p[n] = $3 }
END { out() }
function out(    i, l, lm, ls, vm, vs, mass, sum, pool) {
    pool = n < 500 ? n : 500
    lm = ls = vm = vs = mass = sum = 0
    for (i = 1; i <= pool; i++) { lm += log(p[i]); vm += place[item[i]]; mass += p[i] }
    lm /= pool; vm /= pool
    for (i = 1; i <= pool; i++) { ls += (log(p[i]) - lm) ^ 2; vs += (place[item[i]] - vm) ^ 2 }
    for (i = 1; i <= pool; i++) {
        p[i] *= exp(w * sqrt(ls / vs) * (place[item[i]] - vm))
        sum += p[i]
    }
    for (i = 1; i <= n; i++)
        printf "%s\t%s\t%.9g\n", user, item[i], i <= pool ? p[i] * mass / sum : p[i]
}
AWK
sed 's/"[^"]*"//g' items.csv >plain.csv # no commas inside of cells
column=$(sed -n 1p plain.csv | tr , '\n' | grep -n '^PRICE$' | cut -d: -f1)
# Each item's probability to 1e-4 of it, and in the right order.
compare() {
    awk -F '\t' -v w="$1" -v column="$column" -f naive.awk plain.csv "$2" >naive
    awk -F '\t' 'FNR == NR { want[$1, $2] = $3; next }
        { n++; d = $3 - want[$1, $2]; if (d < 0) d = -d }
        d > 1e-4 * $3 + 1e-9 { print "not as wanted: " $0, want[$1, $2]; bad = 1 }
        $1 == last && $3 + 0 > before + 0 { print "out of order: " $0; bad = 1 }
        { last = $1; before = $3 }
        END { print n " compared" }' naive "$3" | head -n 5
}
seq 1 20 | sed 's/^/u/' >users
for level in LOW:0.333333333333333 MEDIUM:1 HIGH:3; do
    echo "== ${level%:*}"
    train -o objective.model --objective "price:${level%:*}"
    pz-recommend -q -m none.model -n 700 <users >plain
    pz-recommend -q -m objective.model -n 700 <users >traded
    compare "${level#*:}" plain traded
    pz-recommend -q -m objective.model -n 9 <users >few
    awk '++n[$1] <= 9' traded | cmp - few
    some=i1,i20,i300,i41,i555,i680
    pz-recommend -q -m none.model --rank $some <users >plain
    pz-recommend -q -m objective.model --rank $some <users >traded
    compare "${level#*:}" plain traded
done
train -o again.model --objective PRICE:HIGH --threads 1
cmp objective.model again.model
echo '== somebody new gets what is popular, as before'
pz-recommend -q -m none.model nobody >plain
pz-recommend -q -m objective.model nobody | cmp plain - && echo same
echo '== reasons add up'
pz-recommend -q -m objective.model --explain --json -n 3 u1 | jq -c '.output.explanation[] |
    [((.because | map(.contribution) | add) - .rawScore | fabs < 1e-6),
     (.because | map(select(.itemId == "PRICE")) | length)]'

echo '== what exploring shows stands where it stood, and the others in their new order'
recommend() { pz-recommend -q -m "$@" -n 20 <users; }
recommend none.model --exploration-weight 0.3 >plain
recommend objective.model --exploration-weight 0.3 >traded
recommend objective.model >best
awk -F '\t' 'FILENAME == "best" { rank[$1, $2] = FNR; next }
    FILENAME == "plain" { if ($4) { shown[FNR] = $2; n++ } next }
    $4 != "" || FNR in shown { if (shown[FNR] != $2 || !$4) print "not in its place: " $0; next }
    !(($1, $2) in rank) || $1 == user && rank[$1, $2] <= last { print "not in order: " $0 }
    { user = $1; last = rank[$1, $2] }
    END { print (n > 20 ? "many" : n) }' best plain traded
echo '== more reward, and less relevance for it'
for level in OFF LOW MEDIUM HIGH; do
    pz-eval -q -g shop -r aws-user-personalization:model=next --draws 4 --baseline first \
        --objective PRICE:$level --metrics ndcg@25,reward@25
done | grep -v ^recipe | awk -F '\t' 'NR > 1 && ($3 > ndcg || $4 <= reward) { print "not so: " $0 }
    { ndcg = $3; reward = $4; n++ } END { print n " levels" }'
pz-eval -q -g shop -r aws-user-personalization:model=next --objective PRICE:LOW | sed -n 1p | tr '\t' '\n' |
    tail -n 2
pz-train -g shop -r aws-user-personalization -p model=next --objective PRICE:HIGH 2>&1 >/dev/null |
    grep -o '^average_[a-z0-9_]*'
echo '== mistakes'
for wrong in PRICE PRICE:MUCH NAME:LOW COLOUR:LOW; do
    no pz-train -g shop -r aws-user-personalization --objective $wrong
done
no pz-train -q -g shop -r aws-sims --objective PRICE:LOW
no pz-train -q -g shop -r aws-user-personalization --hpo 2 --hpo-metric average_rewards_at_k |
    grep -v '^Try'
exit 0
