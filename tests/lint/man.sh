#!/bin/sh
# Man pages: mandoc's lint is silent, references exist, and each tool's page has the same
# options as its --help and all exit statuses.
set -u
command -v mandoc >/dev/null || { echo "mandoc is not installed"; exit 77; }

for page in man/*.[1-9]; do
    [ -e "$page" ] || continue
    # Whether a page is installed here says nothing; references to ours are checked below.
    mandoc -T lint -W style "$page" 2>&1 | grep -Ev 'referenced manual not found|outdated mandoc.db'
    sed -n 's/^\.Xr \(pz[a-z-]*\) \([0-9]\).*/\1.\2/p' "$page" | sort -u | while read -r ref; do
        [ -e "man/$ref" ] || echo "$page: refers to $ref, which is not there"
    done
done

for tool in "$PZ_BUILD"/pz-*; do
    [ -f "$tool" ] || continue
    name=${tool##*/}
    page=man/$name.1
    if [ ! -e "$page" ]; then
        echo "$name: no man page"
        continue
    fi
    # "x --name" or "- --name": letter and long name of each option.
    "$tool" --help | sed -n 's/^  \(-\([A-Za-z0-9]\),\|   \) --\([a-z0-9-]*\).*/\2 \3/p' |
        sed 's/^ /- /' | sort >"$PZ_BUILD/check/help.opt"
    # .It Fl n , Fl -name Ar N   or   .It Fl Fl name
    sed -n 's/Fl Fl /Fl -/g; s/^\.It Fl //p' "$page" | awk '{
        letter = "-"; long = ""
        for (i = 1; i <= NF; i++) {
            if ($i == "Fl" || $i == ",")
                continue
            if ($i ~ /^-/ && long == "")
                long = substr($i, 2)
            else if ($i ~ /^[A-Za-z0-9]$/ && i == 1)
                letter = $i
        }
        if (long != "") print letter, long
    }' | sort >"$PZ_BUILD/check/man.opt"
    comm -23 "$PZ_BUILD/check/help.opt" "$PZ_BUILD/check/man.opt" |
        sed "s|^|$page: has not (letter, name), as --help has: |"
    comm -13 "$PZ_BUILD/check/help.opt" "$PZ_BUILD/check/man.opt" |
        sed "s|^|$page: has (letter, name), unlike --help: |"
    for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
        grep -q "^\.Sh $section" "$page" || echo "$page: no section $section"
    done
    for status in 0 1 2 3 4 5; do
        awk '/^\.Sh/ { on = $0 ~ /EXIT STATUS/ } on' "$page" |
            grep -qE "^\.It (Li )?$status( |\$)" || echo "$page: EXIT STATUS lacks $status"
    done
done
exit 0
