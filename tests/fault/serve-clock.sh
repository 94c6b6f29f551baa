#!/bin/sh
# The time of day is set back by an hour under a server: it sees a new version of a model as soon
# as ever, and ends when it is told to.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-train pz-import
need_lib
command -v curl >/dev/null || skip "curl is not installed"
train() { pz-train -q -g g -r aws-popularity-count -S top >out 2>&1 || broken "train: $(cat out)"; }
shop 2000 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
train
PZ_FAULT_AHEAD=3600 LD_PRELOAD=$PZ_FAULT_LIB \
    pz-serve -q --sandbox off -g g -l 127.0.0.1:0 >url 2>server.err &
pid=$!
for _ in $(seq 200); do
    [ -s url ] || sleep 0.1
done
ask()
{
    curl -s -m 10 "$(cat url)/recommendations" -d '{"userId":"nobody","numResults":1,
        "campaignArn":"arn:aws:personalize:us-east-1:000000000000:campaign/top"}' |
        sed 's/.*"itemId":"\([^"]*\)".*/\1/'
}
got=$(ask)
case $got in i*) ;; *) broken "the first version: $got $(cat server.err)" ;; esac
awk 'BEGIN { print "USER_ID,ITEM_ID,TIMESTAMP"
    for (i = 0; i < 2000; i++) printf "u%d,z%d,%d\n", i % 61, i % 7 ? 1 : i % 40, 1600000000 + i }' |
    pz-import -q -g g -t interactions --infer >out 2>&1 || broken "import: $(cat out)"
train
for _ in $(seq 100); do
    got=$(ask)
    [ "$got" = z1 ] && break
    sleep 0.1
done
[ "$got" = z1 ] || broken "ten seconds after there is a new version: $got"
kill $pid
wait $pid || broken "SIGTERM: status $?: $(cat server.err)"
finish
