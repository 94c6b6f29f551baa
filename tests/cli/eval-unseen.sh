#!/bin/sh
# What is held out is not seen: when the held-out items of every other user that is asked about are
# others, no figure of the rest changes.
set -u
make-shop . --users 400 --items 80 --days 40 2>/dev/null || exit
cell() { sed -n 1p interactions.csv | tr , '\n' | grep -n "^$1\$" | cut -d: -f1; }
recipes=aws-user-personalization,aws-personalized-ranking,aws-popularity-count,aws-trending-now,aws-sims,aws-similar-items,pz-bpr
user=$(cell USER_ID) item=$(cell ITEM_ID) time=$(cell TIMESTAMP)
group() {
    pz-import -q -g "$1" -t interactions "$2" >/dev/null && pz-import -q -g "$1" -t items items.csv >/dev/null &&
        pz-import -q -g "$1" -t users users.csv >/dev/null
}
group shop interactions.csv || exit
sed 1d interactions.csv | sort -t, -k"$user,$user" -k"$time,$time"nr >newest_first
cut=$(cut -d, -f"$time" newest_first | sort -n | awk '{ t[NR] = $1 } END { print t[int(0.9 * NR) + 1] }')
# change WAY N: of users in `some` the N newest items, or those from the cut on, are drawn anew.
change() {
    sed -n 1p interactions.csv
    awk -F, -v OFS=, -v u="$user" -v i="$item" -v t="$time" -v way="$1" -v cut="$cut" -v newest="$2" '
        FNR == NR { some[$1]; next }
        $u in some && (way == "time" ? $t >= cut : seen[$u]++ < newest) { $i = "i" 1 + (NR * 7919) % 80 }
        1' some newest_first
}
# A user with two events of one second has no newest one; the files order them by item.
cut -d, -f"$user,$time" newest_first | uniq -d | cut -d, -f1 | sort -u >at_once
for way in "aws --holdout last" "aws --holdout last --valid" "loo" "loo --valid" "time"; do
    protocol=${way%% *}
    # shellcheck disable=SC2086
    pz-eval -q -g shop -r $recipes --protocol $way --per-user before >/dev/null
    sed 1d before | cut -f3 | sort -u | comm -23 - at_once | awk 'NR % 2' >some
    [ "$protocol" = loo ] && newest=2 || newest=1
    change "$protocol" "$newest" >other.csv
    rm -rf other
    group other other.csv || exit
    # shellcheck disable=SC2086
    pz-eval -q -g other -r $recipes --protocol $way --per-user after >/dev/null
    for f in before after; do
        awk -F '\t' 'FNR == NR { some[$1]; next } !($3 in some)' some $f >$f.rest
        awk -F '\t' 'FNR == NR { some[$1]; next } $3 in some' some $f >$f.some
    done
    cmp before.rest after.rest && ! cmp -s before.some after.some && [ "$(wc -l <before.rest)" -gt 100 ] && echo "$way: unseen"
done
