#!/bin/sh
# The lab with boto3 and with AWS's command line, on a server that starts empty; and every
# operation of the control plane, on a group that the tools made.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
mkdir -p groups s3/bucket
cp interactions.csv s3/bucket
unset PZ_NOW # the versions of a solution are told apart by their times
start --root groups --s3-root s3
export PYTHONDONTWRITEBYTECODE=1
$python "$PZ_SRC/samples/lab.py" "$url" bucket || exit 1
if command -v aws >/dev/null; then
    "$PZ_SRC/samples/lab.sh" "$url" bucket >aws.out 2>&1 || cat aws.out
fi
ls groups
mv shop groups
printf 'ACTION_ID,VALUE\na1,3\na2,\n' >s3/bucket/actions.csv
printf 'ACTION_ID,VALUE\na1,much\n' >s3/bucket/broken.csv
printf '{"itemId": "i1"}\n{"itemId": "i2"}\n' >s3/bucket/batch.jsonl
printf 'USER_ID\nu1\nu2\n' >s3/bucket/forget.csv
cp s3/bucket/actions.csv secret.csv
ln -s ../.. s3/bucket/link
$python "$PZ_SRC/tests/cli/serve-control.py" "$url" shop root || exit 1
stop
pz-info -g groups/shop --audit u1 >/dev/null && echo "u1 is still there"
mkdir two && "$PZ_SRC/tests/sample" two && start -g two/shop --s3-root s3
$python "$PZ_SRC/tests/cli/serve-control.py" "$url" shop one
stop
