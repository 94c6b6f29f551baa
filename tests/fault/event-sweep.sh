#!/bin/sh
# pz-event when memory, the disk or a sync fails at every moment: status 5 and a message, no
# acknowledged event is missing, and the next run stores the rest.
. "$PZ_SRC/tests/fault/lib.inc"
need_lib
need pz-event pz-import
export PZ_FAULT_RUNS="${PZ_FAULT_RUNS:-60}"

ids() { pz-info -g "$1" --export events | tail -n +2 | cut -d, -f1 | sort; }

# sweep MODE WORDS: at each call of the kind that fault.so counts
sweep()
{
    fresh shop
    counts pz-event -g shop --ack --batch 30 events.jsonl
    n_points=$n_call refused=0
    [ "$1" != malloc ] || n_points=$n_alloc
    for n in $(points "$n_points"); do
        fresh shop
        PZ_FAULT=$1:$n LD_PRELOAD=$PZ_FAULT_LIB \
            pz-event -g shop --ack --batch 30 events.jsonl >acks 2>err
        status=$?
        case $status in
        0) cmp -s acks all || broken "$1 at $n: status 0 and other acknowledgements" ;;
        5)
            refused=$((refused + 1))
            grep -Eq "^pz-event: .*($2)" err || broken "$1 at $n: $(head -n 1 err)"
            ;;
        *) broken "$1 at $n of $n_points: status $status: $(head -n 1 err)" ;;
        esac
        ids shop >stored
        sort acks | comm -23 - stored >lost
        [ ! -s lost ] || broken "$1 at $n: status $status, acknowledged and lost: $(wc -l <lost)"
        pz-event -g shop --ack events.jsonl >acks 2>err || broken "$1 at $n: then: $(cat err)"
        cmp -s acks all || broken "$1 at $n: then other acknowledgements"
        ids shop | cmp -s - all.sorted || broken "$1 at $n: then other events"
    done
    [ $refused -gt 0 ] || broken "$1: nothing was refused"
    echo "$1 at $n_points calls, $refused refused"
}

group plain
awk 'BEGIN { for (i = 0; i < 100; i++) printf "{\"eventId\":\"e%d\",\"userId\":\"u%d\"," \
    "\"sessionId\":\"s%d\",\"itemId\":\"i%d\",\"eventType\":\"view\",\"sentAt\":%d}\n",
    i, i % 7, i / 5, i, i }' >events.jsonl
fresh shop
pz-event -g shop --ack events.jsonl >all 2>err || { cat err; exit 1; }
sort all >all.sorted
sweep malloc '.'
sweep enospc 'No space left|disk is full|full'
sweep eio 'Input/output error|I/O error'

# A limit on the size of files stands for the full disk.
fresh shop
(
    trap '' XFSZ
    ulimit -f 200
    awk 'BEGIN { for (i = 0; i < 20000; i++) printf "{\"eventId\":\"e%d\",\"userId\":\"u%d\"," \
        "\"itemId\":\"i%d\",\"eventType\":\"view\",\"sentAt\":%d}\n", i, i % 99, i, i }' |
        pz-event -g shop --ack --batch 50 2>err
    echo $? >status
) >acks
[ "$(cat status)" = 5 ] || broken "file size limit: status $(cat status): $(head -n 1 err)"
ids shop >stored
sort acks | comm -23 - stored >lost
[ ! -s lost ] || broken "file size limit: $(wc -l <lost) acknowledged events are lost"
[ -s acks ] || broken "file size limit: nothing was acknowledged before"
finish
