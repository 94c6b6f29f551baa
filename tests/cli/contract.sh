#!/bin/sh
# What every tool owes its user, whatever it does. Prints a line for each broken promise.
tools=
for t in "$PZ_BUILD"/pz-*; do
    [ -x "$t" ] && [ -f "$t" ] && tools="$tools ${t##*/}"
done
[ -n "$tools" ] || { echo "no tools are built"; exit 77; }

broken() { echo "$tool: $*"; }
# wants STATUS WHAT COMMAND...: runs with out and err as files.
wants()
{
    want=$1 what=$2
    shift 2
    "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || broken "$what: status $got, wanted $want: $(head -n 1 err)"
}
# A mistake: status 2, nothing on stdout, a first line that begins with the tool's name.
mistake()
{
    what=$1
    shift
    wants 2 "$what" "$@"
    [ ! -s out ] || broken "$what: writes on standard output"
    head -n 1 err | grep -q "^$tool: " || broken "$what: message without the tool's name"
    grep -q "$tool --help" err || broken "$what: no hint at --help"
}

for tool in $tools; do
    wants 0 "--help" "$tool" --help
    [ ! -s err ] || broken "--help: writes on standard error"
    awk -v t="$tool" 'length > 80 { print t ": --help: over 80 columns: " $0 }' out
    for word in "Usage: $tool " 'Examples:' 'Common options:' 'Exit status:'; do
        grep -q "^$word" out || broken "--help: no '$word'"
    done
    grep -n '' out | awk -F: '/^[0-9]+:Examples/ {e = $1} /^[0-9]+:Common/ {c = $1}
        END {exit !(e && c && e < c)}' || broken "--help: examples are not first"
    # Each long option once.
    sed -n 's/^  \(-[A-Za-z0-9],\|   \) --\([a-z0-9-]*\).*/\2/p' out | sort | uniq -d | sed "s/^/$tool: --help: twice: /"
    cp out help

    wants 0 "--version" "$tool" --version
    head -n 1 out | grep -Eq "^$tool \(pz\) [0-9]+\.[0-9]+\.[0-9]+$" ||
        broken "--version: first line: $(head -n 1 out)"

    mistake "unknown option" "$tool" --no-such-option-at-all
    mistake "unknown letter" "$tool" '-?'
    mistake "misspelt --quite" "$tool" --quite
    grep -q "did you mean '--quiet'" err || broken "misspelt --quite: no suggestion"
    mistake "abbreviated --verb" "$tool" --verb
    grep -q "did you mean '--verbose'" err || broken "abbreviated --verb: no suggestion"
    mistake "--threads without value" "$tool" --threads
    mistake "--threads abc" "$tool" --threads abc
    mistake "--threads -1" "$tool" --threads=-1
    mistake "--threads 99999999999999999999" "$tool" --threads 99999999999999999999
    mistake "--seed 1.5" "$tool" --seed 1.5
    mistake "--quiet=yes" "$tool" --quiet=yes

    # Descriptors that the caller closed, and a disk that is full.
    "$tool" --version <&- >/dev/null 2>err || broken "closed stdin: status $?"
    "$tool" --version >&- 2>err
    status=$?
    [ $status -eq 5 ] || broken "closed stdout: status $status, wanted 5"
    grep -q "^$tool: .*Bad file descriptor" err || broken "closed stdout: $(cat err)"
    "$tool" --version 2>&- >/dev/null || broken "closed stderr: status $?"
    "$tool" --version <&- >&- 2>&-
    status=$?
    [ $status -eq 5 ] || broken "all closed: status $status, wanted 5"
    for option in --help --version; do
        "$tool" $option >/dev/full 2>err
        status=$?
        [ $status -eq 5 ] || broken "$option >/dev/full: status $status, wanted 5"
        grep -q "^$tool: .*No space left" err || broken "$option >/dev/full: $(cat err)"
    done
    # The locale of the caller changes nothing.
    LC_ALL=de_DE.UTF-8 "$tool" --help 2>&1 | cmp -s - help || broken "--help differs with LC_ALL"
    # No group where one is needed is a mistake of usage, not a crash.
    "$tool" -g no-such-group --seed 1 no-such-operand </dev/null >out 2>err
    status=$?
    [ $status -le 5 ] || broken "no group: status $status"
done
exit 0
