#!/bin/sh
# Eight writers at once, and a reader among them: every event is there once, in the order of its
# writer. PZ_EVENTS is the number of events of each (default 4000).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-event
each=${PZ_EVENTS:-4000}
mkdir g || exit 1
pids=
for w in 1 2 3 4 5 6 7 8; do
    awk -v w=$w -v n="$each" 'BEGIN {
        for (i = 0; i < n; i++)
            printf "{\"eventId\":\"%d-%d\",\"userId\":\"u%d\",\"itemId\":\"i%d\",\"sentAt\":%d}\n",
                w, i, i % 50, i, w }' >in.$w
    pz-event -g g --ack --batch $((w * w * 25)) <in.$w >acks.$w 2>err.$w &
    pids="$pids $!"
done
reads=0
while kill -0 $! 2>/dev/null && [ $reads -lt 50 ]; do
    pz-info -g g --export events >seen 2>err || broken "a reader among writers: $(cat err)"
    reads=$((reads + 1))
done
w=0
for pid in $pids; do
    w=$((w + 1))
    wait "$pid" || broken "writer $w: status $?: $(cat err.$w)"
    sed 's/.*"eventId":"\([^"]*\)".*/\1/' in.$w | cmp -s - acks.$w || broken "writer $w: other acks"
done
pz-info -g g --export events | tail -n +2 | cut -d, -f1 >stored
n=$(wc -l <stored)
[ "$n" -eq $((8 * each)) ] || broken "$n events are stored, not $((8 * each))"
[ -z "$(sort stored | uniq -d)" ] || broken "some are stored twice"
awk -F- '$2 != next_of[$1] + 0 && !wrong++ { print "writer " $1 ": " $2 " after " next_of[$1] - 1 }
    { next_of[$1] = $2 + 1 }' stored >order
[ ! -s order ] || broken "$(cat order)"
echo "8 writers, $n events, $reads reads"
finish
