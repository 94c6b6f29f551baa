#!/bin/sh
# samples/retrain.sh: trains, keeps the newest versions, compacts; one at a time; the units are sound.
command -v flock >/dev/null || { echo "no flock"; exit 77; }
retrain=$PZ_SRC/samples/retrain.sh
make-shop data --users 60 --items 30 --days 20 2>/dev/null || exit
pz-import -q -g shop -t interactions data/interactions.csv >out || exit
versions() { find shop/models -name '*.safetensors' | sort | sed 's/[0-9TZ]*\(_[0-9]*\)*\.safe/V.safe/'; }
for day in 1 2 3; do
    echo "{\"userId\":\"u1\",\"itemId\":\"new$day\",\"eventType\":\"View\",\"device\":\"tv\",\"sentAt\":$((PZ_NOW - 30 * 86400))}" |
        pz-event -g shop
    echo "{\"userId\":\"u1\",\"itemId\":\"newest\",\"eventType\":\"View\",\"device\":\"tv\",\"sentAt\":$((PZ_NOW - day))}" |
        pz-event -g shop
    RETRAIN_KEEP=2 "$retrain" shop similar=aws-sims top=aws-popularity-count >out 2>err || cat out err
done
versions
echo "in the dataset: $(pz-info -g shop --export interactions | cut -d, -f2 | grep -c '^new[0-9]')"
echo "in the store: $(pz-info -g shop --export events | tail -n +2 | wc -l | tr -d ' ')"
[ -n "$(pz-recommend -g shop -S similar newest)" ] && echo "events are learned from"
echo "== mistakes"
"$retrain" shop 2>&1 | sed 's/.*usage/usage/'
"$retrain" shop wrong=aws-nothing top=aws-popularity-count >out 2>err
echo "status $?; trained: $(grep -c top out); $(head -n 1 err | cut -c 1-40)"
echo "== one at a time"
mkfifo pipe
flock shop/.retrain.lock cat pipe &
exec 3>pipe
"$retrain" shop top=aws-popularity-count
echo "status $?"
exec 3>&-
wait
"$retrain" shop top=aws-popularity-count >out
echo "status $?"
if command -v systemd-analyze >/dev/null; then
    mkdir units
    cp "$PZ_SRC"/samples/systemd/pz-retrain.* units
    # The script need not be installed here.
    sed -i "s|/usr/local/share/pz/retrain.sh|$retrain|" units/pz-retrain.service
    systemd-analyze verify --man=no "$PWD"/units/pz-retrain.timer "$PWD"/units/pz-retrain.service 2>&1 |
        grep 'pz-retrain'
fi
exit 0
