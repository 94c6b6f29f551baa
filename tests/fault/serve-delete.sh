#!/bin/sh
# A group whose deletion is cut off by kill -9 is there whole or not at all, and the next
# server deletes what is left of it. PZ_DELETE_RUNS is how often (default 2).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve
command -v curl >/dev/null || skip "curl is not installed"
arn=arn:aws:personalize:us-east-1:000000000000:dataset-group/big
left=0
for run in $(seq "${PZ_DELETE_RUNS:-2}"); do
    mkdir -p root/big/deep/er
    seq -f 'root/big/deep/%g' 4000 | xargs touch
    seq -f 'root/big/deep/er/%g' 4000 | xargs touch
    ln -s ../../.. root/big/deep/link
    serve
    control DeleteDatasetGroup '{"datasetGroupArn":"'$arn'"}' >answer &
    while [ -e root/big ] && kill -0 $pid; do
        :
    done
    kill -9 $pid
    wait $pid 2>/dev/null
    [ ! -e root/big ] || broken "run $run: the group is there"
    for f in root/.pz-gone-*; do
        [ ! -d "$f" ] || left=$((left + 1))
    done
    serve
    control ListDatasetGroups '{}' | grep -q '"datasetGroups":\[\]' || broken "run $run: a group is listed"
    for _ in $(seq 500); do
        set -- root/.pz-gone-*
        [ -e "$1" ] || break
        sleep 0.02
    done
    [ -z "$(ls -A root)" ] || broken "run $run: left behind: $(ls -A root)"
    [ -e url ] || broken "what a link led to is gone"
    control CreateDatasetGroup '{"name":"big"}' | grep -q dataset-group/big || broken "run $run: the name is not free"
    control DeleteDatasetGroup '{"datasetGroupArn":"'$arn'"}' >answer
    [ -z "$(ls -A root)" ] || broken "run $run: not deleted: $(ls -A root)"
    kill $pid
    wait $pid || broken "SIGTERM: status $?: $(cat server.err)"
done
[ $left -gt 0 ] || broken "no run was cut off: the kill comes too late"
finish
