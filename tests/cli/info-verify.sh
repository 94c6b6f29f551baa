#!/bin/sh
# --verify: what is whole, damaged or unreadable, and the statuses that go with it.
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1700000000\nu2,i1,1700000001\n' >i.csv
pz-import -q -g g -t interactions i.csv >out || exit
printf 'ITEM_ID,GENRE\ni1,a\ni2,b\n' >items.csv
pz-import -q -g g -t items items.csv >out || exit
verify()
{
    echo "# $1"
    shift
    pz-info --verify "$@" 2>&1
    echo "status $?"
}
# Overwrites a byte: FILE OFFSET (negative: from the end).
spoil()
{
    at=$2
    [ "$at" -ge 0 ] || at=$(($(wc -c <"$1") + at))
    printf '\377' | dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
}
verify "whole" g
cp -R g d
spoil d/interactions.safetensors -1
verify "last byte of a tensor" d | sed 's/hash is [0-9a-f]*, not [0-9a-f]*/hash is X, not Y/'
verify "the same in JSON" --json d | sed 's/hash is [0-9a-f]*, not [0-9a-f]*/hash is X, not Y/'
spoil d/items.safetensors 20
verify "and the other's header" d | grep -v interactions | sed 's/byte [0-9]*/byte N/'
head -c 100 g/items.safetensors >d/items.safetensors
verify "cut off" d/items.safetensors
printf 'hello' >d/items.safetensors
verify "another file" d/items.safetensors
: >d/items.safetensors
verify "empty" d/items.safetensors
verify "absent and whole" d/absent g/items.safetensors
verify "not of pz" "$PZ_SRC/tests/fuzz/corpus/tensors/two" | sed 's|^/.*/||'
rm -r d
cp -R g d
dd if=/dev/zero of=d/group.db bs=1 seek=4096 count=3000 conv=notrunc 2>/dev/null
verify "catalogue" d | grep -c 'group.db: \(damaged\|unreadable\): '
head -c 50 /dev/urandom >d/group.db
verify "no catalogue" d
echo "# the files are described without it"
pz-info d >out
echo "status $?: $(grep -c dataset: out) $(grep -c '^ *rows' out) $(grep catalogueError out)"
verify "a group without one" "$(rm d/group.db && echo d)"
