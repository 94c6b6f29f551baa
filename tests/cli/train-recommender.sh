#!/bin/sh
# A solution of the name of a recommender gets versions of the recommender's recipe alone.
. "$PZ_SRC/tests/cli/serve.inc"
"$PZ_SRC/tests/sample" . || exit 1
unset PZ_NOW # versions are told apart by their times
start -g shop
control CreateRecommender '{"name":"viewed","datasetGroupArn":"'$arn:dataset-group/shop'",
    "recipeArn":"arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views"}' >made
for _ in $(seq 1200); do
    control DescribeRecommender '{"recommenderArn":"'$arn:recommender/viewed'"}' | grep -q '"status":"ACTIVE"' && break
    sleep 0.05
done
stop
train() { pz-train -q -g shop "$@" >out; echo "status $?, $(find shop/models/viewed -name '*.safetensors' | wc -l) versions"; }
train -r aws-popularity-count -S viewed --no-eval
train -r aws-ecomm-popular-items-by-purchases -S viewed --no-eval
train --auto -r aws-sims,aws-popularity-count -S viewed
train -r aws-ecomm-popular-items-by-views -S viewed --no-eval
train -r aws-popularity-count -S viewed --no-eval -o elsewhere.safetensors
train -r aws-popularity-count -S views --no-eval
pz-train -g shop -r aws-sims -S viewed --no-eval 2>&1 | sed -n 1p
exit 0
