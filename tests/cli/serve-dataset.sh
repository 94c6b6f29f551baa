#!/bin/sh
# DeleteDataset: what was put one by one goes too, of that dataset only, and what another server
# had begun to delete is gone after the next start.
. "$PZ_SRC/tests/cli/serve.inc"
mkdir root root/shop
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i2,2\n' | pz-import -q -g root/shop -t interactions >out
printf 'ITEM_ID,GENRE\ni1,a\ni2,b\n' | pz-import -q -g root/shop -t items >out
printf 'USER_ID,AGE\nu1,1\nu2,2\n' | pz-import -q -g root/shop -t users >out
fill()
{
    ask /events '{"trackingId":"'"$id"'","userId":"u","sessionId":"s",
        "eventList":[{"eventType":"view","itemId":"i1","sentAt":5}]}'
    ask /items '{"datasetArn":"'"$arn"':dataset/shop/ITEMS","items":[{"itemId":"i9","properties":"{\"genre\":\"c\"}"}]}'
    ask /users '{"datasetArn":"'"$arn"':dataset/shop/USERS","users":[{"userId":"u9","properties":"{\"age\":3}"}]}'
}
rows()
{
    sqlite3 root/shop/group.db "SELECT 'events', count(*) FROM event UNION ALL
        SELECT 'sessions', count(*) FROM session UNION ALL
        SELECT 'records of kind ' || kind, count(*) FROM record GROUP BY kind"
    for set in interactions items users; do
        [ ! -e "root/shop/$set.safetensors" ] || echo "$set"
    done
}
datasets() { control ListDatasets '{}' | sed 1d | jq -r '.datasets[] | .datasetArn + " " + .status'; }
for tool in sqlite3 flock; do
    command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
start --root root
id=$(control CreateEventTracker '{"name":"t","datasetGroupArn":"'$arn':dataset-group/shop"}' |
    tail -n 1 | jq -r .trackingId)
fill
rows
for set in INTERACTIONS ITEMS USERS; do
    echo "== $set"
    control DeleteDataset '{"datasetArn":"'"$arn:dataset/shop/$set"'"}'
    rows
done
datasets
echo '== made anew: nothing comes back'
for set in items users interactions; do
    control CreateSchema "$(jq -Rsc --arg n "$set" '{name: $n, schema: .}' "$PZ_SRC/schemas/$set.json")" | head -n 1
    control CreateDataset '{"name":"'$set'","datasetGroupArn":"'$arn':dataset-group/shop",
        "datasetType":"'$set'","schemaArn":"'$arn':schema/'$set'"}'
done
rows
datasets
stop
echo '== begun and not ended: nothing comes into it, or out of it'
printf 'ITEM_ID,GENRE\ni1,a\ni2,b\n' | pz-import -q -g root/shop -t items >out
mkdir -p s3/bucket
printf 'ITEM_ID\ni3\n' >s3/bucket/items.csv
start --root root --s3-root s3
sqlite3 root/shop/group.db "UPDATE resource SET status = 'DELETE IN_PROGRESS'
    WHERE kind = 'dataset' AND name = 'shop/ITEMS'"
control CreateDatasetImportJob '{"jobName":"in","datasetArn":"'"$arn"':dataset/shop/ITEMS",
    "dataSource":{"dataLocation":"s3://bucket/items.csv"},"roleArn":"arn:aws:iam::0:role/r"}'
control CreateDatasetExportJob '{"jobName":"out","datasetArn":"'"$arn"':dataset/shop/ITEMS",
    "jobOutput":{"s3DataDestination":{"path":"s3://bucket/out"}},"roleArn":"arn:aws:iam::0:role/r"}'
control DeleteDataset '{"datasetArn":"'"$arn:dataset/shop/ITEMS"'"}'
[ ! -e root/shop/items.safetensors ] || echo "it is still there"
datasets
control CreateDataset '{"name":"items","datasetGroupArn":"'$arn':dataset-group/shop",
    "datasetType":"items","schemaArn":"'$arn':schema/items"}' | head -n 1
stop
echo '== another program writes into the group'
printf 'ITEM_ID,GENRE\ni1,a\ni2,b\n' | pz-import -q -g root/shop -t items >out
start --root root
exec 9<root/shop
flock -n 9 || echo "it is locked already"
control DeleteDataset '{"datasetArn":"'"$arn:dataset/shop/ITEMS"'"}'
ls root/shop/items.safetensors
datasets
exec 9<&-
control DeleteDataset '{"datasetArn":"'"$arn:dataset/shop/ITEMS"'"}'
datasets
control CreateDataset '{"name":"items","datasetGroupArn":"'$arn':dataset-group/shop",
    "datasetType":"items","schemaArn":"'$arn':schema/items"}' | head -n 1
stop
grep -c 'another process holds it' server.err
echo '== begun by another server'
printf 'ITEM_ID,GENRE\ni1,a\ni2,b\n' | pz-import -q -g root/shop -t items >out
sqlite3 root/shop/group.db "UPDATE resource SET status = 'DELETE IN_PROGRESS'
    WHERE kind = 'dataset' AND name = 'shop/ITEMS'"
start --root root
for _ in $(seq 300); do
    [ -e root/shop/items.safetensors ] || break
    sleep 0.02
done
control DeleteDataset '{"datasetArn":"'"$arn:dataset/shop/ITEMS"'"}' | head -n 1
rows
datasets
stop
