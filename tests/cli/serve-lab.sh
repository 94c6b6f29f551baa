#!/bin/sh
# The lab with boto3 and with AWS's command line, on a server that starts empty.
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
stop
