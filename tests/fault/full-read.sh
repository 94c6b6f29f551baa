#!/bin/sh
# Nothing can be written any more, not even the files that SQLite keeps beside a database
# while it is read: who reads gets what was there, several at once too, and those that stay
# see what is written once there is room again.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-import pz-train pz-event pz-filter pz-info pz-recommend pz-serve
command -v curl >/dev/null || skip "curl is not installed"
export PZ_NOW=1735689600
mkdir small
mount -t tmpfs -o size=3m tmpfs small 2>err || skip "nothing can be mounted here"
pid=
trap 'kill $pid 2>err; wait; umount "$PWD/small"' EXIT
shop 2000 | pz-import -q -g g -t interactions >out || exit 1
pz-train -q --no-eval -g g -r aws-user-personalization -S best >out || exit 1
pz-filter -g g --save seen 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")' || exit 1

# event ITEM: one of the user u1
event() { echo '{"USER_ID":"u1","ITEM_ID":"'"$1"'","TIMESTAMP":1735689000,"EVENT_TYPE":"view"}'; }
# A writer that was killed has left its event in the -wal file.
mkfifo pipe
pz-event -q --ack -g g <pipe >ack &
writer=$!
exec 8>pipe
event i3 >&8
for _ in $(seq 500); do
    [ -s ack ] && break
    sleep 0.01
done
kill -9 $writer
wait $writer 2>err
exec 8>&-
for f in ack g/group.db-wal; do
    [ -s $f ] || broken "the event was not taken: $(ls g)"
done
rm -f g/group.db-shm

full() { dd if=/dev/zero of=small/fill bs=4k 2>err; }
# shows DIR: what the readers say of the group
shows()
{
    pz-info -g "$1/shop" | sed "s|$1/||" || echo "pz-info: $?"
    pz-info --verify -g "$1/shop" | sed "s|$1/||" || echo "pz-info --verify: $?"
    pz-info --export events -g "$1/shop" || echo "pz-info --export: $?"
    pz-filter --list -g "$1/shop" || echo "pz-filter: $?"
    pz-recommend -g "$1/shop" -S best -F seen u1 u2 new || echo "pz-recommend: $?"
}
cp -a g small/shop
full
shows small >full.out 2>&1
cp -a small/shop again
[ -s small/shop/group.db-wal ] || broken "the -wal file is gone"
mkdir big
cp -a g big/shop
shows big >room.out 2>&1
cmp -s full.out room.out || broken "on a full disk: $(diff room.out full.out | head -n 8)"
grep -q i3 full.out || broken "the event in the -wal file is not seen"
for f in group.db group.db-wal; do
    cmp -s g/$f again/$f || broken "$f was written to"
done

readers=
for n in 1 2 3 4; do
    (for _ in 1 2 3 4 5; do pz-info -g small/shop || echo "status $?"; done) >many.$n 2>&1 &
    readers="$readers $!"
done
# shellcheck disable=SC2086 # words are wanted
wait $readers
for n in 1 2 3 4; do
    grep -q 'status' many.$n && broken "one of several readers: $(grep -v '^ ' many.$n | head -n 3)"
done

# A server and a stream begin on the full disk and stay.
case ${V:-release} in asan | tsan) sandbox=off ;; *) sandbox=auto ;; esac
pz-serve -q --sandbox $sandbox -g small/shop -l 127.0.0.1:0 --max-wait 0 >url 2>server.err &
pid=$!
while ! [ -s url ] && kill -0 $pid; do
    sleep 0.01
done
url=$(cat url)
arn=arn:aws:personalize:us-east-1:000000000000
# has ITEM: does the server recommend it to u1?
has()
{
    curl -s "$url/recommendations" -d '{"campaignArn":"'$arn':campaign/'"$2"'","userId":"u1",
        "numResults":500,"filterArn":"'$arn':filter/seen"}' >answer
    grep -q "\"$1\"" answer
}
has i2 best || broken "a server on a full disk: $(cat answer)"
has i3 best && broken "a server on a full disk sees no events"
pz-recommend -g small/shop -S best -F seen -n 500 <pipe >stream 2>stream.err &
stream=$!
exec 8>pipe
echo u1 >&8
for _ in $(seq 500); do
    grep -q "	i2	" stream && break
    sleep 0.01
done
grep -q "	i2	" stream || broken "a stream on a full disk: $(cat stream.err)"

rm small/fill
event i2 | pz-event -q -g small/shop || broken "an event when there is room again: $?"
curl -s -H 'X-Amz-Target: AmazonPersonalize.CreateCampaign' "$url/" >answer -d '{"name":"late",
    "solutionVersionArn":"'$arn:solution/best/"$(basename small/shop/models/best/*.safetensors .safetensors)"'"}'
for _ in $(seq 500); do
    has i4 late && break
    sleep 0.01
done
has i4 late || broken "a campaign that was made since: $(cat answer)"
has i2 best && broken "the server does not see the event that was put since"
: >before.out
cat stream >before.out
echo u1 >&8
exec 8>&-
wait $stream || broken "the stream: $? $(cat stream.err)"
lines=$(wc -l <before.out)
tail -n +"$((lines + 1))" stream >after.out
[ -s after.out ] || broken "the stream ended early"
grep -q "	i2	" after.out && broken "the stream does not see the event that was put since"
finish
