#!/bin/sh
# Data of odd shapes: every recipe makes a sound model that answers, or says why it does not.
set -u
# SHAPE USERS ITEMS EVENTS SECONDS REPEATS: events in time order; of 10 events REPEATS are of the
# item that the user had last.
shape()
{
    awk -v users="$2" -v items="$3" -v events="$4" -v seconds="$5" -v repeats="$6" 'BEGIN {
        print "USER_ID,ITEM_ID,TIMESTAMP"
        for (k = 0; k < events; k++) {
            u = (k * 7 + int(k / 11)) % users
            i = u in last && (k * 3) % 10 < repeats ? last[u] : (k * k + 3 * k + u) % items
            last[u] = i
            printf "u%d,i%d,%d\n", u, i, 1700000000 + int(k * seconds / events)
        }
    }' >"$1.csv"
    pz-import -q -g "$1" -t interactions "$1.csv" >/dev/null || echo "$1: import $?"
}
# What a recipe is asked with.
question()
{
    case $1 in
    aws-personalized-ranking) echo --rank i0,i1,i2,never u0 nobody ;;
    aws-sims | aws-similar-items | aws-item-affinity) echo i0 i1 ;;
    *) echo u0 u1 nobody ;;
    esac
}
try()
{
    pz-train -q -g "$1" -r "$2" -o model --no-eval ${3:+-p "$3"} >/dev/null 2>err
    trained=$?
    if [ "$trained" -ne 0 ]; then
        echo "$1 $2 ${3:-}: $trained $(head -n 1 err)"
        return
    fi
    pz-info -q --verify model >/dev/null 2>&1 || echo "$1 $2 ${3:-}: verify $?"
    # shellcheck disable=SC2046
    pz-recommend -q -g "$1" -m model -n 3 $(question "$2") >out 2>err || echo "$1 $2 ${3:-}: ask $? $(cat err)"
    grep -iE 'nan|inf' out
    pz-train -q -g "$1" -r "$2" -o again --no-eval --threads 3 ${3:+-p "$3"} >/dev/null 2>&1
    cmp model again
}
shape one 1 1 1 1 0
shape user 1 30 40 86400 2
shape item 30 1 60 86400 0
shape moment 20 15 200 1 3
shape strangers 60 50 60 1000000 0
shape habits 30 12 900 10000000 9
shape minute 80 9 700 60 4
for s in one user item moment strangers habits minute; do
    for r in aws-user-personalization aws-personalized-ranking aws-popularity-count aws-semantic-similarity \
        aws-similar-items aws-sims aws-trending-now aws-item-affinity aws-item-attribute-affinity pz-bpr; do
        try "$s" "$r"
    done
    for m in ials next rules ease rp3beta cheby softmax; do
        try "$s" aws-user-personalization "model=$m"
    done
done
# Nothing can be foretold of users who have nothing in common: no temperature follows from that.
awk 'BEGIN {
    print "USER_ID,ITEM_ID,TIMESTAMP"
    for (k = 0; k < 16; k++)
        printf "u%d,i%d,%d\n", k / 2, k, 1700000000 + k
}' >apart.csv
pz-import -q -g apart -t interactions apart.csv >/dev/null
for m in rules ease; do
    pz-train -q -g apart -r aws-user-personalization -o model -p "model=$m" --no-eval >/dev/null
    pz-info --json model | jq -r '.metadata | "apart " + .["train.parts"] + ": " + .["train.temperature"]'
done
