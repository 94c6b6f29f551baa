#!/bin/sh
# Damaged and foreign pz files: status 4 and the file's name, whoever opens them.
. "$PZ_SRC/tests/cli/bad.inc"
set_file=shop/interactions.safetensors

# damaged WHAT: shop/interactions.safetensors is damaged; every reader refuses it
damaged()
{
    what=$1
    refuses "$what, added to" 4 'interactions\.safetensors' \
        pz-import -g shop -t interactions -m incremental good.csv
    if [ -x "$PZ_BUILD/pz-train" ]; then
        refuses "$what, trained" 4 'interactions\.safetensors' pz-train -g shop -r aws-sims --no-eval
    fi
    if [ -x "$PZ_BUILD/pz-info" ]; then
        files shop >before
        pz-info --verify "$set_file" >out 2>err
        status=$?
        case $status in
        1 | 4) ;;
        *) echo "$what, verified: status $status: $(head -n 1 err)" ;;
        esac
        cat out err | grep -q 'interactions\.safetensors' || echo "$what, verified: not named"
    fi
    cp good.safetensors "$set_file"
}

cp $set_file good.safetensors
size=$(wc -c <good.safetensors)

# A count of 10^9 in the header, in the place of a number as long.
LC_ALL=C sed 's/"shape":\[[0-9]*\]/"shape":[999999999]/' good.safetensors >$set_file
damaged 'a count that is too large and shifts the rest'
tag=$(LC_ALL=C grep -a -o '"user.offsets":{[^}]*"shape":\[[0-9]*\]' good.safetensors | head -n 1)
digits=${tag##*[}
digits=${digits%]}
nines=$(printf '%s' "$digits" | tr 0-9 9)
LC_ALL=C sed "s/\\(\"user.offsets\":{[^}]*\"shape\":\\[\\)$digits\\]/\\1$nines]/" good.safetensors >$set_file
cmp -s good.safetensors $set_file && echo 'the count was not found in the header'
damaged 'a user count that is too large'

: >$set_file
damaged 'an empty file'
head -c 7 good.safetensors >$set_file
damaged 'seven bytes'
head -c $((size / 2)) good.safetensors >$set_file
damaged 'half a file'
head -c $((size - 1)) good.safetensors >$set_file
damaged 'a byte less'
{ cat good.safetensors; echo; } >$set_file
damaged 'a byte more'
{ printf '\377\377\377\377\377\377\377\177'; tail -c +9 good.safetensors; } >$set_file
damaged 'a header length of 2^63'
echo 'USER_ID,ITEM_ID,TIMESTAMP' >$set_file
damaged 'a CSV file'
LC_ALL=C sed 's/"pz.format":"1\./"pz.format":"9./' good.safetensors >$set_file
cmp -s good.safetensors $set_file && echo 'no "pz.format" in the header'
damaged 'a higher major version'

# A byte of data turned over: only --verify and training read all of it.
{
    head -c $((size - 100)) good.safetensors
    tail -c 100 good.safetensors | LC_ALL=C tr '\000-\377' '\001-\377\000'
} >$set_file
damaged_data='data bytes changed'
if [ -x "$PZ_BUILD/pz-info" ]; then
    pz-info --verify $set_file >out 2>err
    [ $? -eq 1 ] || echo "$damaged_data: --verify: $(cat err)"
    cat out err | grep -q "interactions\\.safetensors.*'" || echo "$damaged_data: no tensor is named"
fi
[ ! -x "$PZ_BUILD/pz-train" ] ||
    refuses "$damaged_data, trained" 4 "interactions\\.safetensors.*tensor" pz-train -g shop -r aws-sims --no-eval
cp good.safetensors $set_file

# Models: of the wrong kind, and none.
if [ -x "$PZ_BUILD/pz-recommend" ]; then
    refuses 'a dataset as model' 4 'interactions\.safetensors.*model' pz-recommend -m $set_file u1
    refuses 'a CSV file as model' 4 'good\.csv' pz-recommend -m good.csv u1
    refuses 'no such model' 5 'none.*No such file' pz-recommend -m none u1
    refuses 'a directory as model' 4 'shop' pz-recommend -m shop u1
    refuses 'a group without versions' '2 3' 'no trained model|nothing' pz-recommend -g shop -S nothing u1
fi
if [ -x "$PZ_BUILD/pz-train" ]; then
    cp $set_file shop/users.safetensors
    rm $set_file
    refuses 'no interactions' '3 5' 'interactions' pz-train -g shop -r aws-sims
fi

# Offsets of a dictionary that lead out of it, with everything else as it should be.
sed '1s/$/,PLACE/; 2,$s/$/,x/' good.csv >placed.csv
pz-import -q -g shop -t interactions placed.csv >made || exit 1
tag=$(LC_ALL=C grep -a -o '"dict.PLACE.offsets":{[^}]*"data_offsets":\[[0-9]*' $set_file)
header=$(od -An -tu8 -N8 $set_file | tr -d ' ')
printf '\377\377\377\377\377\377\377\177' |
    dd of=$set_file bs=1 seek=$((8 + header + ${tag##*[} + 8)) conv=notrunc 2>dd.err
refuses 'offsets of a dictionary' 4 'dict\.PLACE' pz-import -g shop -t interactions -m incremental placed.csv

# The report over a group reads its other datasets too.
printf 'ITEM_ID,KIND\ni1,a\n' >items.csv
pz-import -q -g hurt -t items items.csv >made || exit 1
: >hurt/items.safetensors
pz-import -q -g hurt -t interactions --report good.csv >out 2>err
status=$?
[ $status -eq 4 ] || echo "report over a damaged dataset: status $status, wanted 4"
grep -q 'hurt/items.safetensors' err || echo "report over a damaged dataset: $(cat err)"
