#!/bin/sh
# Includes point down the layers, and a library is the business of one place.
set -u
order='base math store data filter recipe eval infer serve report cmd'
find libcore cmd -name '*.[ch]' | sort | while read -r file; do
    awk -v file="$file" -v order="$order" '
    BEGIN {
        n = split(order, name, " ")
        for (i = 1; i <= n; i++)
            rank[name[i]] = i
        # header: the only place that may include it
        only["cjson/cJSON.h"] = "libcore/base/json.c"
        only["csv.h"] = "libcore/data/csv"
        only["sqlite3.h"] = "libcore/store/"
        only["cblas.h"] = only["lapacke.h"] = "libcore/math/"
        only["microhttpd.h"] = "libcore/serve/"
        only["openssl/evp.h"] = only["openssl/hmac.h"] = "libcore/serve/"
        only["zstd.h"] = only["zlib.h"] = "libcore/"
        split(file, part, "/")
        here = part[1] == "libcore" ? part[2] : part[1]
        if (!(here in rank))
            print file ": " here " is no layer"
    }
    match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/) {
        s = substr($0, RSTART, RLENGTH)
        system_header = s ~ /</
        sub(/^[^"<]*["<]/, "", s)
        sub(/[">]$/, "", s)
        for (h in only)
            if (s == h && index(file, only[h]) != 1)
                print file ":" FNR ": only " only[h] " may include " h
        if (system_header)
            next
        split(s, part, "/")
        if (!(part[1] in rank))
            print file ":" FNR ": " s " is not named from libcore/ or the top"
        else if (rank[part[1]] > rank[here])
            print file ":" FNR ": " here " includes " s ", which is above it"
    }' "$file"
done
# BLAS costs every process that links it its start-up: training and evaluation only.
for tool in "$PZ_BUILD"/pz-*; do
    [ -f "$tool" ] || continue
    case ${tool##*/} in pz-train | pz-eval) continue ;; esac
    if ldd "$tool" 2>/dev/null | grep -Ei 'blas|lapack'; then
        echo "${tool##*/} links BLAS"
    fi
done
exit 0
