#!/bin/sh
# pz-eval of segments and of actions: against a naive script to 1e-9, and against pz-train.
set -u
make-shop . --users 230 --items 40 --days 40 2>/dev/null || exit
cell() { sed -n 1p interactions.csv | tr , '\n' | grep -n "^$1\$" | cut -d: -f1; }
time=$(cell TIMESTAMP)
sed 1d interactions.csv | sort -t, -k1,1 -k"$time,$time"n -k2,2 -u >sorted # as users and time go
wc -l <sorted | grep -qx "$(($(wc -l <interactions.csv) - 1))" || echo 'rows alike'
cut=$(cut -d, -f"$time" sorted | sort -n | awk '{ t[NR] = $1 } END { print t[NR - int(NR / 5)] }')
# split PAST TRUTH: of each user the newest fifth, or what is not older than the cut.
split() {
    sed -n 1p interactions.csv >"$1"
    awk -F, -v at="$time" -v cut="${3:-}" -v past="$1" -v truth="$2" '
        function done(    i, newest) {
            newest = n < 2 ? 0 : n < 10 ? 1 : int(n / 5)
            if (cut)
                for (newest = 0; newest < n && when[n - newest] >= cut; newest++);
            for (i = 1; i <= n; i++)
                if (i <= n - newest)
                    print row[i] >past
                else if (newest < n)
                    print user "\t" item[i] >truth
            n = 0
        }
        FNR == NR { print >past; next }
        $1 != user { if (n) done(); user = $1 }
        { row[++n] = $0; item[n] = $2; when[n] = $at }
        END { done() }' "$1" sorted
}
pz-import -q -g shop -t interactions interactions.csv >/dev/null || exit
pz-import -q -g shop -t items items.csv >/dev/null || exit
pz-eval -q -g shop -r aws-item-affinity --json >json
for way in '' by_time; do
    rm -rf past truth.tsv
    split past.csv truth.tsv ${way:+"$cut"}
    pz-import -q -g past -t interactions past.csv >/dev/null
    pz-import -q -g past -t items items.csv >/dev/null
    pz-train -q -g past -r aws-item-affinity --no-eval -o past.model >/dev/null
    users=$(sed 1d past.csv | cut -d, -f1 | sort -u | wc -l)
    cut -f 2 truth.tsv | sort -u | pz-recommend -q -m past.model -n $(((users + 99) / 100)) >lists
    awk -F '\t' -v users="$users" '
        FNR == NR { if (!(($1, $2) in had)) { had[$1, $2] = 1; n[$2]++ } next }
        { hit[$1] += ($2, $1) in had; if (!seen[$2]++) covered++ }
        END {
            for (i in n) { asked++; hits += hit[i]; recall += hit[i] / n[i] }
            printf "coverage %.12f\nhits_at_1_percent %.12f\nrecall_at_1_percent %.12f\n", \
                covered / users, hits / asked, recall / asked
        }' truth.tsv lists >naive
    while read -r name value; do
        [ "$way$name" = by_timecoverage ] && continue
        jq -r ".metrics.$name${way:+_$way}" json | awk -v name="$name $way" -v a="$value" '
            { print name ": " ($1 > 0 && a - $1 < 1e-9 && $1 - a < 1e-9 ? "the same" : a " is not " $1) }'
    done <naive
done
# same RECIPE OPTION...: what pz-train says of it
same() {
    pz-train -q -g shop -r "$@" -o x.model --json | sed 1d | jq -c '[.asked, .metrics, .baseline]' >trained
    pz-eval -q -g shop -r "$@" --json | jq -c '[.asked, .metrics, .baselineMetrics]' | cmp - trained && echo "$1: as pz-train"
}
same aws-item-affinity
same aws-item-attribute-affinity --event-type View --seed 3
pz-import -q -g shop -t actions actions.csv >/dev/null || exit
pz-import -q -g shop -t action-interactions action-interactions.csv >/dev/null || exit
same aws-next-best-action -p action_optimization_period=7
echo '== a table'
pz-eval -q -g shop -r aws-item-affinity,aws-item-attribute-affinity | cut -f 1,2 | tr '\t' ' '
pz-eval -q -g shop -r aws-next-best-action | sed -n 1p | tr '\t' ' '
echo '== mistakes'
no() { "$@" 2>&1 | grep -v '^Try'; }
no pz-eval -g shop -r aws-item-affinity,aws-sims
no pz-eval -g shop -r aws-item-affinity --protocol loo
no pz-eval -g shop -r aws-next-best-action --intervals
for option in '--cut 0.5' --refit '--truth truth.tsv' '--negatives truth.tsv' '--baseline first'; do
    # shellcheck disable=SC2086
    no pz-eval -g shop -r aws-item-affinity $option
done
no pz-eval --protocol split --truth truth.tsv -m x.model
rm -f shop/actions.safetensors
no pz-eval -g shop -r aws-next-best-action
exit 0
