#!/bin/sh
# What clients do that tests of single operations do not: members that no operation has, pages
# while the list changes, updates that leave things out, folders of many files.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
mkdir -p root s3/bucket/parts
mv shop root
# A folder as other programs write one: hundreds of parts, and what is no file.
tail -n +2 users.csv | split -l 1 -a 3 - part
for f in part*; do
    { head -n 1 users.csv && cat "$f"; } >"s3/bucket/parts/$f.csv"
done
mkdir s3/bucket/parts/folder.csv
mkfifo s3/bucket/parts/fifo.csv
printf '\357\273\277USER_ID\r\nu1\r\nu2\r\n' >s3/bucket/forget.csv
start --root root --s3-root s3
PYTHONDONTWRITEBYTECODE=1 $python "$PZ_SRC/tests/cli/serve-odd.py" "$url" root/shop/group.db || exit 1
stop
