#!/bin/sh
# aws-next-best-action from CSV to answers; each line printed is a broken promise.
for need in pz-import pz-train pz-recommend pz-event; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
make-shop . --users 600 --items 60 --days 90 2>/dev/null || exit
pz-import -q -g shop -t users users.csv >/dev/null || exit
pz-train -g shop -r aws-next-best-action 2>err
[ $? = 3 ] || echo 'trained on nothing'
grep -q 'has no action-interactions; pz-import' err || cat err
pz-import -q -g shop -t action-interactions action-interactions.csv >/dev/null || exit
pz-train -g shop -r aws-next-best-action 2>err
[ $? = 3 ] || echo 'trained without actions'
grep -q 'has no actions; pz-import' err || cat err
pz-import -q -g shop -t actions actions.csv >/dev/null || exit

# Metrics, stored; the same bytes for any number of threads and order of rows.
pz-train -q -g shop -r aws-next-best-action -S ask --json >out || exit
sed 1d out | jq -e '.metrics | .area_under_roc_curve > 0.5 and .log_loss > 0 and
    .calibration_error < 0.1 and .precision > 0 and .recall > 0' >/dev/null || cat out
pz-train -q -g shop -r aws-next-best-action -o 1.model --threads 1 >/dev/null
{ sed 1q action-interactions.csv; sed 1d action-interactions.csv | sort -r; } >other.csv
pz-import -q -g other -t users users.csv >/dev/null
pz-import -q -g other -t actions actions.csv >/dev/null
pz-import -q -g other -t action-interactions other.csv >/dev/null
pz-train -q -g other -r aws-next-best-action -o 2.model --threads 3 >/dev/null
cmp 1.model 2.model
pz-train -q -g shop -r aws-next-best-action --event-type Taken -o x.model 2>err
[ $? = 2 ] || echo 'event types can be chosen'

# Five actions unless more are asked for, best first, as probabilities; the voucher has
# expired by now.
pz-recommend -g shop -S ask u1 >five
[ "$(wc -l <five)" = 5 ] || echo 'not five actions'
pz-recommend -g shop -S ask -n 100 u1 nobody >all
awk -F '\t' '$3 <= 0 || $3 >= 1 || ($1 == u && $3 > p) {print "score: " $0} {u = $1; p = $3}' all
grep christmas-voucher all
PZ_NOW=1733011200 pz-recommend -g shop -S ask -n 100 nobody | grep -q christmas-voucher ||
    echo 'expired too early'
pz-recommend -g shop -S ask -n 2 --json nobody |
    jq -e '.input.userId == "nobody" and (.output.actionList | length) == 2 and
    .output.actionList[0].actionId != null and .output.actionList[0].score > 0' >/dev/null ||
    echo 'JSON differs'
[ "$(pz-recommend -g shop -S ask --metadata TYPE,VALUE -n 1 --rank take-survey nobody | cut -f 2,4,5)" = \
    "$(printf 'take-survey\tcontact\t1')" ] || echo 'columns differ'

# Reasons add up to the log odds.
pz-recommend -g shop -S ask --explain -n 3 u1 nobody |
    awk -F '\t' '{k = $1 " " $2; p[k] = $3; z[k] += $5}
        END {for (k in p) {q = 1 / (1 + exp(-z[k])); n++
            if (q - p[k] > 1e-5 || p[k] - q > 1e-5) print k ": " p[k] " of " z[k]}
            if (n != 6) print n " actions"}'
pz-recommend -g shop -S ask --explain -n 1 --json u1 |
    jq -e '.output.explanation[0] | (.because | map(.contribution) | add) - .rawScore |
        . < 1e-9 and . > -1e-9' >/dev/null || echo 'reasons in JSON'

# Filters about actions, and what was streamed: asked just now, not again for a week.
first=$(cut -f 2 all | sed 1q)
pz-recommend -g shop -S ask -n 100 -F 'INCLUDE ActionID WHERE Actions.VALUE >= 5' nobody |
    cut -f 2 | sort >got
pz-recommend -g shop -S ask -n 100 --json nobody |
    pz-filter -g shop 'INCLUDE ActionID WHERE Actions.VALUE >= 5' |
    jq -r '.output.actionList[].actionId' | sort >of-json
cmp got of-json || echo 'pz-filter on JSON lines of actions'
awk -F, 'NR > 1 && $3 >= 5 && $1 != "christmas-voucher" {print $1}' actions.csv | sort |
    cmp - got
pz-recommend -g shop -S ask -F 'INCLUDE ItemID WHERE Items.PRICE < 5' u1 2>err
[ $? = 3 ] || [ $? = 2 ] || echo 'a filter on items is taken'
printf '{"userId":"u1","actionId":"%s","eventType":"Viewed","timestamp":1735689000}\n' "$first" |
    pz-event -q -g shop -t action-interactions || exit
pz-recommend -g shop -S ask -n 100 u1 | cut -f 2 | grep -Fx "$first"
printf '{"userId":"new","actionId":"install-app","eventType":"Taken","timestamp":1735000000}\n' |
    pz-event -q -g shop -t action-interactions || exit
pz-recommend -g shop -S ask -n 100 new >streamed
pz-recommend -g shop -S ask -n 100 nobody | cut -f 2,3 | cmp -s - streamed && echo 'events do not count'
pz-recommend -g shop -S ask -n 100 \
    -F 'INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("taken")' new | cut -f 2 >got
echo install-app | cmp - got

# An unknown type of event.
sed 's/Viewed/Clicked/' action-interactions.csv >bad.csv
pz-import -q -g bad -t actions actions.csv >/dev/null
pz-import -q -g bad -t action-interactions bad.csv >/dev/null 2>err
pz-train -q -g bad -r aws-next-best-action 2>err
[ $? = 3 ] || echo 'an unknown type is taken'
exit 0
