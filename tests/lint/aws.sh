#!/bin/sh
# The operations in pz-aws(7) are those of the table in the code, in the same states.
set -u
sed -n 's/^ *X(\([A-Za-z]*\), [a-z_]*, [A-Z]*, \([a-z_]*\)).*/\1 \2/p' libcore/serve/control.c |
    sed 's/ absent$/ no/; / no$/!s/ .*/ yes/' >"${TMPDIR:-/tmp}/pz-aws.$$"
sed -n 's/^\.It \([A-Z][A-Za-z]*\) Ta \([a-z]*\)$/\1 \2/p' man/pz-aws.7 |
    diff -u "${TMPDIR:-/tmp}/pz-aws.$$" - || echo "man/pz-aws.7 has other operations than the code"
[ "$(wc -l <"${TMPDIR:-/tmp}/pz-aws.$$")" -eq 71 ] || echo "there are not 71 operations"
# README names those of all three APIs, each once.
{
    cut -d ' ' -f 1 "${TMPDIR:-/tmp}/pz-aws.$$"
    sed -n 's/^ *{PZ_[A-Z]*, "\([A-Z][A-Za-z]*\)", "POST".*/\1/p' libcore/serve/runtime.c libcore/serve/events.c
} | sort >"${TMPDIR:-/tmp}/pz-aws.$$.all"
sed -n 's/^| \([A-Z][A-Za-z]*, [A-Za-z, ]*\) | yes.* |$/\1/p' README.md | tr -d ' ' | tr , '\n' | sort |
    diff -u "${TMPDIR:-/tmp}/pz-aws.$$.all" - || echo "README.md has other operations than the code"
rm -f "${TMPDIR:-/tmp}/pz-aws.$$.all"
rm -f "${TMPDIR:-/tmp}/pz-aws.$$"
