#!/bin/sh
# Each allocation fails once, for every tool: the answer is the right one, or status 5 with a
# message of the tool, nothing on stdout that looks whole, and the group as it was.
. "$PZ_SRC/tests/fault/lib.inc"
need_lib
need pz-import

# sweep NAME COMMAND...: the command works on the group 'shop', a copy of g; it reads $input
input=/dev/null
sweep()
{
    name=$1
    shift
    fresh shop
    counts "$@" <"$input"
    cp counts.out good.out
    state shop >after
    total=$n_alloc refused=0
    for n in $(points "$total"); do
        fresh shop
        PZ_FAULT=malloc:$n LD_PRELOAD=$PZ_FAULT_LIB "$@" <"$input" >out 2>err
        status=$?
        state shop >now
        case $status in
        0)
            cmp -s out good.out || broken "$name: allocation $n: status 0 and another answer"
            cmp -s now after || { same_files now after && grep -q 'not recorded' err; } ||
                broken "$name: allocation $n: status 0 and another group: $(diff after now | head -n 4)"
            ;;
        5)
            refused=$((refused + 1))
            # pz-info --verify says what it found of each file on stdout.
            grep -q "^$name: ." err || grep -Eq 'out of memory|unreadable' out ||
                broken "$name: allocation $n: no message: $(cat err)"
            cmp -s now before || broken "$name: allocation $n: status 5 and the group changed"
            ;;
        *) broken "$name: allocation $n of $total: status $status: $(head -n 3 err)" ;;
        esac
    done
    [ $refused -gt 0 ] || broken "$name: no failed allocation was refused"
    echo "$name: $total allocations, $refused refused"
}

# never NAME COMMAND...: the same for a command that its input forbids: it is never done
never()
{
    name=$1
    shift
    fresh shop
    PZ_FAULT_LOG=$PWD/counts.log LD_PRELOAD=$PZ_FAULT_LIB "$@" >counts.out 2>counts.err &&
        broken "$name: done: $*"
    n_alloc=$(cut -d ' ' -f 1 counts.log)
    for n in $(seq "$n_alloc"); do
        PZ_FAULT=malloc:$n LD_PRELOAD=$PZ_FAULT_LIB "$@" >out 2>err
        case $? in
        3 | 5) grep -q "^$name: ." err || broken "$name: allocation $n: no message: $(cat err)" ;;
        *) broken "$name: allocation $n of $n_alloc: done: $(cat out err)" ;;
        esac
    done
    state shop >now
    cmp -s now before || broken "$name: refused, and the group changed"
}

if [ -x "$PZ_BUILD/pz-train" ]; then
    group trained
else
    group plain
fi
sweep pz-import pz-import -g shop -t interactions --threads 1 second.csv
sweep pz-import pz-import -g shop -t interactions --threads 2 second.csv
cut -d, -f1-3 second.csv >less.csv
never pz-import pz-import -g shop -t interactions --threads 1 less.csv
[ ! -x "$PZ_BUILD/pz-info" ] || sweep pz-info pz-info -g shop --verify
if [ -x "$PZ_BUILD/pz-train" ]; then
    for r in aws-popularity-count aws-sims aws-user-personalization; do
        sweep pz-train pz-train -g shop -r $r -S new --threads 1
    done
fi
if [ -x "$PZ_BUILD/pz-eval" ]; then
    sweep pz-eval pz-eval -g shop -r aws-sims --protocol loo --by popularity --html page.html --threads 1
    printf 'u1\ti1\nu1\ti2\nu2\ti1\n' >truth.tsv
    printf 'u1\ti2\t0.5\nu2\ti3\t0.2\n' >lists.tsv
    input=lists.tsv
    sweep pz-eval pz-eval --truth truth.tsv --threads 1
    input=/dev/null
fi
if [ -x "$PZ_BUILD/pz-train" ] && [ -x "$PZ_BUILD/pz-recommend" ]; then
    printf '%s\n' u1 u2 nobody >ids
    printf '%s\n' '{"userId":"u3"}' '{"userId":"x","history":["i1","i2"]}' >ids.jsonl
    sweep pz-recommend pz-recommend -g shop -S aws-user-personalization --threads 1 u1 u2 nobody
    input=ids
    sweep pz-recommend pz-recommend -g shop -S aws-sims --threads 1
    awk 'BEGIN {for (i = 0; i < 600; i++) print "i" i % 50}' >many
    input=many
    sweep pz-recommend pz-recommend -g shop -S aws-sims --threads 2
    input=ids.jsonl
    sweep pz-recommend pz-recommend -g shop -S aws-user-personalization --explain --threads 1
fi
finish
