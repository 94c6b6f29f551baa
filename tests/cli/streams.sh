#!/bin/sh
# Records on standard output and nothing else; a disk that is full and a reader that leaves.
for t in pz-import pz-train pz-recommend pz-info; do
    [ -x "$PZ_BUILD/$t" ] || { echo "no $t is built"; exit 77; }
done
"$PZ_SRC/tests/sample" || exit
broken() { echo "$*"; }

# full NAME COMMAND...: status 5 when what it prints cannot be written
full()
{
    name=$1
    shift
    "$@" >/dev/full 2>err
    status=$?
    [ $status -eq 5 ] || broken "$name >/dev/full: status $status, wanted 5"
    grep -Eq 'No space left|cannot write' err || broken "$name >/dev/full: $(cat err)"
}
full import pz-import -q -g full -t interactions interactions.csv
full train pz-train -q -g shop -r aws-popularity-count -S full
full recommend pz-recommend -g shop -S popular u1 u2
full related pz-recommend -g shop -S similar i1
full info pz-info -g shop
full export pz-info -g shop --export interactions

# The same when there is nothing to print to; what prints nothing does not care.
closed()
{
    name=$1
    shift
    "$@" >&- 2>err
    status=$?
    [ $status -eq 5 ] || broken "$name >&-: status $status, wanted 5"
    grep -Eq 'Bad file descriptor|cannot write' err || broken "$name >&-: $(cat err)"
}
closed import pz-import -q -g full -t interactions interactions.csv
closed train pz-train -q -g shop -r aws-popularity-count -S full
closed recommend pz-recommend -g shop -S popular u1 u2
closed json pz-recommend --json -g shop -S similar i1
closed info pz-info -g shop
closed export pz-info -g shop --export interactions
pz-recommend -g shop -S popular u1 >ranked
closed filter pz-filter -g shop 'EXCLUDE ItemID WHERE Items.PRICE > 10000' <ranked
pz-event -g shop </dev/null >&- || broken "event >&-: status $?"
pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE < 9' >&- || broken "filter --save >&-: status $?"

cut -d, -f1 users.csv >every.txt
# A reader that has enough ends the writer by SIGPIPE, without a word.
for command in 'pz-info -g shop --export interactions' \
    'pz-recommend -g shop -S popular -n 100 <every.txt'; do
    { eval "$command" 2>err; echo $? >status; } | head -n 1 >first
    [ "$(cat status)" -eq 141 ] || broken "$command | head: status $(cat status), wanted 141"
    [ ! -s err ] || broken "$command | head: $(cat err)"
    [ -s first ] || broken "$command | head: nothing"
done

# JSON stays JSON when it gets talkative; nothing is drawn where there is no terminal.
for command in 'pz-import -v --json -g json -t interactions interactions.csv' \
    'pz-recommend -v --json -g shop -S popular u1' 'pz-info -v --json -g shop'; do
    eval "$command" >out 2>err || broken "$command: status $?"
    jq -e . out >parsed || broken "$command: standard output is no JSON"
    tr -d '\n' <err | grep -q "$(printf '[\r\033]')" && broken "$command: draws on a file"
done
for command in 'pz-import -q -g quiet -t interactions interactions.csv' \
    'pz-recommend -q -g shop -S popular u1'; do
    eval "$command" >out 2>err || broken "$command: status $?"
    [ ! -s err ] || broken "$command: not quiet: $(cat err)"
done
exit 0
