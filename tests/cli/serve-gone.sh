#!/bin/sh
# The writer of a group that was deleted ends; what it counted stays, and a group of the same
# name is written to again.
. "$PZ_SRC/tests/cli/serve.inc"
mkdir root
# fill NAME: a group with a tracker, by hand
fill()
{
    mkdir "root/$1"
    printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i2,2\n' | pz-import -q -g "root/$1" -t interactions >out
    control CreateEventTracker '{"name":"t'"$1"'","datasetGroupArn":"'"$arn:dataset-group/$1"'"}' |
        tail -n 1 | jq -r .trackingId >"id$1"
}
put()
{
    ask /events '{"trackingId":"'"$(cat "id$1")"'","userId":"u","sessionId":"s",
        "eventList":[{"eventType":"view","itemId":"i1","sentAt":'"$2"'}]}'
}
threads() { find /proc/"$server"/task -mindepth 1 -maxdepth 1 | wc -l; }
stored() { curl -s "$url/metrics" | sed -n 's/^pz_put_requests_total //p'; }
start --root root
before=$(threads)
for g in a b c; do
    fill "$g"
    put "$g" 1
done
echo "$(($(threads) - before)) writers"
rm -r root/a root/b
for _ in $(seq 300); do
    [ "$(threads)" -le $((before + 1)) ] && break
    sleep 0.1
done
echo "$(($(threads) - before)) writer"
stored
fill a
put a 2
put c 2
stored
stop
