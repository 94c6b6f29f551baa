#!/bin/sh
# The three APIs with plain HTTP: answers, and errors with AWS's names.
# shellcheck disable=SC2016 # $NAME is the filter's
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
start -g shop --access-log access.log

# same PATH BODY COMMAND...: the items, scores and columns of the answer are those that the
# command prints.
same()
{
    path=$1
    request=$2
    shift 2
    curl -s -H 'Content-Type: application/json' "$url$path" -d "$request" >got.json
    jq -r '(.itemList // .personalizedRanking)[] | [.itemId, .score // ""] +
        (if .metadata then [.metadata[]] else [] end) | @tsv' got.json >got
    "$@" | cut -f 2- >want
    if [ -s got ] && cmp -s got want; then
        echo "the same: $(wc -l <got) items, $(jq -r 'keys | join(" ")' got.json)"
    else
        cat got.json
        diff want got
    fi
}

echo "# the answers are those of pz-recommend"
same /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1","numResults":3}' \
    pz-recommend -g shop -S personal -n 3 u1
same /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1"}' \
    pz-recommend -g shop -S personal u1
same /recommendations '{"campaignArn":"'$arn':campaign/similar","itemId":"i1","numResults":2}' \
    pz-recommend -g shop -S similar -n 2 i1
same /recommendations '{"campaignArn":"'$arn':campaign/popular","numResults":2}' \
    pz-recommend -g shop -S popular -n 2 nobody
same /personalize-ranking '{"campaignArn":"'$arn':campaign/personal","userId":"u1","inputList":["i1","nope","i2"]}' \
    pz-recommend -g shop -S personal --rank i1,nope,i2 u1

echo "# filters, promotions, metadata"
pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE < $MAX'
same /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1","numResults":3,
    "filterArn":"'$arn':filter/cheap","filterValues":{"MAX":"20"},"metadataColumns":{"ITEMS":["PRICE","CATEGORY_L1"]}}' \
    pz-recommend -g shop -S personal -n 3 -F cheap -V MAX=20 --metadata PRICE,CATEGORY_L1 u1
# Placeholders of one name, with a value for each filter.
pz-filter -g shop --save dear 'INCLUDE ItemID WHERE Items.PRICE > $MAX'
curl -s "$url/recommendations" -d '{"campaignArn":"'$arn':campaign/personal","userId":"u1","numResults":8,
    "filterArn":"'$arn':filter/cheap","filterValues":{"MAX":"20"},"metadataColumns":{"ITEMS":["PRICE"]},
    "promotions":[{"name":"sale","percentPromotedItems":50,"filterArn":"'$arn':filter/dear","filterValues":{"MAX":"60"}}]}' |
    jq -r '.itemList[] | [.promotionName // "-", (.reason // ["-"])[0],
        if (.metadata.price | tonumber) > 60 then "dear" else "cheap" end] | @tsv' | sort | uniq -c

echo "# what somebody does counts in the next request"
same /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"eve","numResults":2}' \
    pz-recommend -g shop -S personal -n 2 eve
ask /events '{"trackingId":"any","userId":"eve","sessionId":"s","eventList":[{"eventType":"View",
    "itemId":"i4","sentAt":1735689600,"properties":"{\"device\":\"phone\"}"}]}'
before=$(cat got.json)
same /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"eve","numResults":2}' \
    pz-recommend -g shop -S personal -n 2 eve
[ "$before" != "$(cat got.json)" ] || echo "the event does not count"
ask /items '{"datasetArn":"'$arn':dataset/shop/ITEMS","items":[{"itemId":"kite","properties":
    "{\"name\":\"Kite\",\"price\":9.5,\"categoryL1\":\"air\",\"categoryL2\":\"kites\",\"description\":\"\",\"creationTimestamp\":1735689600}"}]}'
same /personalize-ranking '{"campaignArn":"'$arn':campaign/personal","userId":"eve","inputList":["i4","kite"],
    "metadataColumns":{"ITEMS":["NAME"]}}' \
    pz-recommend -g shop -S personal --rank i4,kite --metadata NAME eve

echo "# the control plane"
control ListDatasetGroups '{}' | sed 's/DateTime":[0-9]*/DateTime":T/g'
control ListRecipes '{"maxResults":1}' | jq -c '(.recipes[0], .) | keys' 2>/dev/null
control DescribeCampaign '{"campaignArn":"'$arn':campaign/personal"}' | sed 's|/2[0-9]*T[0-9]*Z|/VERSION|'

echo "# errors"
while read -r path body; do
    echo "$path $body"
    ask "$path" "$body"
done <<EOF
/recommendations {"campaignArn":"$arn:campaign/none","userId":"u1"}
/recommendations {"campaignArn":"$arn:campaign/personal"}
/recommendations {"userId":"u1"}
/recommendations {"campaignArn":"$arn:campaign/similar","userId":"u1"}
/recommendations {"campaignArn":"x","numResults":-1}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","numResults":"3"}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","numResults":10001}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","filterArn":"$arn:filter/none"}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","filterArn":"$arn:filter/cheap"}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","filterValues":{"MAX":"1"}}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","metadataColumns":{"ITEMS":["NOPE"]}}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","metadataColumns":{"USERS":["AGE"]}}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","context":{"NOPE":"1"}}
/recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1","promotions":[{"name":"x"}]}
/recommendations {"campaignArn":
/recommendations [1]
/personalize-ranking {"campaignArn":"$arn:campaign/similar","userId":"u1","inputList":["i1"]}
/personalize-ranking {"campaignArn":"$arn:campaign/personal"}
/action-recommendations {"campaignArn":"$arn:campaign/personal","userId":"u1"}
/events {"trackingId":"any","sessionId":"s","eventList":[]}
/events {"trackingId":"any","sessionId":"s","eventList":[{"eventType":"View","itemId":"i1","sentAt":"soon"}]}
/events {"trackingId":"any","sessionId":"s","eventList":[{"eventType":"View","itemId":"i1","sentAt":1,"properties":"{"}]}
/items {"datasetArn":"$arn:dataset/shop/USERS","items":[{"itemId":"x"}]}
/items {"datasetArn":"$arn:dataset/none/ITEMS","items":[{"itemId":"x"}]}
/nothing {}
EOF
control NoSuchThing '{}'
control DescribeCampaign '{}'
control ListRecipes '{"nextToken":"x"}'
curl -s "$url/recommendations"
echo
head -c 1100000 /dev/zero | tr '\0' ' ' | curl -s -o body -w '%{http_code}\n' --data-binary @- "$url/events"

echo "# a tracker makes others strangers"
id=$(pz-event -g shop --create-tracker site)
event='"userId":"eve","sessionId":"s","eventList":[{"eventType":"View","itemId":"i5","sentAt":1735689601,"properties":"{\"device\":\"phone\"}"}]}'
kill -HUP "$server"
settle
ask /events '{"trackingId":"any",'"$event"
ask /events '{"trackingId":"'"$id"'",'"$event"

echo "# of itself"
curl -s "$url/healthz"
curl -s "$url/readyz"
curl -s "$url/metrics" | grep -E '^pz_(events_stored|records_put|put_requests)_total'
stop
sqlite3 shop/group.db 'SELECT user, item FROM event ORDER BY seq'
grep -c 'operation=GetRecommendations status=200' access.log
grep -c 'error=ValidationException' access.log
exit 0
