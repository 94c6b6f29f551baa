#!/bin/sh
# No room, or a write that fails, at every moment: status 5, a message that says so, the
# group as it was, and the next run works.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-import

# sweep MODE WORDS NAME COMMAND...: the message must match WORDS
sweep()
{
    mode=$1 words=$2 name=$3
    shift 3
    fresh shop
    counts "$@"
    state shop >after
    refused=0
    for n in $(points "$n_call"); do
        fresh shop
        PZ_FAULT=$mode:$n LD_PRELOAD=$PZ_FAULT_LIB "$@" >out 2>err
        status=$?
        state shop >now
        case $status in
        0)
            # The history may lack a line, and a warning says so.
            cmp -s now after || { same_files now after && grep -q 'not recorded' err; } ||
                broken "$name: $mode at call $n: status 0 and another group"
            ;;
        5)
            grep -q "shop['/]" err ||
                broken "$name: $mode at call $n: says not where: $(head -n 1 err)"
            refused=$((refused + 1))
            grep -Eq "^$name: .*($words)" err || broken "$name: $mode at call $n: $(head -n 1 err)"
            # Only the directory whose own fsync fails may have changed by then.
            cmp -s now before || { [ "$mode" = eio ] && same_files now after; } ||
                broken "$name: $mode at call $n: the group changed: $(diff before now | head -n 5)"
            ;;
        *) broken "$name: $mode at call $n of $n_call: status $status: $(head -n 1 err)" ;;
        esac
    done
    "$@" >out 2>err || broken "$name: after it: status $?: $(head -n 1 err)"
    [ $refused -gt 0 ] || broken "$name: $mode: nothing was refused"
    echo "$name: $mode at $n_call calls, $refused refused"
}

group plain
# What SQLite says when its own files cannot grow.
full='No space left|disk is full|database or disk is full'
if [ -n "${PZ_FAULT_LIB:-}" ]; then
    sweep enospc "$full" pz-import pz-import -g shop -t interactions second.csv
    sweep enospc "$full" pz-import pz-import -g shop -t interactions --memory 16K second.csv
    sweep eio 'Input/output error|I/O error' pz-import pz-import -g shop -t interactions second.csv
    [ ! -x "$PZ_BUILD/pz-train" ] ||
        sweep enospc "$full" pz-train pz-train -g shop -r aws-sims -S new
fi

# A limit on the size of files stands for the full disk where nobody is root.
fresh shop
(
    trap '' XFSZ
    ulimit -f 4
    exec pz-import -g shop -t interactions second.csv
) >out 2>err
status=$?
[ $status -eq 5 ] || broken "file size limit: status $status: $(head -n 1 err)"
grep -Eq 'File too large|disk I/O error' err || broken "file size limit: $(head -n 1 err)"
state shop >now
cmp -s now before || broken "file size limit: the group changed"

# The real thing, where this may mount.
mkdir small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=512k tmpfs small 2>err; then
    trap 'umount "$PWD/small"' EXIT
    cp -a g small/shop
    shop 60000 4000 >large.csv
    pz-import -g small/shop -t interactions large.csv >out 2>err
    status=$?
    [ $status -eq 5 ] || broken "full tmpfs: status $status: $(head -n 1 err)"
    grep -Eq "^pz-import: .*($full)" err || broken "full tmpfs: $(head -n 1 err)"
    cp -a small/shop shop.small
    state shop.small >now
    cmp -s now before || broken "full tmpfs: the group changed: $(diff before now | head -n 5)"
    [ "$(find small -type f ! -name 'group.db*' | wc -l)" -eq "$(find g -type f ! -name 'group.db*' | wc -l)" ] ||
        broken "full tmpfs: left over: $(find small -type f)"
fi
finish
