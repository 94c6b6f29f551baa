#!/bin/sh
# kill -9 of a server that trains: what it started ends with it, and what it was to make is
# shown as failed, by a server that goes on beside it and by the next one; a server that
# starts beside another leaves what that one makes alone.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-train
# The leak check of a sanitizer wants to trace the process.
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
for t in curl jq pgrep; do
    command -v $t >out || skip "$t is not installed"
done
arn=arn:aws:personalize:us-east-1:000000000000
shop 30000 4000 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
# start NAME: a server; its process in $pid, its address in the file NAME
start()
{
    pz-serve -q --sandbox "$sandbox" -g g -l 127.0.0.1:0 >"$1" 2>"$1.err" &
    pid=$!
    while ! [ -s "$1" ] && kill -0 $pid; do
        sleep 0.01
    done
}
# control NAME OPERATION BODY
control()
{
    curl -s -H "X-Amz-Target: AmazonPersonalize.$2" "$(cat "$1")/" -d "$3"
}
state() { control "$1" DescribeSolutionVersion '{"solutionVersionArn":"'"$2"'"}' | jq -r .solutionVersion.status; }
version() { control "$1" CreateSolutionVersion '{"solutionArn":"'$arn:solution/long'"}' | jq -r .solutionVersionArn; }
# is NAME VERSION STATE: comes to be so within ten seconds
is()
{
    for _ in $(seq 200); do
        now=$(state "$1" "$2")
        [ "$now" = "$3" ] && return
        sleep 0.05
    done
    broken "$1: $2 is $now, not $3"
}
# Those that train in this group here: no other test's.
trainers() { pgrep -f "^$PZ_BUILD/pz-train -q -g $PWD/g "; }
# gone WHAT: soon nothing trains
gone()
{
    until=$(($(date +%s) + 3))
    while [ "$(date +%s)" -lt $until ]; do
        left=$(trainers)
        [ -z "$left" ] && return
        sleep 0.02
    done
    broken "a trainer has outlived $1"
}

start one
one=$pid
control one CreateSolution '{"name":"long","datasetGroupArn":"'$arn:dataset-group/g'",
    "recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization",
    "solutionConfig":{"algorithmHyperParameters":{"model":"softmax","softmax_rounds":"1000"}}}' >out
v=$(version one)
waits=$(version one)
is one "$v" 'CREATE IN_PROGRESS'
is one "$waits" 'CREATE PENDING'
[ -n "$(trainers)" ] || broken "nothing trains"
start two
two=$pid
[ "$(state two "$v")" = 'CREATE IN_PROGRESS' ] || broken "the second server took it away"
[ "$(state one "$v")" = 'CREATE IN_PROGRESS' ] || broken "the second server buried it"
kill -9 $one
wait $one 2>err
gone "its server"
for x in "$v" "$waits"; do
    is two "$x" 'CREATE FAILED'
done
kill $two
wait $two || broken "SIGTERM: status $?"
start three
for x in "$v" "$waits"; do
    is three "$x" 'CREATE FAILED'
done
[ "$(sqlite3 g/group.db "SELECT count(*) FROM resource WHERE kind = 'solutionVersion' AND
    status = 'CREATE FAILED'" 2>err || echo 2)" = 2 ] || broken "the end was not stored"
# Another one can be made; an orderly end stops it too.
v=$(version three)
is three "$v" 'CREATE IN_PROGRESS'
kill $pid
wait $pid || broken "SIGTERM: status $?: $(cat three.err)"
gone SIGTERM
# At any moment of the start of a child.
k=0
while [ $k -lt 10 ]; do
    k=$((k + 1))
    start four
    version four >out &
    asker=$!
    sleep "$(awk -v k=$k 'BEGIN { srand(k); printf "%.4f", rand() * 0.1 }')"
    kill -9 $pid
    wait $pid $asker 2>err
    gone "kill $k"
done
find g/models -type f >files 2>err
[ ! -s files ] || broken "left over: $(cat files)"
finish
