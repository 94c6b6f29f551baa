#!/bin/sh
# The lab of Amazon Personalize with AWS's command line, against pz-serve or AWS itself.
#   usage: lab.sh ENDPOINT_URL BUCKET      the bucket as for lab.py
set -eu
url=$1 bucket=$2
: "${AWS_ACCESS_KEY_ID:=any}" "${AWS_SECRET_ACCESS_KEY:=any}" "${AWS_DEFAULT_REGION:=us-east-1}"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_PAGER=
personalize()
{
    aws --endpoint-url "$url" --output text personalize "$@"
}

# until_active QUERY DESCRIBE OPTION...: asks until a resource is made.
until_active()
{
    query=$1
    shift
    while :; do
        status=$(personalize "$@" --query "$query.status")
        case $status in
        ACTIVE) return 0 ;;
        *FAILED) break ;;
        esac
        sleep 0.2
    done
    echo "$query: $status $(personalize "$@" --query "$query.failureReason")" >&2
    return 1
}

schema='{"type": "record", "name": "Interactions",
  "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
  "fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
             {"name": "EVENT_TYPE", "type": "string"}, {"name": "TIMESTAMP", "type": "long"}]}'
group=$(personalize create-dataset-group --name lab-cli --query datasetGroupArn)
until_active datasetGroup describe-dataset-group --dataset-group-arn "$group"
schema=$(personalize create-schema --name lab-cli --schema "$schema" --query schemaArn)
dataset=$(personalize create-dataset --name lab-cli --schema-arn "$schema" \
    --dataset-group-arn "$group" --dataset-type Interactions --query datasetArn)
job=$(personalize create-dataset-import-job --job-name lab-cli --dataset-arn "$dataset" \
    --data-source "dataLocation=s3://$bucket/interactions.csv" \
    --role-arn arn:aws:iam::000000000000:role/PersonalizeRole --query datasetImportJobArn)
until_active datasetImportJob describe-dataset-import-job --dataset-import-job-arn "$job"
solution=$(personalize create-solution --name lab-cli --dataset-group-arn "$group" \
    --recipe-arn arn:aws:personalize:::recipe/aws-sims --query solutionArn)
version=$(personalize create-solution-version --solution-arn "$solution" \
    --query solutionVersionArn)
until_active solutionVersion describe-solution-version --solution-version-arn "$version"
personalize get-solution-metrics --solution-version-arn "$version"
campaign=$(personalize create-campaign --name lab-cli --solution-version-arn "$version" \
    --query campaignArn)
until_active campaign describe-campaign --campaign-arn "$campaign"
aws --endpoint-url "$url" --output text personalize-runtime get-recommendations \
    --campaign-arn "$campaign" --item-id i1 --num-results 5 --query 'itemList[].itemId'

# What somebody does counts at once, in filters too.
filter=$(personalize create-filter --name lab-cli-unseen --dataset-group-arn "$group" --query filterArn \
    --filter-expression 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
until_active filter describe-filter --filter-arn "$filter"
tracker=$(personalize create-event-tracker --name lab-cli --dataset-group-arn "$group" \
    --query '[trackingId, eventTrackerArn]')
tracker_arn=${tracker#*	} tracker=${tracker%%	*}
first()
{
    aws --endpoint-url "$url" --output text personalize-runtime get-recommendations \
        --campaign-arn "$campaign" --filter-arn "$filter" --item-id i1 --user-id lab --num-results 1 \
        --query 'itemList[].itemId'
}
seen=$(first)
aws --endpoint-url "$url" personalize-events put-events --tracking-id "$tracker" --user-id lab \
    --session-id s1 --event-list "eventType=View,itemId=$seen,sentAt=$(date +%s)"
if [ "$(first)" = "$seen" ]; then
    echo "the filter does not know the event" >&2
    exit 1
fi

personalize delete-event-tracker --event-tracker-arn "$tracker_arn"
personalize delete-filter --filter-arn "$filter"
personalize delete-campaign --campaign-arn "$campaign"
personalize delete-solution --solution-arn "$solution"
personalize delete-dataset --dataset-arn "$dataset"
personalize delete-dataset-group --dataset-group-arn "$group"
personalize delete-schema --schema-arn "$schema"
