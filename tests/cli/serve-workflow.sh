#!/bin/sh
# AWS's workflow through boto3, from an empty folder of groups and back to it.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
mkdir -p root s3/bucket
start --root root --s3-root s3
PYTHONDONTWRITEBYTECODE=1 $python "$PZ_SRC/tests/cli/serve-workflow.py" "$url" s3/bucket || exit 1
stop
find root -mindepth 1 ! -name 'group.db*'
