#!/bin/sh
# While the disk is busy Put requests wait, as many as may; more are refused at once; SIGTERM
# ends neither.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
start -g shop --max-queue 2
put()
{
    curl -s -o "body$1" -w '%{http_code}\n' "$url/events" -d '{"trackingId":"any","userId":"eve","sessionId":"s",
        "eventList":[{"eventId":"e'"$1"'","eventType":"View","itemId":"i'"$1"'","sentAt":1735689600,
        "properties":"{\"device\":\"phone\"}"}]}' >"code$1"
}
put 0
cat code0
# Another process holds the catalogue for writing.
mkfifo hold
sqlite3 shop/group.db <hold >held &
holder=$!
exec 3>hold
echo "BEGIN IMMEDIATE; SELECT 'held';" >&3
while ! [ -s held ]; do sleep 0.01; done
# until_they REQUESTS WAITING: so many have come, and so many of them wait
until_they()
{
    for _ in $(seq 400); do
        [ "$(curl -s "$url/metrics" | sed -n 's/^pz_put_\(requests_total\|waiting\) //p' | xargs)" = "$1 $2" ] && break
        sleep 0.02
    done
}
clients=
put 1 & # in the hands of the writer
clients="$clients $!"
until_they 2 0
for i in 2 3; do # in the queue
    put $i &
    clients="$clients $!"
done
until_they 4 2
for i in 4 5; do
    put $i
    cat code$i
    jq -r .message body$i
done
ask /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1","numResults":1}' | head -n 1
kill "$server"
sleep 0.3
echo "COMMIT;" >&3
exec 3>&-
wait $holder
for c in $clients; do
    wait "$c"
done
cat code1 code2 code3
wait "$server"
echo "stopped: $?"

# Held for longer than is waited: those that wait together are refused together.
start -g shop
: >held
sqlite3 shop/group.db <hold >held &
holder=$!
exec 3>hold
echo "BEGIN IMMEDIATE; SELECT 'held';" >&3
while ! [ -s held ]; do sleep 0.01; done
put 6 &
clients=$!
until_they 1 0
for i in 7 8; do
    put $i &
    clients="$clients $!"
done
until_they 3 2
one=0 all=0
while [ $all -lt 1200 ] && ! { [ -s code7 ] && [ -s code8 ]; }; do
    [ -s code6 ] || one=$((one + 1))
    all=$((all + 1))
    sleep 0.1
done
cat code6 code7 code8
[ $all -lt $((one * 26 / 10)) ] || echo "the others waited for each other: $one of $all"
echo "COMMIT;" >&3
exec 3>&-
wait $holder
for c in $clients; do
    wait "$c"
done
stop
sqlite3 shop/group.db "SELECT id FROM event ORDER BY id"
exit 0
