#!/bin/sh
# What pz-import says to files as they are found, and that it says it once.
no() { pz-import -g a -t interactions "$@" 2>&1 || echo "status $?"; }

echo '-- two characters between the fields'
printf '1::1193::5::978300760\n1::661::3::978302109\n' >ratings.dat
no ratings.dat
sed 's/::/\t/g' ratings.dat | no --header USER_ID,ITEM_ID,RATING,TIMESTAMP
rm -r a

echo '-- a column of --header that is not there, and one left out on purpose'
printf 'u1,i1,x,5\n' >bare.csv
no --header USER_ID,ITEM_ID,,X bare.csv
no --header USER_ID,ITEM_ID,,TIMESTAMP bare.csv
no --header USER_ID,ITEM_ID,TIMESTAMP,ITEM_ID bare.csv
no --header USER_ID,ITEM_ID,TIMESTAMP,timestamp bare.csv
rm -r a

echo '-- warnings stand once, however often the types have to be widened'
{
    echo USER_ID,ITEM_ID,TIMESTAMP,A,,B
    awk 'BEGIN { for (i = 0; i < 100000; i++) print "u" i % 7 ",i" i % 11 "," i ",1,,1" }'
    echo u1,i1,200000,1.5,,x
} >wide.csv
sed -n 's/$/,9/; 1s/9$/C/; 1,2p' wide.csv >more.csv
no --threads 1 wide.csv more.csv
rm -r a

echo '-- a column that gets its name at the second import'
printf 'visitor,ITEM_ID,TIMESTAMP,event\nu1,i1,5,view\n' >log.csv
no -c USER_ID=visitor log.csv
no -c USER_ID=visitor -c EVENT_TYPE=event log.csv
no -c USER_ID=visitor -c EVENT_TYPE=event --infer log.csv
rm -r a

echo '-- rows without a user'
awk 'BEGIN { print "USER_ID,ITEM_ID,TIMESTAMP"
    for (i = 0; i < 300; i++) print (i % 2 ? "" : "u1") ",i" i "," i }' >blank.csv
no blank.csv
no --max-rejects -1 blank.csv >log
sed -n '1p; 100,$p' log
no -v --max-rejects -1 blank.csv | grep -c rejected
no --max-rejects 120 blank.csv | tail -n 3
