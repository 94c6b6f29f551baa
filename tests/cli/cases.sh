#!/bin/sh
# The runner of these cases, over a tree of its own: what is wrong counts as failed, and a
# name without a case is refused before anything runs.
unset PZ_BLESS
mkdir -p tree/tests/cli && cd tree/tests/cli || exit
make_case()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$1.sh"
    chmod +x "$1.sh"
}
make_case good 'echo text; exit 3'
echo text >good.out
echo 3 >good.exit
make_case output 'echo other'
echo text >output.out
make_case status 'exit 1'
make_case message 'echo other >&2'
echo text >message.err
make_case away 'echo "no such program"; exit 77'
echo ran >absent.out
cd ../../.. || exit
runner=$PZ_SRC/tests/cli/run
export PZ_SRC="$PWD/tree" TMPDIR="$PWD"

run()
{
    echo "$*"
    "$runner" "$@" 2>&1 | grep -E '^cli|^status|^[-+](text|other)'
}
run good
run good away
run output status message
run
run good absent
run --bless absent
run --bless output
run output
cat tree/tests/cli/output.out
"$runner" absent 2>/dev/null
