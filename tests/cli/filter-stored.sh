#!/bin/sh
# shellcheck disable=SC2016 # placeholders are not for the shell
# Filters by name: saved, listed, used, deleted; AWS's limits of a group.
for need in pz-import pz-filter; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
f() { pz-filter -g shop "$@"; }
# refused STATUS COMMAND...: with its message
refused()
{
    want=$1
    shift
    "$@" </dev/null >out 2>err
    got=$?
    [ $got -eq "$want" ] || echo "status $got, wanted $want: $*"
    head -n 1 err
}
f --list
f --save cheap 'INCLUDE ItemID WHERE Items.PRICE <= $MAX'
f --save new-1 'INCLUDE ItemID
WHERE Items.CREATION_TIMESTAMP > $SINCE'
f --list
f --list --json
printf 'u1\ti1\nu1\ti2\n' | f -V MAX=30 cheap
f --check cheap && f --check --explain -V MAX=30 cheap
refused 2 pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE <= 3'
for o in --list '--delete cheap' '--save x' '--check'; do
    for idle in '-V MAX=1' '-n 5' '--user u1' '--window 5' --strict --explain; do
        case $o$idle in --check-V* | --check--window* | --check--[se]* | '--save x--strict') continue ;; esac
        # shellcheck disable=SC2086 # words
        refused 2 pz-filter -g shop $o $idle
    done
done
refused 2 pz-filter -g shop --save 'a name' 'INCLUDE ItemID WHERE Items.PRICE <= 3'
refused 3 pz-filter -g shop --save other 'INCLUDE ItemID WHERE Items.PRICE <= "x"'
refused 2 pz-filter -g shop --save other cheap
refused 2 pz-filter -g shop --delete other
refused 2 pz-filter -g shop --list --delete cheap
refused 2 pz-filter -g shop --list cheap
f --delete cheap
f --list
refused 2 pz-filter -g shop cheap

# 30 filters, 20 fields, 2,500 characters.
for i in $(seq 2 30); do f --strict --save "f$i" "INCLUDE ItemID WHERE Items.PRICE > $i"; done
refused 3 pz-filter -g shop --strict --save f31 'INCLUDE ItemID WHERE Items.PRICE > 31'
f --save f31 'INCLUDE ItemID WHERE Items.PRICE > 31'
long=$(printf '%2500s' 'Items.PRICE > 31')
refused 3 pz-filter -g shop --strict --check "INCLUDE ItemID WHERE $long"
f --check "INCLUDE ItemID WHERE $long"
# Mixed AND and OR: a warning, not with -q.
f --check 'INCLUDE ItemID WHERE Items.PRICE > 1 OR Items.PRICE < 3 AND Items.NAME = "x"' 2>&1
f -q --check 'INCLUDE ItemID WHERE Items.PRICE > 1 OR Items.PRICE < 3 AND Items.NAME = "x"' 2>&1
f --check 'INCLUDE ItemID WHERE Items.PRICE > 1 OR (Items.PRICE < 3 AND Items.NAME = "x")' 2>&1
f --check 'INCLUDE ItemID WHERE Items.NAME IN ("$P")' 2>&1
exit 0
