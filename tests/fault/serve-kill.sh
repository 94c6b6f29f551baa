#!/bin/sh
# kill -9 at any moment under clients that send each event until it is acknowledged: every
# event that was is there once. PZ_KILLS is the number of kills (default 25).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve
# The leak check of a sanitizer wants to trace the process.
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
command -v python3 >/dev/null || skip "python3 is not installed"
kills=${PZ_KILLS:-25}
shop 2000 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
listen=127.0.0.1:0
# start: the server, at the address of the one before.
start()
{
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -f url
        pz-serve -q --sandbox "$sandbox" -g g -l "$listen" >url 2>server.err &
        pid=$!
        while ! [ -s url ] && kill -0 $pid 2>/dev/null; do
            sleep 0.01
        done
        [ -s url ] && return
        sleep 0.1
    done
    broken "no server: $(cat server.err)"
    finish
}
start
url=$(cat url)
listen=${url#http://}
PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/fault/serve_load.py" put "$url" 8 stop acked \
    >load.out 2>&1 &
load=$!
k=0
while [ $k -lt "$kills" ]; do
    k=$((k + 1))
    sleep "$(awk -v k=$k 'BEGIN { srand(k); printf "%.4f", 0.02 + rand() * 0.2 }')"
    kill -9 $pid 2>/dev/null || broken "kill $k: the server ended before: $(cat server.err)"
    wait $pid 2>/dev/null
    start
done
sleep 0.3
touch stop
wait $load || broken "clients: $(cat load.out)"
# The orderly end loses nothing either.
kill $pid
wait $pid || broken "SIGTERM: status $?"
pz-info --verify g >out 2>&1 || broken "pz-info --verify: $(cat out)"
sqlite3 g/group.db "SELECT user || ' ' || time FROM event" | sort >stored
sort acked >sorted
comm -23 sorted stored >lost
[ ! -s lost ] || broken "$(wc -l <lost) acknowledged events are lost, such as $(head -n 1 lost)"
uniq -d stored >twice
[ ! -s twice ] || broken "$(wc -l <twice) events are stored twice, such as $(head -n 1 twice)"
[ "$(wc -l <acked)" -ge "$kills" ] || broken "only $(wc -l <acked) were acknowledged"
echo "$kills kills: $(wc -l <acked) acknowledged, $(wc -l <stored) stored"
finish
