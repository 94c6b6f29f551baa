"""Every operation of the control plane through boto3, valid and invalid."""
import json
import re
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, group_name, fresh = sys.argv[1], sys.argv[2], sys.argv[3] == "root"
A = "arn:aws:personalize:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/any"
key = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
p, runtime = (
    boto3.client(n, endpoint_url=url, config=Config(retries={"max_attempts": 0}), **key)
    for n in ("personalize", "personalize-runtime")
)
called = set()


def do(operation, /, **arguments):
    called.add(operation)
    return getattr(p, operation)(**arguments)


def fails(error, operation, /, **arguments):
    try:
        do(operation, **arguments)
    except ClientError as e:
        got = e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == (error, 400), (operation, got, str(e))
        assert e.response["Error"]["Message"], operation
        return
    raise AssertionError(f"{operation}: {error} was not raised")


def wait(operation, member, good=("ACTIVE",), **arn):
    for _ in range(600):
        it = do(operation, **arn)[member]
        if it["status"] in good or "FAILED" in it["status"] or "STOPPED" in it["status"]:
            break
        assert it["status"] in (
            "CREATE PENDING", "CREATE IN_PROGRESS", "CREATE STOPPING", "PENDING", "IN_PROGRESS"
        ), it
        time.sleep(0.05)
    return it


def names(operation, member, /, **arguments):
    pages = p.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments)
    called.add(operation)
    return [i.get("name", i.get("jobName")) for page in pages for i in page[member]]


NOT_FOUND, INVALID, EXISTS, IN_USE = (
    "ResourceNotFoundException", "InvalidInputException", "ResourceAlreadyExistsException",
    "ResourceInUseException",
)
group = A + "dataset-group/" + group_name

# Groups, schemas, datasets: those that pz-import made are there.
assert group_name in names("list_dataset_groups", "datasetGroups")
described = do("describe_dataset_group", datasetGroupArn=group)["datasetGroup"]
assert described["status"] == "ACTIVE" and described["datasetGroupArn"] == group
fails(NOT_FOUND, "describe_dataset_group", datasetGroupArn=A + "dataset-group/none")
fails(INVALID, "describe_dataset_group", datasetGroupArn=A + "campaign/none")
fails("ValidationException", "describe_dataset_group", datasetGroupArn="none")
fails("InvalidNextTokenException", "list_dataset_groups", nextToken="x")
fails("ValidationException", "list_dataset_groups", maxResults=101)
fails("ValidationException", "create_dataset_group", name="-bad")
fails(EXISTS, "create_dataset_group", name=group_name)
if fresh:
    made = do("create_dataset_group", name="empty", domain="ECOMMERCE")
    assert made["domain"] == "ECOMMERCE"
    do("delete_dataset_group", datasetGroupArn=made["datasetGroupArn"])
    fails(NOT_FOUND, "describe_dataset_group", datasetGroupArn=made["datasetGroupArn"])
    fails(IN_USE, "delete_dataset_group", datasetGroupArn=group)
else:
    fails("LimitExceededException", "create_dataset_group", name="second")
    fails(INVALID, "delete_dataset_group", datasetGroupArn=group)
sets = do("list_datasets", datasetGroupArn=group)["datasets"]
assert {s["datasetType"] for s in sets} == {"INTERACTIONS", "ITEMS", "USERS"}
items = do("describe_dataset", datasetArn=A + f"dataset/{group_name}/ITEMS")["dataset"]
schema = do("describe_schema", schemaArn=items["schemaArn"])["schema"]
assert json.loads(schema["schema"])["name"] == "Items"
fails(INVALID, "create_schema", name="bad", schema="{")
fails(INVALID, "create_schema", name="bad", schema='{"name":"Items","fields":[]}')
text = json.dumps(
    {
        "type": "record",
        "name": "Actions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "ACTION_ID", "type": "string"},
            {"name": "VALUE", "type": ["null", "long"]},
        ],
        "version": "1.0",
    }
)
made = do("create_schema", name="deeds", schema=text)["schemaArn"]
fails(EXISTS, "create_schema", name="deeds", schema=text)
assert do("describe_schema", schemaArn=made)["schema"]["schema"] == text
assert "deeds" in names("list_schemas", "schemas")
fails(INVALID, "create_dataset", name="d", schemaArn=made, datasetGroupArn=group, datasetType="Nothing")
fails(INVALID, "create_dataset", name="d", schemaArn=made, datasetGroupArn=group, datasetType="Users")
deeds = do("create_dataset", name="d", schemaArn=made, datasetGroupArn=group, datasetType="Actions",
           tags=[{"tagKey": "a", "tagValue": "1"}])["datasetArn"]
assert deeds == A + f"dataset/{group_name}/ACTIONS"
fails(EXISTS, "create_dataset", name="d", schemaArn=made, datasetGroupArn=group, datasetType="Actions")
fails(IN_USE, "delete_schema", schemaArn=made)

