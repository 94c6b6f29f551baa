#!/bin/sh
# Size and shape of files: 800 lines, 100 columns, functions of 120 lines; no tabs, no
# blanks at line ends, nothing left to do.
set -u
find libcore cmd tests samples -name '*.[ch]' | sort | while read -r file; do
    awk -v f="$file" '
    length > 100 { print f ":" FNR ": " length " columns" }
    /\t/ { print f ":" FNR ": tab" }
    /[ \r]$/ { print f ":" FNR ": blank at the end" }
    /(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)/ { print f ":" FNR ": unfinished" }
    /^{/ { start = FNR }
    /^}/ && start {
        if (FNR - start > 120)
            print f ":" start ": function of " FNR - start " lines"
        start = 0
    }
    END { if (FNR > 800) print f ": " FNR " lines" }' "$file"
done
find Makefile .ci tests samples -type f \( -name '*.sh' -o -name run -o -name deps -o -name Makefile \) |
    sort | while read -r file; do
    awk -v f="$file" 'length > 160 { print f ":" FNR ": " length " columns" }
        /[ \r]$/ { print f ":" FNR ": blank at the end" }' "$file"
done
exit 0
