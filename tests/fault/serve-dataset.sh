#!/bin/sh
# A dataset whose deletion is cut off by kill -9 is there whole, with what was put one by one, or
# the next server deletes the rest. PZ_DELETE_RUNS is how often (default 12).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-import pz-event
command -v curl >/dev/null || skip "curl is not installed"
command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
# seen: what there is of the dataset: its file, its records, and whether it is listed
seen()
{
    [ ! -e root/shop/items.safetensors ] || printf 'file '
    sqlite3 root/shop/group.db "SELECT 'records ' || count(*) FROM record WHERE kind = 0"
}
arn=arn:aws:personalize:us-east-1:000000000000:dataset/shop/ITEMS
mkdir -p root/shop
seq -f 'i%g,a' 3000 | sed '1i ITEM_ID,GENRE' >items.csv
seq -f '{"ITEM_ID":"n%g","GENRE":"b"}' 20000 >items.jsonl
shop 500 | pz-import -q -g root/shop -t interactions >out || broken "import"
whole=0 gone=0 cut=0
runs=${PZ_DELETE_RUNS:-12}
for run in $(seq "$runs"); do
    pz-import -q -g root/shop -t items items.csv >out || broken "import of items"
    pz-event -q -g root/shop -t items items.jsonl >out || broken "putting items"
    serve
    control DeleteDataset '{"datasetArn":"'$arn'"}' >answer &
    client=$!
    sleep "$(awk "BEGIN { print $run * 0.08 / $runs }")"
    kill -9 $pid
    wait $pid 2>/dev/null
    wait $client
    noted=$(sqlite3 root/shop/group.db "SELECT count(*) FROM resource WHERE status = 'DELETE IN_PROGRESS'")
    cut=$((cut + noted))
    [ "$(cat answer)" != '{}' ] || [ "$(seen)" = 'records 0' ] || broken "run $run: acknowledged, but $(seen)"
    serve
    for _ in $(seq 300); do
        case $(control ListDatasets '{}') in *PROGRESS*) sleep 0.02 ;; *) break ;; esac
    done
    case $(control ListDatasets '{}') in
    *dataset/shop/ITEMS*)
        whole=$((whole + 1))
        [ "$(seen)" = 'file records 20000' ] || broken "run $run: listed, but $(seen)"
        [ "$noted" = 0 ] || broken "run $run: begun and not ended"
        ;;
    *)
        gone=$((gone + 1))
        [ "$(seen)" = 'records 0' ] || broken "run $run: not listed, but $(seen)"
        ;;
    esac
    control DeleteDataset '{"datasetArn":"'$arn'"}' >answer
    [ "$(seen)" = 'records 0' ] || broken "run $run: not deleted: $(seen)"
    kill $pid
    wait $pid || broken "SIGTERM: status $?: $(cat server.err)"
done
[ $((whole * gone)) -gt 0 ] || echo "only one of both was met: $whole whole, $gone gone, $cut cut"
finish
