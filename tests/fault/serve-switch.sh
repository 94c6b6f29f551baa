#!/bin/sh
# New versions, imports, filters and campaigns under load: no request fails, and each answer
# is one version's. PZ_SWITCHES is the number of changes (default 20).
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve
# The leak check of a sanitizer wants to trace the process.
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
command -v python3 >/dev/null || skip "python3 is not installed"
switches=${PZ_SWITCHES:-20}
train() { pz-train -q -g g -r aws-popularity-count --no-eval "$@" >>trained 2>err || broken "training: $(cat err)"; }
shop 2000 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
train -o a.model
shop 2000 | sed 's/,i\([0-9]\),/,i3\1,/' | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
train -o b.model
for m in a b; do
    pz-recommend -m "$m.model" -n 10 u0 | cut -f 2 | paste -s -d ' ' - >"$m.items"
done
cmp -s a.items b.items && broken "the two models say the same"
mkdir -p g/models/top
cp a.model g/models/top/10000.safetensors
pz-serve -q --sandbox "$sandbox" -g g -l 127.0.0.1:0 >url 2>server.err &
pid=$!
while ! [ -s url ] && kill -0 $pid; do
    sleep 0.01
done
PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/fault/serve_load.py" ask "$(cat url)" 4 stop \
    arn:aws:personalize:us-east-1:000000000000:campaign/top >load.out 2>&1 &
load=$!
k=0
while [ $k -lt "$switches" ]; do
    k=$((k + 1))
    m=$([ $((k % 2)) = 0 ] && echo a || echo b)
    cp "$m.model" new && mv new "g/models/top/$((10000 + k)).safetensors"
    case $((k % 5)) in
    0) kill -HUP $pid ;;
    1) shop $((2000 + k)) | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)" ;;
    2) pz-filter -g g --save "f$k" 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")' || broken "filter" ;;
    3) rm "g/models/top/$((10000 + k - 1)).safetensors" ;; # an old one, in use until now
    4) head -c 1000 a.model >"g/models/top/$((10000 + k))x.safetensors" # a damaged one, the latest
        sleep 0.4
        rm "g/models/top/$((10000 + k))x.safetensors" ;;
    esac
    sleep 0.3
done
touch stop
wait $load || broken "requests failed: $(cat load.out)"
cut -d ' ' -f 2- load.out | sort >got
sort a.items b.items >want
cmp -s got want || broken "answers of neither version, or of one alone: $(cat load.out)"
kill $pid
wait $pid || broken "SIGTERM: status $?: $(cat server.err)"
cat load.out
finish
