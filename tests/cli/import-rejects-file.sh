#!/bin/sh
# A rejects file that cannot be made fails the import, and the dataset stays as it was.
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i2,2\n' >good.csv
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i2,x\n' >bad.csv
pz-import -q -g g -t interactions good.csv
cp g/interactions.safetensors before
pz-import -q -g g -t interactions --rejects nowhere/rejects.csv bad.csv 2>&1
echo "status $?"
mkdir taken
pz-import -q -g g -t interactions --rejects taken bad.csv 2>&1
echo "status $?"
cmp before g/interactions.safetensors && echo untouched
