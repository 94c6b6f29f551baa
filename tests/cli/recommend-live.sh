#!/bin/sh
# What pz-event stores is in the next answer.
# shellcheck disable=SC2016,SC2086,SC2129 # filters hold $; names have no blanks
for need in pz-import pz-train pz-recommend pz-event; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
r() { pz-recommend -g shop "$@"; }
event() # WHO ITEM [TYPE]
{
    echo "{\"$1\":\"$2\",\"itemId\":\"$3\",\"eventType\":\"${4:-View}\",\"device\":\"phone\"}"
}
same() { cmp -s one two || { echo "$1:"; diff one two | head -n 4; }; [ -s one ] || echo "$1: nothing"; }

# A group without events: nothing of the catalogue is opened.
chmod 0 shop/group.db 2>/dev/null
[ -r shop/group.db ] || r -S personal -n 1 u1 >/dev/null || echo 'the catalogue is needed'
if command -v strace >/dev/null; then
    strace -f -o trace pz-recommend -g shop -S personal -n 1 u1 >/dev/null
    grep -E 'open.*group\.db' trace
fi
chmod 644 shop/group.db

# Somebody new: what all begin with, then those that follow from three events.
pz-recommend -m shop/models/personal/*.safetensors -n 5 nobody | cut -f 2 >one
r -S personal -n 5 eve | cut -f 2 >two
same 'somebody new'
for i in i4 i9 i11; do event userId eve $i; done | pz-event -q -g shop
r -S personal -n 5 --history i4,i9,i11 | cut -f 2- >one
r -S personal -n 5 eve | cut -f 2- >two
same 'three events'
r -S personal --strict -n 1 eve >/dev/null || echo 'known by events, and yet unknown'
r -S personal -n 1000 --exclude-seen eve | cut -f 2 | grep -xE 'i4|i9|i11'

# A known user: the stored history, and the events behind it.
seen=$(awk -F, '$1 == "u1" {print $3, $2}' interactions.csv | sort -n | cut -d' ' -f 2)
r -S personal -n 5 u1 >before
event userId u1 i7 | pz-event -q -g shop
r -S personal -n 5 u1 | cut -f 2- >one
cut -f 2- before >two
cmp -s one two && echo 'an event of a known user changes nothing'
r -S personal -n 1000 --exclude-seen u1 | cut -f 2 | grep -x i7
[ -n "$seen" ] || echo 'u1 has no history'
r -S personal -n 5 u2 >one
event userId u3 i7 | pz-event -q -g shop
r -S personal -n 5 u2 >two
same 'the events of others'

# A session in the place of a user, and linked to one.
printf '%s\n' '{"sessionId":"s9","itemId":"i4","eventType":"View","device":"phone"}' |
    pz-event -q -g shop
r -S personal -n 5 --history i4 | cut -f 2- >one
r -S personal -n 5 s9 | cut -f 2- >two
same 'a session'
printf '%s\n' '{"sessionId":"s9","userId":"amy","itemId":"i9","eventType":"View","device":"phone","timestamp":1735689700}' |
    pz-event -q -g shop
r -S personal -n 5 --history i4,i9 | cut -f 2- >one
r -S personal -n 5 amy | cut -f 2- >two
same 'a session that has a user'

# Filters see events and items that were put.
bought='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")'
r -S personal -n 1 -F "$bought" eve | cut -f 2 >one
event userId eve "$(cat one)" Purchase | pz-event -q -g shop
r -S personal -n 1000 -F "$bought" eve | cut -f 2 | grep -xf one
item='"categoryL1":"toys","categoryL2":"kites","description":"x","creationTimestamp":1735689600'
echo "{\"itemId\":\"kite\",\"name\":\"Kite\",\"price\":0.5,$item}" | pz-event -q -g shop -t items
r -S personal -F 'INCLUDE ItemID WHERE Items.PRICE < 1' --metadata NAME,PRICE --rank i1,kite eve
r -S personal -F 'INCLUDE ItemID WHERE Items.PRICE < 1' u1
echo "{\"itemId\":\"i82\",\"name\":\"Sale\",\"price\":0.25,$item}" | pz-event -q -g shop -t items
r -S personal -F 'INCLUDE ItemID WHERE Items.PRICE < 1' --metadata NAME,PRICE u1 | cut -f 2,4-
echo '{"userId":"u1","age":7,"gender":"F","membership":"basic"}' | pz-event -q -g shop -t users 2>/dev/null
young='INCLUDE ItemID WHERE Items.PRICE < 1 IF CurrentUser.AGE = 7'
[ "$(r -S personal -F "$young" u1 | wc -l)" -eq 1 ] || echo 'the user that was put is not seen'

# A run on a pipe sees all of it too.
mkfifo pipe
r -S personal -n 3 <pipe >out &
exec 3>pipe
answered() { i=0; while [ "$(wc -l <out)" -lt "$1" ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done; }
echo tom >&3
answered 3
for i in i4 i9 i11; do event userId tom $i; done | pz-event -q -g shop
echo tom >&3
answered 6
exec 3>&-
wait
sed -n '1,3p' out | cut -f 2 >one
pz-recommend -m shop/models/personal/*.safetensors -n 3 nobody | cut -f 2 >two
same 'before'
sed -n '4,6p' out | cut -f 2- >one
r -S personal -n 3 --history i4,i9,i11 | cut -f 2- >two
same 'after'
r -S personal -n 4 --metadata NAME -F 'INCLUDE ItemID WHERE Items.CATEGORY_L2 IN ("kites")' <pipe >out &
exec 3>pipe
echo u1 >&3
answered 1
echo "{\"itemId\":\"i7\",\"name\":\"Dragon\",\"price\":9,$item}" | pz-event -q -g shop -t items
sleep 0.7
echo u1 >&3
answered 3
exec 3>&-
wait
cut -f 2,4 out | sort | uniq -c | sed 's/^ *//'

# Many at once.
awk 'BEGIN {for (i = 0; i < 3000; i++) print "u" i % 230; print "eve"; print "tom"}' >many.txt
r -S personal -n 5 --threads 1 <many.txt >one
r -S personal -n 5 --threads 4 <many.txt >two
same 'threads'

# A version that has learned from the events does not count them again.
pz-train -q -g shop -r aws-user-personalization -S again --no-eval >/dev/null
r -S again -n 5 --json eve tom u1 >one
pz-recommend -m shop/models/again/*.safetensors -n 5 --json eve tom u1 >two
same 'events that were learned'
event userId tom i20 | pz-event -q -g shop
r -S again -n 5 tom >one
pz-recommend -m shop/models/again/*.safetensors -n 5 tom >two
cmp -s one two && echo 'an event after the training changes nothing'

# What strangers get stays as it was; a model alone knows no events.
pz-recommend -m shop/models/personal/*.safetensors -n 5 nobody | cut -f 2 >one
r -S personal -n 5 nobody | cut -f 2 >two
same 'a stranger still'
pz-recommend -m shop/models/personal/*.safetensors -n 5 eve | cut -f 2 >two
same 'a model alone'

# The selection of the solution counts for events as well.
pz-train -q -g shop -r aws-user-personalization -S buys --event-type Purchase >/dev/null 2>&1
item=$(r -S buys -n 1 nobody | cut -f 2)
event userId tim "$item" View | pz-event -q -g shop
[ "$(r -S buys -n 1 tim | cut -f 3)" = '' ] || echo 'a view counts where purchases do'
event userId tim "$item" Purchase | pz-event -q -g shop
[ "$(r -S buys -n 1 tim | cut -f 3)" != '' ] || echo 'a purchase does not count'
exit 0
