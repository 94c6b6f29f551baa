#!/bin/sh
# Campaigns: of a version, of the latest one, and following it; several groups.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
mkdir root
mv shop root/shop
cp -a root/shop root/other
rm -r root/other/models/similar root/other/models/popular
sqlite3 root/shop/group.db "
    INSERT INTO campaign VALUES ('pinned', 'popular', '$(basename root/shop/models/popular/* .safetensors)', '{}', 1, 1);
    INSERT INTO campaign VALUES ('latest', 'popular', NULL, '{}', 1, 1);
    INSERT INTO campaign VALUES ('synced', 'popular', 'gone', '{\"syncWithLatestSolutionVersion\":true}', 1, 1);
    INSERT INTO campaign VALUES ('lost', 'popular', 'gone', '{}', 1, 1);
    INSERT INTO campaign VALUES ('empty', 'nothing', NULL, '{}', 1, 1);
    INSERT INTO campaign VALUES ('personal', 'similar', NULL, '{}', 1, 1);"
start --root root --account 123456789012 --region eu-west-1
# version NAME: what it answers from, or why it does not.
version()
{
    curl -s "$url/" -H 'X-Amz-Target: AmazonPersonalize.DescribeCampaign' \
        -d '{"campaignArn":"'"$arn:campaign/$1"'"}' |
        jq -r '.campaign | [.name, .status, (.solutionVersionArn // "" | split("/")[1:] | join(" ")),
            (.failureReason // "" | sub(".*/"; ""))] | join(" ")'
}
all()
{
    for name in pinned latest synced lost empty similar; do
        version $name
    done | sed "s/$old/OLD/; s/$new/NEW/"
}
old=$(basename root/shop/models/popular/* .safetensors) new=none
all
curl -s "$url/readyz" | sed "s|'/.*/models|'MODELS|"
echo "# a new version"
new=30000101T000000Z
cp "root/shop/models/popular/$old.safetensors" "root/shop/models/popular/$new.safetensors"
settle
all
echo "# ARNs of here; a campaign goes before solutions of its name; two solutions are one too many"
curl -s "$url/" -H 'X-Amz-Target: AmazonPersonalize.ListDatasetGroups' -d '{}' | jq -r '.datasetGroups[].datasetGroupArn'
ask /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1"}'
sqlite3 root/shop/group.db "DELETE FROM campaign WHERE name = 'personal'"
settle
ask /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1"}'
ask /events '{"trackingId":"any","userId":"u1","sessionId":"s","eventList":[{"eventType":"View","itemId":"i1","sentAt":1}]}'
echo "# a group goes, another comes"
rm -r root/other
mv root/shop root/renamed
settle
curl -s "$url/" -H 'X-Amz-Target: AmazonPersonalize.ListDatasetGroups' -d '{}' | jq -r '.datasetGroups[].name'
ask /recommendations '{"campaignArn":"'$arn':campaign/personal","userId":"u1","numResults":1}' | head -n 1
echo "# one of the same name in its place: what is acknowledged is in the one that is there"
event='{"trackingId":"any","userId":"u1","sessionId":"s","eventList":[{"eventType":"View","itemId":"i1",
    "sentAt":1735689600,"properties":"{\"device\":\"tv\"}"}]}'
cp -a root/renamed copy
for _ in 1 2; do
    ask /events "$event"
    sqlite3 root/renamed/group.db 'SELECT count(*) FROM event'
    rm -r root/renamed
    cp -a copy root/.new
    mv root/.new root/renamed
    settle
done
stop
