#!/bin/sh
# Forgetting users, the audit, and attribution reports.
cat >rows.csv <<'END'
USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE
anna-1,a,10,view
anna-1,only-hers,11,her-type
berta-2,a,12,view
berta-2,b,13,buy
carla-3,b,14,view
END
printf 'USER_ID,AGE\nanna-1,31\nberta-2,40\n' >users.csv
grep -v anna rows.csv >rest.csv
pz-import -q -g g -t interactions rows.csv >out && pz-import -q -g g -t users users.csv >out || exit
pz-event -g g <<'END'
{"userId":"anna-1","sessionId":"s1","itemId":"c","eventType":"view","sentAt":20}
{"sessionId":"s1","itemId":"d","eventType":"view","sentAt":21}
{"userId":"berta-2","sessionId":"s2","itemId":"c","eventType":"view","sentAt":22}
END
echo '{"userId":"anna-1","age":32}' | pz-event -g g -t users
pz-train -q -g g -r aws-popularity-count --no-eval >model || exit

echo "== before"
pz-info -g g --audit anna-1 | sed 's/[0-9TZ]*\.safetensors/.../'
pz-info -g g --audit nobody >out
echo "nobody: status $?"
echo "== forgetting"
pz-import -g g --forget --max-rejects 3 anna-1 2>&1 | head -n 1
pz-import -g g --forget anna-1 nobody
pz-info -g g --audit anna-1 | sed 's/[0-9TZ]*\.safetensors/.../'
pz-info -g g --audit anna-1 --json | jq -c 'select(.found) | .where'
grep -l anna-1 g/*.safetensors g/group.db
echo "== as if she had never been"
pz-import -q -g clean -t interactions rest.csv >out
cmp clean/interactions.safetensors g/interactions.safetensors && echo same
pz-info -g g --export users
pz-info -g g --export events | cut -d, -f2-5
pz-info --verify g | sed 's/[0-9TZ]*\.safetensors/.../'
echo "== after the next training and without the old version"
rm "$(cat model)"
pz-train -q -g g -r aws-popularity-count --no-eval >model
pz-info -g g --audit anna-1 >out
echo "status $?"
echo "== ids from a file; all of them"
printf '\357\273\277USER_ID\r\nberta-2\r\n\r\ncarla-3\r\n' | pz-import -g g --forget --json
pz-info -g g --export interactions
pz-train -q -g g -r aws-popularity-count 2>&1
echo "status $?"
echo "== again, for nothing"
pz-import -g g --forget anna-1
echo "== mistakes"
pz-import -g g -t users --forget x 2>&1 | head -n 1
pz-import -g absent --forget x 2>&1
pz-info --audit x --verify g 2>&1 | head -n 1
pz-info --source all g 2>&1 | head -n 1

echo "== attribution"
pz-event -g a --attribution 2>&1
mkdir a
pz-event -g a --attribution
pz-event -g a <<'END'
{"userId":"u","itemId":"i","eventType":"buy","eventValue":2.5,"eventAttributionSource":"mail","sentAt":900}
{"userId":"v","itemId":"i","eventType":"buy","eventValue":1.25,"eventAttributionSource":"mail","sentAt":1799}
{"userId":"u","itemId":"i","eventType":"buy","eventAttributionSource":"mail","sentAt":1800}
{"userId":"u","itemId":"i","eventType":"a,b","sentAt":-1}
{"sessionId":"s","itemId":"i","eventType":"buy","eventAttributionSource":"site","sentAt":1000}
{"userId":"u","itemId":"i","eventType":"buy","recommendationId":"RID-1","sentAt":1000}
END
pz-event -g a --attribution
pz-event -g a --attribution --window 1h | sed 1d
