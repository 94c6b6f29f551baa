#!/bin/sh
# kill -9 during compaction and forgetting: bulk rows and events together are what they were (or
# lack the forgotten user), the files are whole, and running it again completes it. Then the same
# at odd moments while a writer goes on: nothing that it acknowledged is lost or there twice.
# PZ_KILLS is the number of kills of each of the three, and of allocations that fail (default 14).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-event
kills=${PZ_KILLS:-14}

all() { pz-info -g shop --export events --source all; }
bulk() { sha256sum <shop/interactions.safetensors; }

shop 1200 >first.csv
shop 1600 50 | sed '2,800d' >second.csv
printf 'USER_ID,AGE\nu1,31\nu7,44\n' >users.csv
pz-import -q -g g -t interactions first.csv >out || exit 1
pz-import -q -g g -t users users.csv >out || exit 1
pz-event -q -g g second.csv >out || exit 1
echo '{"userId":"u7","age":45}' | pz-event -g g -t users || exit 1
echo '{"sessionId":"s","itemId":"i1","sentAt":5}' | pz-event -g g || exit 1
fresh shop
all >want
grep -v '^u7,' want >want.others
bulk >before
pz-event -g shop --compact >out || broken "compaction: $(cat out)"
bulk >after
all | cmp -s - want || broken "compaction changes what there is"

compacted() # NAME
{
    bulk >now
    cmp -s now before || cmp -s now after || broken "$1: the dataset is neither the old nor the new one"
    all >got 2>err || broken "$1: $(cat err)"
    cmp -s got want || broken "$1: other rows: $(diff got want | head -n 3)"
    pz-info --verify shop >out || broken "$1: $(cat out)"
    pz-event -g shop --compact >out 2>err || broken "$1: the next compaction: $(cat err)"
    bulk | cmp -s - after || broken "$1: the next compaction does not complete it"
    [ "$(pz-info -g shop --export events | wc -l)" -eq 2 ] || broken "$1: the store keeps events"
    left=$(find shop -name '.pz-*')
    [ -z "$left" ] || broken "$1: leaves $left"
}

forgotten() # NAME
{
    all >got 2>err || broken "$1: $(cat err)"
    grep -v '^u7,' got | cmp -s - want.others || broken "$1: others lost rows"
    grep '^u7,' got >rest
    grep -vxF -f want rest >extra
    [ ! -s extra ] || broken "$1: rows that were not there: $(cat extra)"
    pz-info --verify shop >out || broken "$1: $(cat out)"
    pz-import -q -g shop --forget u7 >out 2>err || broken "$1: the next forgetting: $(cat err)"
    all | cmp -s - want.others || broken "$1: the next forgetting does not complete it"
    pz-info -g shop --audit u7 >out || broken "$1: $(cat out)"
    ! grep -q u7 shop/group.db || broken "$1: the database holds bytes of it"
}

if [ -n "${PZ_FAULT_LIB:-}" ]; then
    PZ_FAULT_RUNS=$kills
    fresh shop
    counts pz-event -g shop --compact
    for n in $(points "$n_call"); do
        fresh shop
        PZ_FAULT=kill:$n LD_PRELOAD=$PZ_FAULT_LIB pz-event -g shop --compact >out 2>err
        compacted "compaction killed at call $n of $n_call"
    done
    echo "compaction: killed among $n_call calls"
    fresh shop
    counts pz-import -q -g shop --forget u7
    for n in $(points "$n_call"); do
        fresh shop
        PZ_FAULT=kill:$n LD_PRELOAD=$PZ_FAULT_LIB pz-import -g shop --forget u7 >out 2>err
        forgotten "forgetting killed at call $n of $n_call"
    done
    echo "forgetting: killed among $n_call calls"
    # Without memory: refused with a message, and the same holds.
    fresh shop
    counts pz-event -g shop --compact --threads 1
    for n in $(points "$n_alloc"); do
        fresh shop
        PZ_FAULT=malloc:$n LD_PRELOAD=$PZ_FAULT_LIB pz-event -g shop --compact --threads 1 >out 2>err
        status=$?
        [ $status -eq 0 ] || { [ $status -eq 5 ] && grep -q '^pz-event: .' err; } ||
            broken "compaction without allocation $n: status $status: $(head -n 1 err)"
        compacted "compaction without allocation $n of $n_alloc"
    done
    echo "compaction: $n_alloc allocations"
fi

# A writer whose events are told apart by their items, and compactions that die under it.
fresh shop
mkfifo pipe
pz-event -g shop --ack pipe >acks 2>writer.err &
writer=$!
awk 'BEGIN {
    for (i = 0; i < 1000000; i++) {
        printf "{\"eventId\":\"e%d\",\"userId\":\"w%d\",\"itemId\":\"e%d\",\"sentAt\":%d}\n", i, i % 97, i, i
        if (i % 50 == 0)
            system("sleep 0.003")
    }
}' >pipe 2>/dev/null &
feeder=$!
k=0 died=0
while [ $k -lt "$kills" ]; do
    k=$((k + 1))
    pz-event -q -g shop --compact >out 2>err &
    pid=$!
    sleep "$(awk -v k=$k 'BEGIN { srand(k); printf "%.4f", 0.002 + rand() * 0.08 }')"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $? -ne 137 ] || died=$((died + 1))
done
kill -9 $writer
wait $writer 2>/dev/null
kill $feeder 2>/dev/null
wait $feeder 2>/dev/null
[ ! -s writer.err ] || broken "the writer: $(cat writer.err)"
pz-event -g shop --compact >out 2>err || broken "the last compaction: $(cat err)"
all | cut -d, -f2 | grep '^e' | sort >stored
grep -x 'e[0-9]*' acks | sed '$d' | sort -u | comm -23 - stored >lost
[ ! -s lost ] || broken "$(wc -l <lost) acknowledged events are lost, such as $(head -n 1 lost)"
uniq -d stored >twice
[ ! -s twice ] || broken "$(wc -l <twice) events are there twice, such as $(head -n 1 twice)"
[ "$(wc -l <acks)" -gt 100 ] || broken "the writer acknowledged $(wc -l <acks) events only"
echo "$died of $kills compactions killed under a writer of $(wc -l <stored) events"
finish
