#!/bin/sh
# A solution with performAutoTraining is trained when it is time and there is news.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
mkdir -p s3/bucket
unset PZ_NOW
export PYTHONDONTWRITEBYTECODE=1
for what in make first early unchanged again; do
    start -g shop --s3-root s3
    $python "$PZ_SRC/tests/cli/serve-auto.py" "$url" $what shop || echo "$what: failed"
    stop
done
