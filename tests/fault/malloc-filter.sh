#!/bin/sh
# Each allocation of pz-filter fails once: the answer is the right one, or status 5 with a
# message; what was written before it is the start of the right one.
# shellcheck disable=SC2016 # placeholders are not for the shell
. "$PZ_SRC/tests/fault/lib.inc"
need_lib
need pz-import pz-filter
group plain
printf "%s\ti%d\t1\n" u1 1 u1 2 u2 3 nobody 4 >answers.tsv
printf '%s\n' '{"input":{"userId":"u1","filterValues":{"E":"\"view\""}},"output":{"recommendedItems":["i1","i2"],"scores":[2,1]},"error":null}' \
    '{"input":{"userId":"u2"},"output":{"recommendedItems":["i3"]}}' '{' >answers.jsonl

# sweep INPUT COMMAND...
sweep()
{
    input=$1
    shift
    fresh shop
    counts "$@" <"$input"
    cp counts.out good.out
    total=$n_alloc refused=0
    for n in $(points "$total"); do
        fresh shop
        PZ_FAULT=malloc:$n LD_PRELOAD=$PZ_FAULT_LIB "$@" <"$input" >out 2>err
        status=$?
        case $status in
        0) cmp -s out good.out || broken "$input: allocation $n: status 0 and another answer" ;;
        5)
            refused=$((refused + 1))
            grep -q '^pz-filter: .' err || broken "$input: allocation $n: no message: $(cat err)"
            head -c "$(wc -c <out)" good.out | cmp -s - out ||
                broken "$input: allocation $n: status 5 and another answer"
            ;;
        *) broken "$input: allocation $n of $total: status $status: $(head -n 3 err)" ;;
        esac
    done
    [ $refused -gt 0 ] || broken "$input: no failed allocation was refused"
    echo "$input: $total allocations, $refused refused"
}
bought='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase") AND (Interactions.TIMESTAMP > 3
    OR Interactions.TIMESTAMP <= 3)'
sweep answers.tsv pz-filter -g shop --window 3 "$bought"
sweep answers.tsv pz-filter -g shop --explain "$bought"
sweep answers.jsonl pz-filter -q -g shop 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)'
sweep /dev/null pz-filter -g shop --check --explain "$bought"
sweep /dev/null pz-filter -g shop --save bought "$bought"
sweep /dev/null pz-filter -g shop --list --json
finish
