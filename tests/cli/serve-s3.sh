#!/bin/sh
# s3://BUCKET/KEY is a file below --s3-root and no other, whatever lies there.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
role='"roleArn":"arn:aws:iam::000000000000:role/any"'
mkdir -p root/bucket elsewhere
printf 'USER_ID\nu1\n' >elsewhere/users.csv
printf 'USER_ID\nu1\n\0u2\n' >root/bucket/nul.csv
ln -s "$PWD/elsewhere" root/bucket/folder
ln -s "$PWD/elsewhere/users.csv" root/bucket/link.csv
ln -s "$PWD/shop/group.db" root/bucket/db.csv
ln -s loop.csv root/bucket/loop.csv
mkfifo root/bucket/fifo
start -g shop --s3-root root
echo "# what is read"
n=0
while read -r path; do
    n=$((n + 1))
    echo "$path"
    timeout 10 curl -s -o body -H 'X-Amz-Target: AmazonPersonalize.CreateDataDeletionJob' "$url/" -d '{
        "jobName":"d'$n'",'"$role"',"datasetGroupArn":"'$arn:dataset-group/shop'",
        "dataSource":{"dataLocation":"'"$path"'"}}' || echo "no answer"
    jq -r .message body
done <<'P'
s3://bucket/link.csv
s3://bucket/folder/users.csv
s3://bucket/db.csv
s3://bucket/loop.csv
s3://bucket/fifo
s3://bucket/nul.csv
s3://bucket/none.csv
s3://bucket
s3://bucket/../elsewhere/users.csv
s3://../elsewhere/users.csv
s3://bucket/./nul.csv
s3://bucket//nul.csv
s3:///nul.csv
s3://
s3://bucket/%2e%2e/x
file:///etc/passwd
/etc/passwd
P
timeout 10 curl -s -o body -H 'X-Amz-Target: AmazonPersonalize.CreateBatchInferenceJob' "$url/" -d '{
    "jobName":"b",'"$role"',"solutionVersionArn":"'"$arn:solution/personal/$(basename shop/models/personal/* .safetensors)"'",
    "jobInput":{"s3DataSource":{"path":"s3://bucket/fifo"}},
    "jobOutput":{"s3DataDestination":{"path":"s3://bucket/out"}}}' || echo "no answer"
jq -r .message body

echo "# what is written"
mkdir root/bucket/out
sqlite3 shop/group.db .dump >before
# What a server that was killed has left goes; a link in place of the file is a trap.
: >root/bucket/out/.pz-0123456789abcdef
ln -s "$PWD/shop/group.db" root/bucket/out/.pz-0123456789abcde0
ln -s "$PWD/elsewhere/users.csv" root/bucket/out/e1.csv
job()
{
    control CreateDatasetExportJob '{"jobName":"'"$1"'",'"$role"',"datasetArn":"'$arn:dataset/shop/USERS'",
        "ingestionMode":"ALL","jobOutput":{"s3DataDestination":{"path":"'"$2"'"}}}' >made
    if [ "$(head -n 1 made)" != 200 ]; then
        tail -n 1 made | jq -r .message
        return
    fi
    for _ in $(seq 2000); do
        state=$(control DescribeDatasetExportJob '{"datasetExportJobArn":"'"$arn:dataset-export-job/$1"'"}' |
            tail -n 1 | jq -r .datasetExportJob.status)
        case $state in *PENDING | *PROGRESS) sleep 0.05 ;; *) break ;; esac
    done
    echo "$state"
}
job e1 s3://bucket/out
[ -f root/bucket/out/e1.csv ] && ! [ -L root/bucket/out/e1.csv ] && head -n 1 root/bucket/out/e1.csv
cat elsewhere/users.csv
sqlite3 shop/group.db 'PRAGMA integrity_check'
find root/bucket/out -name '.*' -type f
[ -L root/bucket/out/.pz-0123456789abcde0 ] || echo 'a link is gone'
job e2 s3://bucket/folder
job e3 s3://bucket/folder/deeper
job e4 s3://bucket/fifo/x
job e5 s3://fresh/a/b
find elsewhere root/fresh | sort
stop
