#!/bin/sh
# boto3 and the command line of AWS, with nothing changed but the endpoint.
# shellcheck disable=SC2016 # $NAME is the filter's
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE < $MAX'
pz-filter -g shop --save dear 'INCLUDE ItemID WHERE Items.PRICE > 60'
start -g shop
PYTHONDONTWRITEBYTECODE=1 $python "$PZ_SRC/tests/cli/serve-boto.py" "$url" >got || exit 1
pz-recommend -g shop -S personal -n 3 u1 | cut -f 2 | paste -s -d ' ' - | diff - got
if command -v aws >/dev/null; then
    export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
    aws --endpoint-url "$url" personalize-runtime get-recommendations --user-id u1 \
        --campaign-arn $arn:campaign/personal --num-results 3 --output text \
        --query 'itemList[].itemId' | tr '\t' '\n' >ids
    pz-recommend -g shop -S personal -n 3 u1 | cut -f 2 | cmp - ids
    aws --endpoint-url "$url" personalize list-dataset-groups --query 'datasetGroups[].name' \
        --output text | grep -x shop >/dev/null || echo "list-dataset-groups failed"
    aws --endpoint-url "$url" personalize-runtime get-recommendations --user-id u1 \
        --campaign-arn $arn:campaign/none 2>&1 |
        grep -q 'ResourceNotFoundException.*GetRecommendations' || echo "no error for a campaign that is none"
fi
stop
