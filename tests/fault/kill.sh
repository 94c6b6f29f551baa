#!/bin/sh
# kill -9 at every call that changes a file, and at odd moments: the group is as it was, or as
# it is after the whole job; the next job works and nothing is left over behind it. (A file without a
# name gets a hidden one for the moment of the rename; a kill just there leaves it until then.)
. "$PZ_SRC/tests/fault/lib.inc"
need pz-import

# killed NAME: judges the group 'shop' after a kill
killed()
{
    state shop | grep -v ' \./\([a-z]*/\)*\.pz-' >now
    grep -v '^catalogue: ' now >now.files
    if cmp -s now.files before.files; then
        # The file is the old one: the catalogue must not tell of a new one.
        cmp -s now before || broken "$1: old files with another catalogue: $(diff before now | head -n 5)"
    elif ! cmp -s now.files after.files; then
        broken "$1: neither as before nor as after: $(diff after.files now.files | head -n 5)"
    fi
}

# sweep NAME COMMAND...
sweep()
{
    name=$1
    shift
    fresh shop
    counts "$@"
    state shop | grep -v '^catalogue: ' >after.files
    for n in $(points "$n_call"); do
        fresh shop
        PZ_FAULT=kill:$n LD_PRELOAD=$PZ_FAULT_LIB "$@" >out 2>err
        killed "$name killed at call $n of $n_call"
        "$@" >out 2>err || broken "$name after a kill at call $n: status $?: $(head -n 1 err)"
        left=$(find shop -name '.pz-*')
        [ -z "$left" ] || broken "$name killed at call $n: the next run leaves $left"
    done
    echo "$name: killed at $n_call calls"
}

group plain
grep -v '^catalogue: ' before >before.files
if [ -n "${PZ_FAULT_LIB:-}" ]; then
    sweep pz-import pz-import -g shop -t interactions second.csv
    # A spilling import has more on disk to leave behind.
    sweep "pz-import --memory" pz-import -g shop -t interactions --memory 16K second.csv
    [ ! -x "$PZ_BUILD/pz-train" ] || sweep pz-train pz-train -g shop -r aws-sims -S new
fi

# Moments that no call marks: a larger import killed at ever later times.
shop 150000 4000 >large.csv
fresh shop
start=$(date +%s%N)
pz-import -q -g shop -t interactions large.csv >out 2>err || broken "import of large.csv: $(cat err)"
took=$((($(date +%s%N) - start) / 1000))
state shop | grep -v '^catalogue: ' >after.files
for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    fresh shop
    pz-import -q -g shop -t interactions large.csv >out 2>err &
    pid=$!
    sleep "$(awk "BEGIN { printf \"%.6f\", $took * $k / 20e6 }")"
    kill -9 $pid 2>err
    wait $pid 2>err
    killed "pz-import killed after $k twentieths"
done
finish
