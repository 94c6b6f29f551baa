#!/bin/sh
# Datasets that share no id at all are told of, whichever comes last; one shared is enough.
import() { set=$1; shift; pz-import -g g -t "$set" "$@" 2>&1 || echo "status $?"; }
printf 'USER_ID,ITEM_ID,TIMESTAMP\n1.0,7.0,1\n2.0,8.0,2\n' >events.csv
printf 'ITEM_ID,PRICE\n7,1\n8,2\n' >items.csv
printf 'USER_ID,AGE\n2.0,30\n3.0,31\n' >users.csv
echo '-- items and users first'
import items items.csv
import users users.csv
import interactions events.csv
echo '-- items after the interactions'
import items items.csv
pz-import -q -g g -t items items.csv 2>&1
echo '-- written alike; without rows'
printf 'ITEM_ID,PRICE\n9,1\n7.0,2\n' | import items
printf 'ITEM_ID,PRICE\n' | import items
printf 'USER_ID,AGE\n2,30\n' | import users --json | sed 's/,"schema.*//'
echo '-- what cannot be read is passed over: the import is done'
printf damaged >g/items.safetensors
import interactions events.csv