# Tags.
do("tag_resource", resourceArn=deeds, tags=[{"tagKey": "b", "tagValue": "2"}])
do("untag_resource", resourceArn=deeds, tagKeys=["a"])
assert do("list_tags_for_resource", resourceArn=deeds)["tags"] == [{"tagKey": "b", "tagValue": "2"}]
many = [{"tagKey": str(i), "tagValue": ""} for i in range(51)]
fails("TooManyTagsException", "tag_resource", resourceArn=deeds, tags=many)
fails(NOT_FOUND, "list_tags_for_resource", resourceArn=A + "filter/none")

# Import, export: files of s3:// and nothing else.
def imports(name, where):
    return dict(jobName=name, datasetArn=deeds, dataSource={"dataLocation": where}, roleArn=ROLE)


for bad in ("s3://bucket/../secret.csv", "s3://../secret.csv", "s3://bucket/none.csv", "file:///etc/passwd",
            "s3://bucket/link/secret.csv", "s3://"):
    fails(INVALID, "create_dataset_import_job", **imports("bad", bad))
job = do("create_dataset_import_job", **imports("good", "s3://bucket/actions.csv"))
it = wait("describe_dataset_import_job", "datasetImportJob", datasetImportJobArn=job["datasetImportJobArn"])
assert it["status"] == "ACTIVE" and it["dataSource"]["dataLocation"] == "s3://bucket/actions.csv", it
job = do("create_dataset_import_job", **imports("broken", "s3://bucket/broken.csv"))
it = wait("describe_dataset_import_job", "datasetImportJob", datasetImportJobArn=job["datasetImportJobArn"])
assert it["status"] == "CREATE FAILED" and "broken.csv" in it["failureReason"], it
assert names("list_dataset_import_jobs", "datasetImportJobs", datasetArn=deeds) in (["broken", "good"], ["good", "broken"])
out = {"s3DataDestination": {"path": "s3://bucket/out/"}}
job = do("create_dataset_export_job", jobName="all", datasetArn=A + f"dataset/{group_name}/USERS",
         ingestionMode="ALL", roleArn=ROLE, jobOutput=out)["datasetExportJobArn"]
it = wait("describe_dataset_export_job", "datasetExportJob", datasetExportJobArn=job)
assert it["status"] == "ACTIVE", it
assert open("s3/bucket/out/all.csv").readline().startswith("USER_ID,")
assert names("list_dataset_export_jobs", "datasetExportJobs") == ["all"]

# Solutions.
recipe = "arn:aws:personalize:::recipe/aws-sims"
recipes = names("list_recipes", "recipes")
assert "aws-sims" in recipes and len(set(recipes)) == len(recipes)
assert "aws-vod-top-picks" in names("list_recipes", "recipes", domain="VIDEO_ON_DEMAND")
assert do("describe_recipe", recipeArn=recipe)["recipe"]["recipeType"] == "RELATED_ITEMS"
fails(NOT_FOUND, "describe_recipe", recipeArn="arn:aws:personalize:::recipe/none")


def solution(name, **more):
    return dict(name=name, datasetGroupArn=group, recipeArn=recipe, **more)


assert {"personal", "similar", "popular"} <= set(names("list_solutions", "solutions", datasetGroupArn=group))
fails(NOT_FOUND, "create_solution", **dict(solution("x"), recipeArn=recipe + "x"))
fails(INVALID, "create_solution", **solution("x", solutionConfig={"algorithmHyperParameters": {"none": "1"}}))
fails(EXISTS, "create_solution", **solution("personal"))
made = do("create_solution", **solution(
    "own", eventType="View",
    solutionConfig={"algorithmHyperParameters": {"popularity_discount_factor": "0.7"}}))["solutionArn"]
SLOW = {"iterations": "1000", "solver": "cholesky", "hidden_dimension": "256"}
slow = do("create_solution", **dict(
    solution("slow", solutionConfig={"algorithmHyperParameters": SLOW}),
    recipeArn="arn:aws:personalize:::recipe/aws-user-personalization"))["solutionArn"]
# One is stopped while it trains, and one while it waits.
stops = [do("create_solution_version", solutionArn=slow)["solutionVersionArn"] for _ in range(2)]
for stop in reversed(stops):
    do("stop_solution_version_creation", solutionVersionArn=stop)
for stop in stops:
    it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=stop)
    assert it["status"] == "CREATE STOPPED", it
fails(INVALID, "create_campaign", name="c", solutionVersionArn=slow)
stop = stops[0]
fails(IN_USE, "get_solution_metrics", solutionVersionArn=stop)
fails(INVALID, "stop_solution_version_creation", solutionVersionArn=stop)
version = do("create_solution_version", solutionArn=made)["solutionVersionArn"]
assert re.fullmatch(A + "solution/own/[0-9a-f]{8}", version)
fails(IN_USE, "create_campaign", name="early", solutionVersionArn=stop)
it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=version)
assert it["status"] == "ACTIVE" and it["trainingHours"] > 0 and it["eventType"] == "View", it
assert it["solutionConfig"]["algorithmHyperParameters"] == {"popularity_discount_factor": "0.7"}
metrics = do("get_solution_metrics", solutionVersionArn=version)["metrics"]
assert 0 < metrics["coverage"] <= 1 and "precision_at_5" in metrics
listed = do("list_solution_versions", solutionArn=made)["solutionVersions"]
assert {v["solutionVersionArn"] for v in listed} == {version}
latest = do("describe_solution", solutionArn=made)["solution"]["latestSolutionVersion"]
assert latest["solutionVersionArn"] == version

