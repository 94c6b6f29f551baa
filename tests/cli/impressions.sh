#!/bin/sh
# What answers showed, by the lists themselves and by the answers that events name.
awk 'BEGIN {srand(4); for (u = 1; u <= 60; u++) for (k = 1; k <= 8; k++)
    printf "u%d,i%d,%d,RID-%d-%d\n", u, int(rand() * rand() * 20), 1000000 + k * 86400 + u, u, k % 3}' >rows
awk -F , '{print $4}' rows | sort -u | while read -r id; do
    echo "{\"recommendationId\":\"$id\",\"time\":1,\"source\":\"x\",\"recommendedItems\":[\"n0\",\"i1\",\"n2\"],\"scores\":[0.5,0.2,0.1]}"
done >log
(echo USER_ID,ITEM_ID,TIMESTAMP,RECOMMENDATION_ID; cat rows) >named.csv
(echo USER_ID,ITEM_ID,TIMESTAMP,IMPRESSION
awk -F , 'BEGIN {split("n0|i1|n2 n2|n0|i1 i1|n2|n0", list, " ")}
    {print $1 "," $2 "," $3 "," list[substr($4, length($4)) + 1]}' rows) >listed.csv
(echo ITEM_ID,KIND; for i in $(seq 0 19); do echo "i$i,a"; done; for i in 0 1 2 3; do echo "n$i,b"; done) >items.csv
group() { pz-import -q -g "$1" -t interactions "$1.csv" >out && pz-import -q -g "$1" -t items items.csv >out || exit; }
group named
group listed
train() { g=$1; s=$2; shift 2; pz-train -q -g "$g" -S "$s" -r aws-user-personalization --no-eval "$@" >out || exit; }
train named blind
train named told --shown log
gzip <log >log.gz
train named packed --shown log.gz
train listed lists
cmp named/models/told/*.safetensors named/models/packed/*.safetensors
# often GROUP SOLUTION: how often each new item is among fifteen, in all.
often()
{
    for seed in 1 2 3 4 5 6; do
        cut -d , -f 1 rows | sort -u | pz-recommend -g "$1" -S "$2" -n 15 --seed $seed --exploration-weight 1 -
    done | awk -F '\t' '{n[$2]++} END {for (i = 0; i < 4; i++) print "n" i, n["n" i] + 0}'
}
often named blind >one
often named told >two
often listed lists >three
cmp two three
paste -d ' ' one two | awk '($1 == "n0" || $1 == "n2") && $4 * 2 > $2 {print "shown in vain: " $0}
    ($1 == "n1" || $1 == "n3") && $4 * 2 < $2 {print "never shown: " $0}
    $2 < 20 {print "hardly ever there: " $0}'
# Streamed since the training: it counts at once, but for a list that a user sees again.
stream() # LISTS USERS
{
    awk -v lists="$1" -v users="$2" 'BEGIN {for (k = 0; k < 400; k++)
        printf "{\"userId\":\"s%d\",\"itemId\":\"i1\",\"eventType\":\"x\",\"sentAt\":%d,\"impression\":[%s]}\n", k % users, 1735600000 + k,
            int(k / users) % lists ? "\"n2\",\"i1\",\"n0\"" : "\"n0\",\"i1\",\"n2\""}' | pz-event -q -g named >out || exit
}
stream 1 1
often named blind >again
paste -d ' ' one again | awk '$4 * 3 < $2 * 2 {print "the same list again: " $0}'
stream 2 40
often named blind >since
paste -d ' ' one since | awk '($1 == "n0" || $1 == "n2") && $4 * 2 > $2 {print "shown in vain since: " $0}
    ($1 == "n1" || $1 == "n3") && $4 * 3 < $2 * 2 {print "never shown since: " $0}'
echo '{"recommendedItems":["n0"]}' >bad
pz-train -q -g named -r aws-user-personalization --no-eval --shown bad
echo "status $?"
pz-train -q -g named -r aws-user-personalization --no-eval --shown nothing 2>&1 | head -n 1
exit 0
