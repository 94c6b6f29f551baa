#!/bin/sh
# The use cases of Amazon's domains: what they learn, and what they do not show.
set -u
"$PZ_SRC/tests/sample" >/dev/null
tab=$(printf '\t')
train() { pz-train -q -g shop "$@" >/dev/null || echo "status $?"; }
with() { awk -F, -v u="$1" -v e="$2" '$1 == u && $4 == e { print $2 }' interactions.csv | sort -u; }

echo '-- popular by event: users counted by hand'
for pair in views:View purchases:Purchase; do
    train -r "aws-ecomm-popular-items-by-${pair%:*}"
    pz-recommend -g shop -S "aws-ecomm-popular-items-by-${pair%:*}" -n 10 u1 | cut -f 2,3 >got
    cut -f 1 got | while read -r item; do
        awk -F, -v i="$item" -v e="${pair#*:}" '$2 == i && $4 == e && !s[$1]++ { n++ }
            END { print n + 0 }' interactions.csv
    done >users
    sort -c -n -r users && echo "falling from $(head -n 1 users)"
    awk -F, -v e="${pair#*:}" 'NR > 1 && $4 == e && !s[$1, $2]++ { n[$2]++; if (n[$2] > m) m = n[$2] }
        END { print "greatest " m }' interactions.csv
    cut -f 2 got | sort -u
done

echo '-- related to an item, for a user: u1 bought'
with u1 Purchase >bought
train -r aws-ecomm-frequently-bought-together
train -r aws-ecomm-customers-who-viewed-x-also-viewed
item=$(with u1 View | head -n 1)
s=aws-ecomm-customers-who-viewed-x-also-viewed
pz-recommend -g shop -S $s -n 999 "$item" | cut -f 2 >all
pz-recommend -g shop -S $s -n 999 --user u1 "$item" | cut -f 2 >hers
echo "{\"itemId\":\"$item\",\"userId\":\"u1\",\"numResults\":999}" |
    pz-recommend -g shop -S $s | sed 's/.*recommendedItems//; s/\].*//' | grep -o 'i[0-9]*' >line
grep -vxFf bought all | cmp - hers && cmp hers line && echo 'without what u1 bought'
grep -qxFf bought all && echo 'which the item alone shows'
s=aws-ecomm-frequently-bought-together
pz-recommend -g shop -S $s -n 9 "$item" | cut -f 2 >all
pz-recommend -g shop -S $s -n 9 --user u1 "$item" | cut -f 2 | cmp all - && echo 'with what u1 bought'
pz-recommend -g shop -S personal --user u1 u2 2>&1 || echo "status $?"

echo '-- for a user'
train -r arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you -S for-you
pz-recommend -g shop -S for-you -n 999 u1 >got
grep -c . got
cut -f 2 got | grep -cxFf bought
cut -f 3 got | sort -u
# Bought a moment ago: gone.
first=$(head -n 1 got | cut -f 2)
echo "{\"userId\":\"u1\",\"itemId\":\"$first\",\"eventType\":\"purchase\",\"device\":\"tv\"}" |
    pz-event -q -g shop
pz-recommend -g shop -S for-you -n 999 u1 | cut -f 2 | grep -cx "$first"

echo '-- what is missing is said'
pz-train -g shop -r aws-vod-most-popular 2>&1 | head -n 1
pz-import -q -g few -t interactions interactions.csv >/dev/null
pz-train -g few -r aws-vod-top-picks 2>&1 || echo "status $?"
pz-train --list-recipes -r aws-ecomm-customers-who-viewed-x-also-viewed | head -n 3 | tr "$tab" ' '
sed 's/,View,/,vIEW,/' interactions.csv >odd.csv
pz-import -q -g odd -t interactions odd.csv >/dev/null
pz-train -q -g odd -r aws-ecomm-popular-items-by-views -S odd >/dev/null
pz-recommend -g odd -S odd u1 >odd.tsv
pz-recommend -g shop -S aws-ecomm-popular-items-by-views u1 | cmp - odd.tsv && echo 'any case'

train -g odd -r aws-ecomm-customers-who-viewed-x-also-viewed -S also
pz-recommend -g odd -S also -n 9 --user new --exclude-seen i4 | cut -f 2 >all
for e in View vIEW Cart; do # viewed a moment ago
    echo "{\"userId\":\"u$e\",\"itemId\":\"$(sed -n 2p all)\",\"eventType\":\"$e\"}"
done | pz-event -q -g odd
for e in View vIEW Cart; do
    echo "$e $(pz-recommend -g odd -S also -n 9 --user u$e --exclude-seen i4 | cut -f 2 | grep -cxF "$(sed -n 2p all)")"
done

echo '-- all ten answer'
"$PZ_SRC/tests/sample" vod >/dev/null
sed 's/,View,/,Watch,/' vod/interactions.csv >watch.csv
pz-import -q -g vod/shop -t interactions watch.csv >/dev/null
for r in $(pz-train --list-recipes | grep '^aws-vod-\|^aws-ecomm-' | cut -f 1); do
    g=shop
    id=u1
    case $r in
    aws-vod-*) g=vod/shop ;;
    esac
    case $r in
    *-x | *-together | *-also-viewed) id=i4 ;;
    esac
    pz-train -q --no-eval -g $g -r "$r" -S all >/dev/null || echo "$r: status $?"
    echo "$r $(pz-recommend -g $g -S all -n 5 $id | cut -f 2 | sort -u | grep -c '^i')"
done
