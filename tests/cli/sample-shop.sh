#!/bin/sh
# The sample shop is the same everywhere, and says what it should.
make-shop a --users 50 --items 40 --days 30
make-shop b --users 50 --items 40 --days 30 2>/dev/null
cmp a/interactions.csv b/interactions.csv
make-shop c --users 50 --items 40 --days 30 --seed 2 2>/dev/null
cmp -s a/interactions.csv c/interactions.csv && echo "the seed changes nothing"
cat a/*.csv | cksum
head -n 3 a/interactions.csv a/users.csv
make-shop d --users none; echo $?
make-shop; echo $?
make-shop /proc/nowhere; echo $?
