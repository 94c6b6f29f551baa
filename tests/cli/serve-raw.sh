#!/bin/sh
# HTTP as no library sends it: smuggled requests, broken ones, and 3000 slow clients.
. "$PZ_SRC/tests/cli/serve.inc"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
"$PZ_SRC/tests/sample" . || exit 1
slow=3000
# shellcheck disable=SC3045 # a shell without it has fewer clients
ulimit -n 8192 2>/dev/null || slow=300
start -g shop
PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/cli/serve-raw.py" "$url" $slow |
    sed "s/with $slow slow/with many slow/"
curl -s "$url/readyz"
stop
# With fewer places than slow clients, these make room.
start -g shop --max-connections 200
PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/cli/serve-raw.py" "$url" 600 | tail -n 3
stop
