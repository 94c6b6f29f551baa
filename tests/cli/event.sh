#!/bin/sh
# Events in every form they can have, what is stored of them, and what is refused.
cat >i.csv <<'END'
USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE,NUM_CLICKS
u1,i1,1700000000,view,tv,1
u2,i2,1700000001,view,,2
END
printf 'ITEM_ID,PRICE,GENRES\ni1,1.5,a|b\ni2,,\n' >items.csv
printf 'USER_ID,AGE\nu1,30\nu2,\n' >users.csv
for t in interactions items users; do
    file=$t.csv
    [ $t != interactions ] || file=i.csv
    pz-import -q -g g -t $t $file >out || exit
done
exec 2>&1

echo "# flat, with all spellings; a body; CSV"
cat >flat.jsonl <<'END'
{"USER_ID":"u1","ITEM_ID":"i1","TIMESTAMP":1700000100,"EVENT_TYPE":"view","DEVICE":"tv","NUM_CLICKS":7}
{"userId":"u1","itemId":"i2","sentAt":"1700000101.9","eventType":"view","num_clicks":"8","eventId":"my-1"}

{"sessionId":"s1","itemId":"i3","sentAt":"2023-11-14T23:15:02+01:00","impression":["i3","i4"],"unknown":1}
{"userId":"u3","itemId":"i\u00e9\n","properties":{"device":["a","b"],"eventValue":1e3}}
END
pz-event -g g --ack -v flat.jsonl
# A list of lines is one line of input.
{
    printf '%s' '{"trackingId":"t","userId":"u4","sessionId":"s1","eventList":[' \
        '{"eventId":"2c1f6c1e-6f6b-4a7e-8f0f-0123456789ab","eventType":"buy","itemId":"i1",' \
        '"sentAt":1700000200,"eventValue":2.5,"recommendationId":"r1",' \
        '"metricAttribution":{"eventAttributionSource":"mail"},' \
        '"properties":"{\"device\":\"a\\\"b\",\"numClicks\":3}"},' \
        '{"eventType":"view","sentAt":1700000201,"properties":"{\"itemId\":\"i2\"}"}]}'
    echo
    printf '%s' '{"datasetArn":"arn","items":[' \
        '{"itemId":"i9","properties":"{\"price\":5,\"genres\":\"x|y\"}"},' \
        '{"itemId":"i1","properties":{"price":2}}]}'
    echo
    echo '{"datasetArn":"arn","users":[{"userId":"u9","properties":"{\"age\":44}"}]}'
} >body.jsonl
pz-event -g g --ack --json body.jsonl
printf 'event_id,session_id,ITEM_ID,TIMESTAMP,OTHER\r\n,"s,2",i5,1700000300,x\r\nc1,s1,i6,1700000301,x\r\n' |
    pz-event -g g --ack
printf 'ITEM_ID,PRICE\ni10,3\ni10,4\n' | gzip | pz-event -g g -t items -v

echo "# all of it again: nothing new but the records"
cat flat.jsonl body.jsonl | pz-event -g g -q --json

echo "# what is there"
pz-info -g g --export events
sqlite3 g/group.db 'select kind, id, properties from record; select * from session'
pz-info -g g | sed -n '/^eventStore/,$p'

echo "# out and in again"
pz-info -g g --export events --json >events.jsonl
pz-info -g g --export events >events.csv
mkdir h && cp g/interactions.safetensors h && pz-event -g h -v events.jsonl
pz-info -g h --export events | cmp - events.csv
pz-event -g h -v events.csv
pz-event -g g -v events.csv

echo "# refused, line by line; the rest is stored"
cat >bad.jsonl <<'END'
{"userId":"u1"}
{"itemId":"i1"}
{"userId":"u1","itemId":"i1","sentAt":1700000000123}
{"userId":"u1","itemId":"i1","sentAt":1700000000123456}
{"userId":"u1","itemId":"i1","sentAt":"yesterday"}
{"userId":"u1","itemId":"i1","sentAt":true}
{"userId":"u1","itemId":"i1","eventValue":"much"}
{"userId":"u1","itemId":"i1","numClicks":1.5}
{"userId":"u1","itemId":"i1","properties":"{\"userId\":\"x\"}"}
{"userId":"u1","itemId":"i1","properties":"not json"}
{"userId":"u1","itemId":"i1","properties":"[]"}
{"userId":"u1","itemId":"i1","properties":7}
{"userId":"u1","itemId":"i1","eventValue":1,"properties":{"eventValue":2}}
{"userId":"u1","itemId":["i1"]}
{"userId":"u1","itemId":{}}
{"userId":"u1","USER_ID":"u2","itemId":"i1"}
{"userId":"u1","itemId":"i1","metricAttribution":{"eventAttributionSource":"  "}}
{"userId":"u1","itemId":"i1","impression":["a|b"]}
{"userId":"u1","itemId":"i1"} x
{"userId":"u1","itemId":
[1]
{"userId":"u1","sessionId":"s","eventList":[]}
{"userId":"u1","sessionId":"s","eventList":[{"eventType":"t","itemId":"i1","sentAt":1},{"itemId":"i1","sentAt":1}]}
{"userId":"u1","sessionId":"s","eventList":[{"eventType":"t","itemId":"i1"}]}
{"userId":"u1","eventList":[{"eventType":"t","itemId":"i1","sentAt":1}]}
{"userId":"u1","sessionId":"s","eventList":[1]}
{"items":[{"itemId":"i1"}],"users":[{"userId":"u1"}]}
{"items":[{"properties":"{}"}]}
{"items":[{"itemId":"i1","properties":"{\"price\":\"x\"}"}]}
{"actions":[{"actionId":"a1","properties":"{}"}]}
{"actionInteractions":[{"actionId":"a1","sessionId":"s","eventType":"Eaten","timestamp":1}]}
{"userId":"u7","itemId":"i7","sentAt":1700000400}
{"userId":"u1","itemId":"i1","sentAt":"9999-12-31T00:00:00Z"}
END
pz-event -g g --ack bad.jsonl
echo "status $?"
printf 'USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,\nu1,i1\n"u1,i1,5\n,i1,5\nu8,"i,8",1700000500\n' | pz-event -g g --ack
echo "status $?"
for head in 'USER_ID,TIMESTAMP' 'ITEM_ID,TIMESTAMP' 'USER_ID,ITEM_ID,user_id' '[' '"USER_ID'; do
    printf '%s\nu1,1\n' "$head" | pz-event -g g
    echo "status $?"
done
