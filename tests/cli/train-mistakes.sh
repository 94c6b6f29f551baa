#!/bin/sh
# pz-train: what it refuses, with which status and words, and that the group stays as it was.
set -u
{
    echo USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE
    for u in 1 2 3 4 5 6; do
        for i in 1 2 3 4; do
            echo "u$u,i$(((u * i) % 7)),$((1700000000 + u * 100 + i)),buy,$i"
        done
    done
} >events.csv
pz-import -q -g shop -t interactions events.csv >/dev/null || exit
find shop | sort >before
try()
{
    echo "$ pz-train $*"
    pz-train "$@" >out 2>&1 </dev/null
    status=$?
    sed 's/the recipes are .*/the recipes are .../' out
    echo "= $status"
}
try -g shop
try -g shop -r aws-simms
try -g shop -r aws-sims extra
try -g shop -r aws-sims -p neighbors=5
try -g shop -r aws-sims -p neighbours=0
try -g shop -r aws-sims -p popularity_discount_factor=1.01
try -g shop -r aws-popularity-count -p x=1
try -g shop -r aws-sims -S ../up
try -g shop -r aws-sims -S ''
try -g shop -r aws-sims -S one -o two
try -g shop -r aws-sims --event-type sell
try -g shop -r aws-sims --event-type buy=x
try -g shop -r aws-sims --event-type buy=-1
try -g shop -r aws-sims --event-type 'buy>=x'
try -g shop -r aws-sims --event-type buy --event-type buy=2
try -g shop -r aws-sims --event-value-threshold x
try -g shop -r aws-sims --event-value-threshold 99
try -q -g shop -r aws-sims --strict --event-type buy
try -g nowhere -r aws-sims
mkdir empty
try -g empty -r aws-sims
try -q -g shop -r aws-popularity-count -o no/such/dir/x
find shop | sort | diff before -
find empty nowhere 2>/dev/null

echo '== another training of the solution is running'
(
    flock -n 9 || exit
    try -q -g shop -r aws-popularity-count -S busy
    try -q -g shop -r aws-popularity-count -S free
) 9>shop/.train.busy.lock

echo '== damage: one bit of a tensor'
cp -r shop hurt
size=$(stat -c %s hurt/interactions.safetensors)
at=$((size - 5))
byte=$(od -An -t u1 -j $at -N 1 hurt/interactions.safetensors)
# shellcheck disable=SC2059 # an octal escape is made
printf "\\$(printf %o $((byte ^ 1)))" |
    dd of=hurt/interactions.safetensors bs=1 seek=$at conv=notrunc 2>/dev/null
try -q -g hurt -r aws-popularity-count
head -c 1000 shop/interactions.safetensors >hurt/interactions.safetensors
try -q -g hurt -r aws-popularity-count
exit 0
