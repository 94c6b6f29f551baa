#!/bin/sh
# The operations in pz-aws(7) are those of the table in the code, in the same states.
set -u
sed -n 's/^ *X(\([A-Za-z]*\), [a-z_]*, [A-Z]*, \([a-z_]*\)).*/\1 \2/p' libcore/serve/control.c |
    sed 's/ absent$/ no/; / no$/!s/ .*/ yes/' >"${TMPDIR:-/tmp}/pz-aws.$$"
sed -n 's/^\.It \([A-Z][A-Za-z]*\) Ta \([a-z]*\)$/\1 \2/p' man/pz-aws.7 |
    diff -u "${TMPDIR:-/tmp}/pz-aws.$$" - || echo "man/pz-aws.7 has other operations than the code"
[ "$(wc -l <"${TMPDIR:-/tmp}/pz-aws.$$")" -eq 71 ] || echo "there are not 71 operations"
rm -f "${TMPDIR:-/tmp}/pz-aws.$$"
