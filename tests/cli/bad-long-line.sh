#!/bin/sh
# A line of 1 GiB is refused by file and line, in little memory and without reading it all.
. "$PZ_SRC/tests/cli/bad.inc"

long()
{
    printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1600000000\nu2,'
    head -c 1073741824 /dev/zero | tr '\0' "$1"
    printf ',1600000000\n'
}
# An address space of 1 GiB cannot hold the line.
# shellcheck disable=SC2016 # $0 is the inner shell's
limited='ulimit -v 1048576; exec "$0" "$@"'
# shellcheck disable=SC2016
case ${V:-release} in asan | tsan) limited='exec "$0" "$@"' ;; esac
long a | refuses '1 GiB without an end' 3 '(stdin|-).*:3' \
    sh -c "$limited" pz-import -g shop -t interactions --threads 2 -
long , | refuses '1 GiB of separators' 3 '(stdin|-).*:3' \
    sh -c "$limited" pz-import -g shop -t interactions --threads 2 -
{ printf 'USER_ID,'; long a; } | refuses '1 GiB of row behind a wrong header' 3 '.' \
    sh -c "$limited" pz-import -g shop -t interactions -
{ printf '"'; head -c 1073741824 /dev/zero | tr '\0' a; } | refuses '1 GiB of header' 3 '.' \
    sh -c "$limited" pz-import -g shop -t interactions -
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,%s,1600000000\n' "$(head -c 2000000 /dev/zero | tr '\0' a)" >field.csv
refuses 'a field of 2 MB' 3 'field\.csv:2:2' pz-import -g shop -t interactions field.csv
