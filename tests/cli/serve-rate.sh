#!/bin/sh
# minProvisionedTPS is measured: a campaign that cannot keep it is not made, nor changed.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
start -g shop
# fast NAME OPERATION BODY: shows the answer with the measured figure cut out
fast() { control "$1" "$2" | sed 's/at most [0-9][0-9]* requests/at most MANY requests/'; }
for solution in personal similar popular; do
    # shellcheck disable=SC2016 # the text is $LATEST
    new='"name":"fast","solutionVersionArn":"'$arn:solution/$solution'/$LATEST"'
    fast CreateCampaign '{'"$new"',"minProvisionedTPS":2000000000}'
    control DescribeCampaign '{"campaignArn":"'$arn:campaign/fast'"}' | head -n 1
done
control CreateCampaign '{'"$new"',"minProvisionedTPS":2}'
fast UpdateCampaign '{"campaignArn":"'$arn:campaign/fast'","minProvisionedTPS":2000000000}'
control UpdateCampaign '{"campaignArn":"'$arn:campaign/fast'","minProvisionedTPS":3}'
control DescribeCampaign '{"campaignArn":"'$arn:campaign/fast'"}' | tail -n 1 | jq -c '.campaign | [.status, .minProvisionedTPS]'
ask /recommendations '{"campaignArn":"'$arn:campaign/fast'","userId":"u1","numResults":1}' | head -n 1
stop
