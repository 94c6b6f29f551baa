#!/bin/sh
# Runs the examples of the man pages and of README.md; tests/README.md tells the scheme.
set -u
mkdir -p "$PZ_BUILD/check"
work=$(mktemp -d "$PZ_BUILD/check/examples.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
# The leak check wants to trace the process, which the sandbox of pz-serve forbids.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# Writes $work/NAME.d/N (commands) and N.want (status) from displays in a page.
from_man()
{
    awk -v dir="$2" '
    function flush_command() {
        if (command == "") return
        n++
        file = sprintf("%s/%03d", dir, n)
        print command >file
        print want, needs >(file ".want")
        close(file)
        close(file ".want")
        command = ""
    }
    function plain(s) {
        gsub(/\\e/, "\001", s)
        gsub(/\\\(aq/, "\047", s)
        gsub(/\\\(dq/, "\"", s)
        gsub(/\\-/, "-", s)
        gsub(/\\&/, "", s)
        gsub(/\\\(ti/, "~", s)
        gsub(/\\\(ha/, "^", s)
        gsub(/\001/, "\\", s)
        return s
    }
    /^\.Sh/ { on = $0 ~ /EXAMPLES/; next }
    !on { next }
    /^\.\\" exit [0-9]/ { status = $3; next }
    /^\.\\" needs / { program = $3; next }
    /^\.Bd/ { display = 1; want = status + 0; needs = program; status = 0; program = ""; next }
    /^\.Ed/ { flush_command(); display = 0; next }
    display && /^\$ / { flush_command(); command = plain(substr($0, 3)); next }
    display && /^> / && command != "" { command = command "\n" plain(substr($0, 3)); next }
    display { flush_command() }' "$1"
}

# The same from fenced blocks; commands of the shell prompt only.
from_markdown()
{
    awk -v dir="$2" '
    /^```/ { block = !block; next }
    block && /^\$ / && !/^\$ (make|sudo|git|cd) / {
        n++
        file = sprintf("%s/%03d", dir, n)
        print substr($0, 3) >file
        print "0" >(file ".want")
        close(file)
    }' "$1"
}

run_all()
{
    # One shell a page: an export in one example holds in the next.
    cd "$1.work" || exit 1
    for command in "$1".d/???; do
        [ -e "$command" ] || continue
        read -r want needs <"$command.want"
        if [ -n "$needs" ] && ! command -v "$needs" >/dev/null; then
            continue
        fi
        # shellcheck disable=SC1090
        . "$command" >"$1.out" 2>&1 </dev/null
        got=$?
        if [ $got -ne "$want" ]; then
            echo "$2: status $got, wanted $want: $(cat "$command")"
            tail -n 5 "$1.out" | sed 's/^/    /'
        fi
    done
}

for page in man/*.[1-9] README.md; do
    [ -e "$page" ] || continue
    name=$work/${page##*/}
    mkdir "$name.d" "$name.work"
    case $page in
    *.md) from_markdown "$page" "$name.d" ;;
    *) from_man "$page" "$name.d" ;;
    esac
    # A page about a tool that is not built yet has nothing to run.
    case $page in *.1) [ -x "$PZ_BUILD/$(basename "$page" .1)" ] || continue ;; esac
    [ -e "$name.d/001" ] || { case $page in *.1) echo "$page: no examples" ;; esac; continue; }
    "$PZ_SRC/tests/sample" "$name.work" || continue
    (run_all "$name" "$page")
done
exit 0
