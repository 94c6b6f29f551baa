#!/usr/bin/env python3
"""The lab of Amazon Personalize with boto3, against pz-serve or AWS itself.

usage: lab.py ENDPOINT_URL BUCKET

The bucket holds interactions.csv, of users, items, event types and times. With pz-serve it
is a directory: pz-serve --root GROUPS --s3-root DIR, and the file DIR/BUCKET/interactions.csv.
"""
import json
import sys
import time

import boto3

url, bucket = sys.argv[1:3]
key = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
personalize, runtime, events = (
    boto3.client(name, endpoint_url=url, **key)
    for name in ("personalize", "personalize-runtime", "personalize-events")
)
ROLE = "arn:aws:iam::000000000000:role/PersonalizeRole"


def wait(describe, member, **arn):
    """Asks until a resource is made."""
    while True:
        it = describe(**arn)[member]
        if it["status"] in ("ACTIVE", "CREATE FAILED"):
            break
        time.sleep(0.2)
    if it["status"] != "ACTIVE":
        sys.exit(f"{member}: {it.get('failureReason')}")
    return it


group = personalize.create_dataset_group(name="lab")["datasetGroupArn"]
wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
fields = [
    ("USER_ID", "string"),
    ("ITEM_ID", "string"),
    ("EVENT_TYPE", "string"),
    ("TIMESTAMP", "long"),
]
schema = personalize.create_schema(
    name="lab-interactions",
    schema=json.dumps(
        {
            "type": "record",
            "name": "Interactions",
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [{"name": n, "type": t} for n, t in fields],
            "version": "1.0",
        }
    ),
)["schemaArn"]
dataset = personalize.create_dataset(
    name="lab-interactions", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
)["datasetArn"]
wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
job = personalize.create_dataset_import_job(
    jobName="lab-import",
    datasetArn=dataset,
    dataSource={"dataLocation": f"s3://{bucket}/interactions.csv"},
    roleArn=ROLE,
)["datasetImportJobArn"]
wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
print("imported")

solution = personalize.create_solution(
    name="lab-solution",
    datasetGroupArn=group,
    recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
)["solutionArn"]
wait(personalize.describe_solution, "solution", solutionArn=solution)
version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
print("trained, coverage", "is there" if metrics["coverage"] > 0 else "is none")

campaign = personalize.create_campaign(
    name="lab-campaign", solutionVersionArn=version, minProvisionedTPS=1
)["campaignArn"]
wait(personalize.describe_campaign, "campaign", campaignArn=campaign)
bought = personalize.create_filter(
    name="lab-unseen",
    datasetGroupArn=group,
    filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
)["filterArn"]
wait(personalize.describe_filter, "filter", filterArn=bought)
tracker = personalize.create_event_tracker(name="lab-tracker", datasetGroupArn=group)
ask = {"campaignArn": campaign, "userId": "u1", "numResults": 5}
items = [i["itemId"] for i in runtime.get_recommendations(**ask)["itemList"]]
print("recommended", len(items))
unseen = runtime.get_recommendations(filterArn=bought, **ask)["itemList"]
events.put_events(
    trackingId=tracker["trackingId"],
    userId="u1",
    sessionId="s1",
    eventList=[{"eventType": "View", "itemId": unseen[0]["itemId"], "sentAt": int(time.time())}],
)
now = runtime.get_recommendations(filterArn=bought, **ask)["itemList"]
print("filtered", unseen[0]["itemId"] not in [i["itemId"] for i in now])

# What the answers bring: events by what led to them, as files in the bucket.
attribution = personalize.create_metric_attribution(
    name="lab-views",
    datasetGroupArn=group,
    metrics=[{"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"}],
    metricsOutputConfig={
        "roleArn": ROLE,
        "s3DataDestination": {"path": f"s3://{bucket}/metrics"},
    },
)["metricAttributionArn"]
wait(personalize.describe_metric_attribution, "metricAttribution", metricAttributionArn=attribution)
answer = runtime.get_recommendations(**ask)
events.put_events(
    trackingId=tracker["trackingId"],
    userId="u1",
    sessionId="s1",
    eventList=[
        {
            "eventType": "View",
            "itemId": answer["itemList"][0]["itemId"],
            "sentAt": int(time.time()),
            "recommendationId": answer["recommendationId"],
            "metricAttribution": {"eventAttributionSource": "newsletter"},
        }
    ],
)
metrics = personalize.list_metric_attribution_metrics(metricAttributionArn=attribution)["metrics"]
print("attributed", [m["metricName"] for m in metrics])

# A use case of a domain: no solution and no campaign, a recommender.
shop = personalize.create_dataset_group(name="lab-shop", domain="ECOMMERCE")["datasetGroupArn"]
wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=shop)
shop_schema = personalize.create_schema(
    name="lab-shop-interactions",
    domain="ECOMMERCE",
    schema=json.dumps(
        {
            "type": "record",
            "name": "Interactions",
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [{"name": n, "type": t} for n, t in fields],
            "version": "1.0",
        }
    ),
)["schemaArn"]
shop_dataset = personalize.create_dataset(
    name="lab-shop-interactions",
    schemaArn=shop_schema,
    datasetGroupArn=shop,
    datasetType="Interactions",
)["datasetArn"]
wait(personalize.describe_dataset, "dataset", datasetArn=shop_dataset)
job = personalize.create_dataset_import_job(
    jobName="lab-shop-import",
    datasetArn=shop_dataset,
    dataSource={"dataLocation": f"s3://{bucket}/interactions.csv"},
    roleArn=ROLE,
)["datasetImportJobArn"]
wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
recommender = personalize.create_recommender(
    name="lab-most-viewed",
    datasetGroupArn=shop,
    recipeArn="arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views",
)["recommenderArn"]
wait(personalize.describe_recommender, "recommender", recommenderArn=recommender)
popular = runtime.get_recommendations(recommenderArn=recommender, userId="u1", numResults=5)
print("most viewed", len(popular["itemList"]))

personalize.delete_recommender(recommenderArn=recommender)
personalize.delete_dataset(datasetArn=shop_dataset)
personalize.delete_dataset_group(datasetGroupArn=shop)
personalize.delete_schema(schemaArn=shop_schema)
personalize.delete_metric_attribution(metricAttributionArn=attribution)
personalize.delete_campaign(campaignArn=campaign)
personalize.delete_filter(filterArn=bought)
personalize.delete_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])
personalize.delete_solution(solutionArn=solution)
personalize.delete_dataset(datasetArn=dataset)
personalize.delete_dataset_group(datasetGroupArn=group)
personalize.delete_schema(schemaArn=schema)
print("cleaned up")
