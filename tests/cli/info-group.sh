#!/bin/sh
# What pz-info says of a group, of a file, and of nothing.
export PZ_NOW=1700000000
cat >i.csv <<'END'
USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE
u1,i1,1700000000,view,0.5
u1,i2,1700000100,buy,2.5
u2,i1,1699999999,view,
u3,i3,1700000000,,-1
u3,i3,1700000000,,-1
END
printf 'ITEM_ID,GENRE,YEAR\ni1,a|b,1999\ni2,,2003\n' >items.csv
pz-import -q -g g -t interactions i.csv >out || exit
pz-import -q -g g -t items items.csv >out || exit
echo "# text"
pz-info -g g | sed 's/bytes  .*/bytes  N/'
echo "# json"
pz-info g --json | sed 's/"bytes":[0-9]*/"bytes":N/g'
echo "# file"
pz-info g/items.safetensors | sed '/bytes  *[0-9]/s/[0-9][0-9]*/N/; s/ [0-9a-f]\{16\}$/ HASH/
    s/pz.version  .*/pz.version  V/'
echo "# two files, in JSON a line each"
pz-info --json g/items.safetensors g | wc -l
echo "# schema"
pz-info -g g --schema items
echo "# an empty directory is an empty group"
mkdir empty
pz-info empty
for args in "" "-g absent" "absent.safetensors" "i.csv" "--verify --export items g" \
    "-g g --export users" "-g g --export songs" "--export users g/items.safetensors" \
    "--export items g/items.safetensors g/items.safetensors"; do
    # shellcheck disable=SC2086
    pz-info $args >out 2>err
    echo "status $? for '$args': $(head -n 1 err)$(cat out)"
done
