#!/bin/sh
# Events in other people's words: pz-event takes what pz-import takes.
set -e
cat >log.jsonl <<'END'
{"ts":10,"user":{"id":7,"geo":{"country":"DE"}},"article":{"id":"007","tags":["a","b"]},"event":{"type":"click"},"more":[{"x":1}]}
{"ts":20,"user":{"id":8,"geo":null},"article":{"id":"008"},"event":{"type":"view"}}
END
names='-c ITEM_ID=article.id -c TIMESTAMP=ts'
# shellcheck disable=SC2086 # words
pz-import -q -g g -t interactions -c USER_ID=user.id $names log.jsonl
echo '-- the same rows as the import'
# shellcheck disable=SC2086
pz-event -g g $names log.jsonl 2>&1
pz-info -g g --export events --json | jq -c 'del(.EVENT_ID)'
pz-event -g g --compact
echo '-- a name of its own goes before one within, and before one that must be tidied'
pz-event -g g <<'END'
{"user":{"id":"no"},"userId":"u1","item-id":"i1","timestamp":1}
{"USER_ID":"u2","user":{"id":"no"},"item":{"id":"i2"},"timestamp":2}
{"user id":"u3","user-id":"no","item":{"id":"i3"},"time stamp":"no","timestamp":3}
END
echo '-- CSV: semicolons, names to be tidied, a mark in front, UTF-16, Latin-1'
printf '\357\273\277user id;Item-ID;timestamp\r\nu4;"i;4";4\r\n' | pz-event -g g
printf 'visitor\tsku\ttimestamp\nu5\ti5\t5\n' | iconv -t UTF-16 | pz-event -g g -c USER_ID=visitor -c ITEM_ID=sku
printf '{"userId":"u\351","itemId":"i6","timestamp":6}\n' | pz-event -g g --encoding latin1
printf 'user_id|user id|item_id|timestamp\nu7|no|i7|7\n' | pz-event -g g 2>&1
pz-info -g g --export events | cut -d, -f3-5
echo '-- from a pipe in another encoding: on disk before there is more'
mkfifo pipe
pz-event -g g --encoding UTF-16LE --ack <pipe >acks &
exec 3>pipe
printf '{"eventId":"first","userId":"u","itemId":"i","timestamp":8}\n' | iconv -t UTF-16LE >&3
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s acks ] || sleep 0.5
done
cat acks
printf '{"eventId":"second","userId":"u","itemId":"i","timestamp":9}\n' | iconv -t UTF-16LE >&3
exec 3>&-
wait $!
tail -n 1 acks
echo '-- times in other units'
echo '{"userId":"u8","itemId":"i","ts":8999}' | pz-event -g g -c TIMESTAMP=ts --timestamp-unit ms
printf 'USER_ID;ITEM_ID;TIMESTAMP\nu9;i;2.1.1970 00:01\n' | pz-event -g g --timestamp-unit dmy
printf '%s\n' '{"sessionId":"s","userId":"u10","eventList":[{"itemId":"i","eventType":"t","sentAt":10}]}' |
    pz-event -g g --timestamp-unit ms
pz-info -g g --export events | cut -d, -f3-5 | grep -e '^u[89]' -e ^u10
echo '-- mistakes'
no() { "$@" 2>&1 || echo "status $?"; }
no pz-event -g g -c NOTHING=user log.jsonl
no pz-event -g g -c USER_ID log.jsonl
no pz-event -g g --timestamp-unit fortnights log.jsonl
echo '{"userId":"u","itemId":"i","timestamp":"tomorrow"}' | no pz-event -g g --timestamp-unit ms
no pz-event -g g -c USER_ID=a -c USER_ID=b log.jsonl
printf 'USER_ID,ITEM_ID\nu,i\n' | no pz-event -g g -c ITEM_ID=sku
echo '{"user":{"id":["a"]},"itemId":"i"}' | no pz-event -g g
no pz-event -g g --encoding klingon log.jsonl
printf 'USER_ID\n' | no pz-event -g g
echo '-- keys of which no name can be made are not lost in an import'
echo '{"USER_ID":"u","ITEM_ID":"i","TIMESTAMP":1,"价格":3,"":4,"##":null}' >price.jsonl
no pz-import -g new -t interactions price.jsonl
pz-import -g new -t interactions -c PRICE=价格 price.jsonl
pz-info -g new --export interactions
