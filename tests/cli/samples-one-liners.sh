#!/bin/sh
# The analyst's lines give answers, on a shop whose answers are counted here another way.
for t in jq sqlite3; do
    command -v $t >/dev/null || { echo "no $t"; exit 77; }
done
"$PZ_SRC/tests/sample" >/dev/null 2>&1 || exit
echo '{"userId":"u1","itemId":"i1","eventType":"View","device":"tv","sentAt":1735689600}' |
    pz-event -g shop
"$PZ_SRC/samples/one-liners.sh" >out || exit
grep '^# ' out
awk '/^# /{ if (title && !n) print "no answer: " title; title = $0; n = 0; next } NF { n++ }
    END { if (!n) print "no answer: " title }' out
echo "== the same by other means"
section() { sed -n "/^# $1/,/^\$/p" out | sed '1d;/^$/d'; }
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "EVENT_TYPE") t = i; next } { n[$t]++ }
    END { for (k in n) print n[k], k }' interactions.csv | sort -rn >want
section "events a type" | awk '{ print $1, $2 }' | cmp - want && echo "types"
section "what came in"
section "import jobs" | head -n 1 | cut -d ' ' -f1,2
