#!/bin/sh
# Campaigns, filters and groups that were made are there for the next request, whatever else
# is written to the catalogue and however often a look at it fails. PZ_CREATE_SECONDS is for
# how long (default 5).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve
# The leak check of a sanitizer wants to trace the process.
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
command -v python3 >/dev/null || skip "python3 is not installed"
mkdir root
shop 2000 | pz-import -q -g root/g -t interactions >out 2>&1 || broken "import: $(cat out)"
version=$(pz-train -q -g root/g -r aws-popularity-count -S top --no-eval 2>err) || broken "training: $(cat err)"
version=${version##*/}
pz-serve -q --sandbox "$sandbox" --root root -l 127.0.0.1:0 >url 2>server.err &
pid=$!
while ! [ -s url ] && kill -0 $pid; do
    sleep 0.01
done
PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/fault/serve_create.py" "$(cat url)" 3 \
    "${PZ_CREATE_SECONDS:-5}" root/g top "${version%.safetensors}" >load.out 2>&1 &
load=$!
# Writers that come and go.
while kill -0 $load 2>/dev/null; do
    echo "{\"userId\":\"u1\",\"itemId\":\"i1\"}" | pz-event -q -g root/g 2>>err ||
        broken "pz-event: $(tail -n 1 err)"
done
wait $load || broken "$(cat load.out)"
kill $pid
wait $pid || broken "SIGTERM: status $?: $(cat server.err)"
cat load.out server.err
finish
