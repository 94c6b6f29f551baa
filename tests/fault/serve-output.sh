#!/bin/sh
# The file of an export has its name on disk, and not in the folder alone, before the job is
# said to be done: a power cut takes neither without the other.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-import pz-info
for t in strace curl; do
    command -v $t >found || skip "no $t (make deps-test)"
done
strace -o found true 2>err || skip "strace may not trace here: $(head -n 1 err)"
export ASAN_OPTIONS=detect_leaks=0 # which it cannot do when traced
mkdir -p s3/bucket
shop 500 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
strace -f -y -o log -e trace=rename,fsync,pwrite64 \
    pz-serve -q --sandbox off -g g --s3-root s3 -l 127.0.0.1:0 >url 2>server.err &
pid=$!
for _ in $(seq 200); do
    [ -s url ] || sleep 0.1
done
url=$(cat url)
arn=arn:aws:personalize:us-east-1:000000000000
control()
{
    curl -s -m 60 -H "X-Amz-Target: AmazonPersonalize.$1" "$url/" -d "$2"
}
control CreateDatasetExportJob '{"jobName":"e","datasetArn":"'$arn':dataset/g/INTERACTIONS",
    "ingestionMode":"ALL","roleArn":"arn:aws:iam::000000000000:role/r",
    "jobOutput":{"s3DataDestination":{"path":"s3://bucket/out/"}}}' >answer
for _ in $(seq 300); do
    control DescribeDatasetExportJob '{"datasetExportJobArn":"'$arn':dataset-export-job/e"}' >state
    case $(cat state) in *ACTIVE*) break ;; *FAILED*) break ;; esac
    sleep 0.1
done
case $(cat state) in *ACTIVE*) ;; *) broken "the export: $(cat answer state)" ;; esac
pkill -TERM -P $pid -x pz-serve || broken "no server"
wait $pid || broken "status $?: $(cat server.err)"
# file, folder, and only then the catalogue
awk '/fsync\(.*\/\.pz-[0-9a-f]*>/ && !file { file = NR }
     /rename\(.*\/\.pz-[0-9a-f]*", .*\/e\.csv"/ { name = NR }
     name && /fsync\(.*\/bucket\/out>/ && !folder { folder = NR }
     name && /pwrite64\(.*\/group\.db-wal>/ && !known { known = NR }
     END { exit !(file && file < name && folder && folder < known) }' log ||
    broken "in another order: $(grep -E 'e.csv|bucket/out|group.db-wal' log | cut -c1-150 | tail -n 30)"
finish
