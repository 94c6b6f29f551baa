#!/bin/sh
# Requests that are there at one time are answered together: each as if it were alone.
# shellcheck disable=SC2016 # $NAME is the filter's
. "$PZ_SRC/tests/cli/serve.inc"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
"$PZ_SRC/tests/sample" . || exit 1
pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE < $MAX'
pz-filter -g shop --save dear 'INCLUDE ItemID WHERE Items.PRICE > $MAX'
pz-filter -g shop --save seen 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")'
for user in eve0 eve1 eve2; do
    printf '{"userId":"%s","itemId":"i%d","eventType":"View","properties":{"device":"tv"}}\n' \
        $user 3 $user 5 $user 8
done | pz-event -q -g shop || exit 1
for threads in 1 2; do
    start -g shop --threads $threads --max-wait 0 # a slow machine holds them all up
    PYTHONDONTWRITEBYTECODE=1 python3 "$PZ_SRC/tests/cli/serve-round.py" "$url" "$server" "$arn"
    stop
done
