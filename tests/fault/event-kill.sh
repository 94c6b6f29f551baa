#!/bin/sh
# kill -9 at any moment under a writer that acknowledges: every event it acknowledged is there,
# none is there twice, and the next run needs no repair. PZ_KILLS is the number of kills
# (default 60); the same store lives through all of them, so that a kill also meets the recovery
# from the one before.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-event
kills=${PZ_KILLS:-60}
mkdir g || exit 1
# Ids say who wrote: run, number. Every tenth is sent twice; some runs trickle, others pour.
events()
{
    awk -v run="$1" -v slow="$2" 'BEGIN {
        for (i = 0; i < 400000; i++) {
            printf "{\"eventId\":\"%d-%d\",\"userId\":\"u%d\",\"sessionId\":\"s%d\"," \
                "\"itemId\":\"i%d\",\"sentAt\":%d}\n", run, i, i % 97, i / 10, i, run
            if (i % 10 == 0)
                printf "{\"eventId\":\"%d-%d\",\"userId\":\"x\",\"itemId\":\"y\",\"sentAt\":1}\n", run, i
            if (slow && i % 20 == 0)
                system("sleep 0.002")
        }
    }'
}
: >acked
k=0
while [ $k -lt "$kills" ]; do
    k=$((k + 1))
    rm -f pipe && mkfifo pipe
    batch=$((1 + k * 37 % 700))
    pz-event -g g --ack --batch $batch pipe >acks 2>err &
    pid=$!
    events $k $((k % 3 == 0)) >pipe 2>/dev/null &
    feeder=$!
    sleep "$(awk -v k=$k 'BEGIN { srand(k); printf "%.4f", 0.005 + rand() * 0.15 }')"
    kill -9 $pid 2>/dev/null || broken "kill $k: the writer ended before: $(cat err)"
    wait $pid 2>/dev/null
    kill $feeder 2>/dev/null
    wait $feeder 2>/dev/null
    # The last line may be cut: then it was not said.
    awk '{ if (NR > 1) print last; last = $0 } END { if (last ~ /^[0-9]+-[0-9]+$/) print last }' \
        acks | sort -u >>acked
done
# No repair: the next run just works.
echo '{"eventId":"last","userId":"u","itemId":"i","sentAt":1}' | pz-event -g g --ack >out 2>err ||
    broken "the run after: $(cat err)"
grep -qx last out || broken "the run after acknowledges: $(cat out)"
pz-info --verify g >out 2>&1 || broken "pz-info --verify: $(cat out)"
pz-info -g g --export events | tail -n +2 | cut -d, -f1 | sort >stored
sort -u acked | comm -23 - stored >lost
[ ! -s lost ] || broken "$(wc -l <lost) acknowledged events are lost, such as $(head -n 1 lost)"
uniq -d stored >twice
[ ! -s twice ] || broken "$(wc -l <twice) events are stored twice, such as $(head -n 1 twice)"
# What is stored of a run is a prefix of what was sent, in its order.
pz-info -g g --export events | tail -n +2 | grep -v '^last,' | awk -F'[-,]' '
    $2 != next_of[$1] + 0 && !wrong++ { print "run " $1 ": " $2 " after " next_of[$1] - 1 }
    { next_of[$1] = $2 + 1 }' >order
[ ! -s order ] || broken "$(cat order)"
[ -s acked ] || broken "nothing was acknowledged"
echo "$kills kills: $(sort -u acked | wc -l) acknowledged, $(wc -l <stored) stored"
finish
