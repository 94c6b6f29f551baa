#!/bin/sh
# An event that names a recommendationId has what was shown as its impression.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
start -g shop
# rank N PATH BODY: asks; the id in $rid, the items into the file shownN
rank()
{
    curl -s "$url$2" -d "$3" >"answer$1"
    rid=$(jq -r .recommendationId "answer$1")
    jq -r '[(.itemList // .personalizedRanking)[].itemId] | join("|")' "answer$1" >"shown$1"
}
# put ITEM MORE: an event without an id
put()
{
    ask /events '{"trackingId":"any","userId":"eve","sessionId":"s","eventList":[{
        "eventType":"View","itemId":"'"$1"'","sentAt":1735689600,
        "properties":"{\"device\":\"phone\"}"'"$2"'}]}'
}
# of ITEM: what the store has as the impression
of() { sqlite3 shop/group.db "SELECT ifnull(impression, 'none') FROM event WHERE item = '$1'"; }
# told TEXT FILE: TEXT is what FILE has
told() { [ "$1" = "$(cat "$2")" ] && echo "as shown" || echo "other than shown: $1"; }

rank 1 /recommendations '{"campaignArn":"'$arn:campaign/personal'","userId":"eve","numResults":30}'
one=$rid
put i1 ',"recommendationId":"'"$one"'"'
told "$(of i1)" shown1
tr '|' '\n' <shown1 | wc -l
rank 2 /personalize-ranking '{"campaignArn":"'$arn:campaign/personal'","userId":"eve","inputList":["i9","i4","none"]}'
put i2 ',"recommendationId":"'"$rid"'"'
told "$(of i2)" shown2
echo "the client's own goes first"
put i3 ',"recommendationId":"'"$one"'","impression":["i3","i4"]'
of i3
echo "unknown ones, and none"
put i4 ',"recommendationId":"RID-12345678-1234-1234-1234-123456789012"'
of i4
put i5
of i5
echo "PutActionInteractions is not changed"
ask /action-interactions '{"trackingId":"any","actionInteractions":[{"actionId":"a1","userId":"eve","sessionId":"s",
    "timestamp":1735689600,"eventType":"Viewed","recommendationId":"'"$one"'"}]}'
of a1
stop
echo "the same event again, to a server that has forgotten"
start -g shop
put i1 ',"recommendationId":"'"$one"'"'
sqlite3 shop/group.db "SELECT count(*) FROM event WHERE item = 'i1'"
stop
echo "a server that need not remember"
start -g shop --shown 0
rank 3 /recommendations '{"campaignArn":"'$arn:campaign/personal'","userId":"eve"}'
put i6 ',"recommendationId":"'"$rid"'"'
of i6
stop
