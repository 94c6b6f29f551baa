#!/bin/sh
# pz-eval: the metrics where items and events are worth more than others, against a naive
# script to 1e-9.
set -u
make-shop . --users 150 --items 90 --days 40 2>/dev/null || exit
sed 's/"[^"]*"//g' items.csv >plain.csv # no commas inside of cells
cell() { sed -n 1p "$1" | tr , '\n' | grep -n "^$2\$" | cut -d: -f1; }
time=$(cell interactions.csv TIMESTAMP) type=$(cell interactions.csv EVENT_TYPE)
cut=$(sed 1d interactions.csv | cut -d, -f"$time" | sort -n | awk '{ t[NR] = $1 } END { print t[int(NR * 0.8)] }')
# Of users with a past, so that the group of the past has the same users.
awk -F, -v at="$time" -v cut="$cut" 'NR == FNR { if ($at < cut) past[$1] = 1; next }
    FNR == 1 || $1 in past' interactions.csv interactions.csv >all.csv
awk -F, -v at="$time" -v cut="$cut" 'FNR == 1 || $at < cut' all.csv >past.csv
for group in all past; do
    pz-import -q -g $group -t interactions $group.csv >/dev/null
    pz-import -q -g $group -t items items.csv >/dev/null
done
weighted() { "$@" -q --event-type Purchase=0.3 --event-type View=0.1; }

cat >naive.awk <<'AWK'
function value(i) { return price[i] == "" ? median : price[i] }
function rank(u, p,    q, r) {
    if (score[u, p] == "")
        return p
    r = p
    for (q = p + 1; q <= len[u] && score[u, q] != "" && score[u, q] + 0 == score[u, p] + 0; q++)
        r = q
    return r
}
FILENAME == "plain.csv" {
    if (FNR > 1) { price[$1] = $at_price; if ($at_price != "") order[++n_prices] = $at_price + 0 }
    next
}
FILENAME == "all.csv" {
    w = $at_type == "Purchase" ? 0.3 : $at_type == "View" ? 0.1 : 0
    if (FNR == 1 || $at_time < cut || w == 0)
        next
    if (!($1 in user)) { user[$1] = 1; n_users++ }
    if (!(($1, $2) in weight)) had[$1] = had[$1] " " $2
    if (weight[$1, $2] < w) weight[$1, $2] = w
    next
}
{ split($0, c, "\t"); item[c[1], ++len[c[1]]] = c[2]; score[c[1], len[c[1]]] = c[3] }
END {
    for (i = 1; i <= n_prices; i++)
        for (j = i + 1; j <= n_prices; j++)
            if (order[j] < order[i]) { x = order[i]; order[i] = order[j]; order[j] = x }
    median = (order[int((n_prices + 1) / 2)] + order[int(n_prices / 2) + 1]) / 2
    split("5 10 25", K, " ")
    for (kk = 1; kk <= 3; kk++) {
        k = K[kk]
        reward = rewards = wndcg = 0
        for (u in user) {
            sum = 0
            for (p = 1; p <= k && p <= len[u]; p++)
                sum += value(item[u, p])
            reward += sum / (p - 1)
            found = all = dcg = ideal = 0
            n = split(had[u], truth, " ")
            delete w_of
            for (i = 1; i <= n; i++) {
                all += value(truth[i])
                w_of[i] = weight[u, truth[i]]
                for (p = 1; p <= len[u]; p++)
                    if (item[u, p] == truth[i] && rank(u, p) <= k) {
                        found += value(truth[i])
                        dcg += w_of[i] / 0.2 * log(2) / log(1 + rank(u, p))
                    }
            }
            for (i = 1; i <= n; i++)
                for (j = i + 1; j <= n; j++)
                    if (w_of[j] > w_of[i]) { x = w_of[i]; w_of[i] = w_of[j]; w_of[j] = x }
            for (i = 1; i <= n && i <= k; i++)
                ideal += w_of[i] / 0.2 * log(2) / log(1 + i)
            rewards += found / all
            wndcg += dcg / ideal
        }
        printf "average_reward_at_%d %.12f\n", k, reward / n_users
        printf "average_rewards_at_%d %.12f\n", k, rewards / n_users
        printf "normalized_discounted_cumulative_gain_with_event_weights_at_%d %.12f\n", k, wndcg / n_users
    }
}
AWK
for recipe in aws-popularity-count aws-user-personalization:model=next aws-user-personalization:model=ease; do
    param=${recipe#*:}
    [ "$param" = "$recipe" ] && param=
    weighted pz-train -g past -r "${recipe%:*}" ${param:+-p "$param"} --no-eval -o past.model >/dev/null
    sed 1d all.csv | cut -d, -f1 | sort -u | pz-recommend -q -m past.model -n 26 >lists
    awk -F, -v at_time="$time" -v at_type="$type" -v at_price="$(cell items.csv PRICE)" \
        -v cut="$cut" -f naive.awk plain.csv all.csv lists | sort >naive
    weighted pz-eval -g all -r "$recipe" --baseline first --protocol time --cut "$cut" --objective PRICE:OFF \
        --metrics reward,rewards,wndcg --at 5,10,25 --json >json
    sed 's/.*"metrics":{\([^}]*\)}.*/\1/; s/"//g' json | tr ',:' '\n ' | sort >tested
    join naive tested | awk -v of="$recipe" '{ n++ } $2 - $3 > 1e-9 || $3 - $2 > 1e-9 { print of ": " $0 }
        $3 > 0 { some++ } END { print of ": " n + 0 " compared, " some + 0 " above 0" }'
done

echo '== what pz-train prints'
weighted pz-train -g all -r aws-popularity-count --objective PRICE:OFF -o some.model --json | sed 1d |
    jq -r '.metrics | keys[] | select(test("reward|weight"))'
pz-train -q -g all -r aws-popularity-count -o some.model --json | sed 1d | jq -r '.metrics | keys | length'
exit 0
