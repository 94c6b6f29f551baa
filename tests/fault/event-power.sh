#!/bin/sh
# The power goes while events are stored: what was acknowledged is there, nothing needs repair. A
# first run makes the store, a second one finds it; between them both compaction and checkpoints.
# PZ_CUTS is the number of cuts (default 60).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-event pz-info
for t in strace python3; do
    command -v $t >found || skip "no $t (make deps-test)"
done
strace -o found true 2>err || skip "strace may not trace here: $(head -n 1 err)"
export ASAN_OPTIONS=detect_leaks=0 # which it cannot do when traced
mkdir g || exit 1
awk 'BEGIN { for (i = 0; i < 60; i++)
    printf "{\"eventId\":\"e%d\",\"userId\":\"u%d\",\"itemId\":\"i%d\",\"sentAt\":%d}\n", i, i % 7, i, i }' >in
: >acks
cat >job <<'END'
head -n 20 in | pz-event -q -g g --ack --batch 1 >>acks
sed -n '21,60p' in | pz-event -q -g g --ack --batch 3 >>acks
END
strace -f -y -xx -s 99999999 -o log \
    -e trace=openat,write,pwrite64,ftruncate,rename,unlink,fsync,fdatasync sh job 2>err ||
    broken "under strace: $(cat err)"
[ "$(wc -l <acks)" -eq 60 ] || broken "$(wc -l <acks) of 60 events were acknowledged"
cat >check <<'END'
pz-info --verify cut >out 2>&1 || { echo "pz-info --verify: $(cat out)"; exit 1; }
pz-info -g cut --export events >out 2>err || { echo "pz-info --export: $(cat err)"; exit 1; }
tail -n +2 out | cut -d, -f1 | sort >stored
[ -z "$(uniq -d stored)" ] || { echo "stored twice: $(uniq -d stored | head -n 1)"; exit 1; }
lost=$(sort cut.acked | comm -23 - stored | head -n 1)
[ -z "$lost" ] || { echo "lost: $lost"; exit 1; }
pz-event -q -g cut <in 2>err || { echo "the next run: $(cat err)"; exit 1; }
[ "$(pz-info -g cut --export events | wc -l)" -eq 61 ] || { echo "the next run did not store the rest"; exit 1; }
END
python3 "$PZ_SRC/tests/fault/powercut.py" log g acks "${PZ_CUTS:-60}" sh check || broken "a power cut"
finish