# Campaigns: in service when ACTIVE.
fails(NOT_FOUND, "create_campaign", name="c", solutionVersionArn=A + "solution/none/00000000")
fails(INVALID, "create_campaign", name="c", solutionVersionArn=made)
campaign = do("create_campaign", name="own-campaign", solutionVersionArn=version, minProvisionedTPS=2,
              campaignConfig={"itemExplorationConfig": {"explorationWeight": "0.3"}})["campaignArn"]
it = wait("describe_campaign", "campaign", campaignArn=campaign)
assert it["status"] == "ACTIVE" and it["minProvisionedTPS"] == 2 and it["solutionVersionArn"] == version, it
assert runtime.get_recommendations(campaignArn=campaign, itemId="i1")["itemList"]
fails(EXISTS, "create_campaign", name="own-campaign", solutionVersionArn=version)
do("update_campaign", campaignArn=campaign, solutionVersionArn=A + "solution/similar/$LATEST")
assert wait("describe_campaign", "campaign", campaignArn=campaign)["solutionVersionArn"].endswith("$LATEST")
assert runtime.get_recommendations(campaignArn=campaign, itemId="i1")["itemList"]
assert set(names("list_campaigns", "campaigns", solutionArn=A + "solution/similar")) == {"own-campaign", "similar"}
fails(IN_USE, "delete_solution", solutionArn=A + "solution/similar")

# Filters, trackers.
fails(INVALID, "create_filter", name="f", datasetGroupArn=group, filterExpression="EXCLUDE nothing")
made_filter = do("create_filter", name="f", datasetGroupArn=group,
                 filterExpression="INCLUDE ItemID WHERE Items.PRICE < 50")["filterArn"]
assert do("describe_filter", filterArn=made_filter)["filter"]["datasetGroupArn"] == group
assert names("list_filters", "Filters", datasetGroupArn=group) == ["f"]
assert runtime.get_recommendations(campaignArn=campaign, itemId="i1", filterArn=made_filter)["itemList"]
tracker = do("create_event_tracker", name="t", datasetGroupArn=group)
fails(EXISTS, "create_event_tracker", name="t2", datasetGroupArn=group)
it = do("describe_event_tracker", eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"]
assert it["trackingId"] == tracker["trackingId"] and it["accountId"] == "000000000000"
assert names("list_event_trackers", "eventTrackers", datasetGroupArn=group) == ["t"]

# Batch inference, data deletion.
job = do("create_batch_inference_job", jobName="batch", solutionVersionArn=version, roleArn=ROLE,
         numResults=3, jobInput={"s3DataSource": {"path": "s3://bucket/batch.jsonl"}},
         jobOutput=out)["batchInferenceJobArn"]
it = wait("describe_batch_inference_job", "batchInferenceJob", batchInferenceJobArn=job)
assert it["status"] == "ACTIVE", it
lines = [json.loads(line) for line in open("s3/bucket/out/batch.jsonl.out")]
assert [len(x["output"]["recommendedItems"]) for x in lines] == [3, 3]
assert names("list_batch_inference_jobs", "batchInferenceJobs", solutionVersionArn=version) == ["batch"]
if hasattr(p, "create_data_deletion_job"):  # not in boto3 of Debian 12
    job = do("create_data_deletion_job", jobName="forget", datasetGroupArn=group, roleArn=ROLE,
             dataSource={"dataLocation": "s3://bucket/forget.csv"})["dataDeletionJobArn"]
    it = wait("describe_data_deletion_job", "dataDeletionJob", ("COMPLETED",), dataDeletionJobArn=job)
    assert it["status"] == "COMPLETED", it
    assert names("list_data_deletion_jobs", "dataDeletionJobs", datasetGroupArn=group) == ["forget"]

# Away with it.
do("delete_campaign", campaignArn=campaign)
fails(NOT_FOUND, "describe_campaign", campaignArn=campaign)
do("delete_filter", filterArn=made_filter)
do("delete_event_tracker", eventTrackerArn=tracker["eventTrackerArn"])
do("delete_solution", solutionArn=slow)
do("delete_solution", solutionArn=made)
fails(NOT_FOUND, "describe_solution_version", solutionVersionArn=version)
do("delete_dataset", datasetArn=deeds)
do("delete_schema", schemaArn=A + "schema/deeds")

# What is not there says so.
for operation, arguments in (
    ("create_recommender", dict(name="r", datasetGroupArn=group, recipeArn=recipe)),
    ("list_recommenders", {}),
    ("list_metric_attributions", {}),
    ("list_batch_segment_jobs", {}),
    ("describe_algorithm", dict(algorithmArn="arn:aws:personalize:::algorithm/aws-sims")),
):
    fails(INVALID, operation, **arguments)
print("every operation called" if len(called) > 50 else sorted(called))
