"""Every operation of the control plane through boto3, valid and invalid."""
import csv
import glob
import json
import os
import re
import subprocess
import sys

from serve_api import A, EXISTS, INVALID, IN_USE, LIMIT, NOT_FOUND, RECIPE, ROLE, VALIDATION
from serve_api import do, fails, names, wait, whole

group_name, fresh = sys.argv[2], sys.argv[3] == "root"
group = A + "dataset-group/" + group_name

# Groups, schemas, datasets: those that pz-import made are there.
assert group_name in names("list_dataset_groups", "datasetGroups")
described = do("describe_dataset_group", datasetGroupArn=group)["datasetGroup"]
assert described["status"] == "ACTIVE" and described["datasetGroupArn"] == group
fails(NOT_FOUND, "describe_dataset_group", datasetGroupArn=A + "dataset-group/none")
fails(INVALID, "describe_dataset_group", datasetGroupArn=A + "campaign/none")
fails(VALIDATION, "describe_dataset_group", datasetGroupArn="none")
fails("InvalidNextTokenException", "list_dataset_groups", nextToken="x")
fails(VALIDATION, "list_dataset_groups", maxResults=101)
fails(VALIDATION, "create_dataset_group", name="-bad")
fails(EXISTS, "create_dataset_group", name=group_name)
if fresh:
    made = do("create_dataset_group", name="empty", domain="ECOMMERCE")
    assert made["domain"] == "ECOMMERCE"
    do("delete_dataset_group", datasetGroupArn=made["datasetGroupArn"])
    fails(NOT_FOUND, "describe_dataset_group", datasetGroupArn=made["datasetGroupArn"])
    fails(IN_USE, "delete_dataset_group", datasetGroupArn=group)
else:
    fails(LIMIT, "create_dataset_group", name="second")
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

# Another schema for a dataset; the next import follows it.
fails(INVALID, "update_dataset", datasetArn=deeds, schemaArn=items["schemaArn"])
fails(VALIDATION, "update_dataset", datasetArn=deeds)
text = text.replace(']}], "version"', ']}, {"name": "KIND", "type": ["null", "string"]}], "version"')
assert "KIND" in text
wide = do("create_schema", name="wide-deeds", schema=text)["schemaArn"]
assert do("update_dataset", datasetArn=deeds, schemaArn=wide)["datasetArn"] == deeds
it = whole("describe_dataset", datasetArn=deeds)["dataset"]
assert it["schemaArn"] == wide and it["latestDatasetUpdate"]["status"] == "ACTIVE", it
assert it["latestDatasetUpdate"]["schemaArn"] == wide

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
assert it["status"] == "CREATE FAILED" and it["failureReason"].count("s3://bucket/broken.csv:") == 1, it
assert os.getcwd() not in it["failureReason"], it
assert names("list_dataset_import_jobs", "datasetImportJobs", datasetArn=deeds) in (["broken", "good"], ["good", "broken"])
out = {"s3DataDestination": {"path": "s3://bucket/out/"}}
job = do("create_dataset_export_job", jobName="all", datasetArn=A + f"dataset/{group_name}/USERS",
         ingestionMode="ALL", roleArn=ROLE, jobOutput=out)["datasetExportJobArn"]
it = wait("describe_dataset_export_job", "datasetExportJob", datasetExportJobArn=job)
assert it["status"] == "ACTIVE", it
assert open("s3/bucket/out/all.csv").readline().startswith("USER_ID,")
assert names("list_dataset_export_jobs", "datasetExportJobs") == ["all"]

# Solutions.
recipe = RECIPE + "aws-sims"
recipes = names("list_recipes", "recipes")
assert "aws-sims" in recipes and len(set(recipes)) == len(recipes)
assert "aws-vod-top-picks" in names("list_recipes", "recipes", domain="VIDEO_ON_DEMAND")
assert do("describe_recipe", recipeArn=recipe)["recipe"]["recipeType"] == "RELATED_ITEMS"
fails(NOT_FOUND, "describe_recipe", recipeArn=RECIPE + "none")


# Algorithms and feature transformations are those of the recipes.
it = do("describe_recipe", recipeArn=recipe)["recipe"]
algorithm = do("describe_algorithm", algorithmArn=it["algorithmArn"])["algorithm"]
assert algorithm["name"] == "aws-sims" and algorithm["algorithmArn"] == it["algorithmArn"]
assert algorithm["defaultHyperParameters"]["popularity_discount_factor"] == "0.5"
ranges = algorithm["defaultHyperParameterRanges"]
least = {"name": "min_cointeraction_count", "minValue": 0, "maxValue": 10, "isTunable": True}
assert least in ranges["integerHyperParameterRanges"], ranges
assert {"continuousHyperParameterRanges", "categoricalHyperParameterRanges"} < set(ranges)
it = do("describe_feature_transformation", featureTransformationArn=it["featureTransformationArn"])
it = it["featureTransformation"]
assert it["name"] == "sims" and it["defaultParameters"]["max_user_history_length_percentile"] == "0.995", it
none = "arn:aws:personalize:::{}/none"
fails(NOT_FOUND, "describe_algorithm", algorithmArn=none.format("algorithm"))
fails(INVALID, "describe_algorithm", algorithmArn=recipe)
fails(NOT_FOUND, "describe_feature_transformation", featureTransformationArn=none.format("feature-transformation"))
fails(INVALID, "describe_feature_transformation", featureTransformationArn=recipe)
fails(INVALID, "describe_recipe", recipeArn=A + "solution/none")
fails(NOT_FOUND, "describe_recipe", recipeArn=RECIPE + "../../" + "none.json")


def solution(name, **more):
    return dict(name=name, datasetGroupArn=group, recipeArn=recipe, **more)


assert {"personal", "similar", "popular"} <= set(names("list_solutions", "solutions", datasetGroupArn=group))
fails(NOT_FOUND, "create_solution", **dict(solution("x"), recipeArn=recipe + "x"))
fails(INVALID, "create_solution", **solution("x", solutionConfig={"algorithmHyperParameters": {"none": "1"}}))
fails(EXISTS, "create_solution", **solution("personal"))
# What cannot be done is refused, and not forgotten.
for refused in (
    dict(performIncrementalUpdate=True),
    dict(performAutoML=True),
    dict(solutionConfig={"eventValueThreshold": "much"}),
    dict(solutionConfig={"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}),
    dict(solutionConfig={"autoTrainingConfig": {"schedulingExpression": "daily"}}),
    dict(performHPO=True, solutionConfig={"hpoConfig": {"algorithmHyperParameterRanges": {
        "integerHyperParameterRanges": [{"name": "none", "minValue": 1, "maxValue": 2}]}}}),
    dict(performHPO=True, solutionConfig={"hpoConfig": {"hpoObjective": {"type": "Minimize"}}}),
    dict(performHPO=True, solutionConfig={"hpoConfig": {"hpoObjective": {"metricName": "none"}}}),
    dict(solutionConfig={"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}}),
    dict(solutionConfig={"optimizationObjective": {"objectiveSensitivity": "HIGH"}}),
    dict(solutionConfig={"autoMLConfig": {"recipeList": [RECIPE + "aws-vod-top-picks"]}}),
):
    fails(INVALID, "create_solution", **solution("refused", **refused))
fails(INVALID, "create_solution", name="refused", datasetGroupArn=group)
made = do("create_solution", **solution(
    "own", eventType="View",
    solutionConfig={"algorithmHyperParameters": {"popularity_discount_factor": "0.7"}}))["solutionArn"]
SLOW = {"model": "softmax", "softmax_members": "8", "softmax_rounds": "1000"}
slow = do("create_solution", **dict(
    solution("slow", solutionConfig={"algorithmHyperParameters": SLOW}),
    recipeArn=RECIPE + "aws-user-personalization"))["solutionArn"]
# One is stopped while it trains, and one while it waits.
stops = [do("create_solution_version", solutionArn=slow)["solutionVersionArn"] for _ in range(2)]
for stop in reversed(stops):
    do("stop_solution_version_creation", solutionVersionArn=stop)
for stop in stops:
    it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=stop)
    assert it["status"] == "CREATE STOPPED", it
fails(INVALID, "create_campaign", name="c", solutionVersionArn=slow)
fails(INVALID, "create_solution_version", solutionArn=slow, trainingMode="UPDATE")
fails(INVALID, "create_solution_version", solutionArn=slow, trainingMode="AUTOTRAIN")
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

# Answers that prefer what is dear, and columns that are not learned from.
dear = do("create_solution", **dict(solution("dear", solutionConfig={
    "optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"},
    "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["CATEGORY_L2"], "Users": ["AGE"]}},
}), recipeArn=RECIPE + "aws-user-personalization"))["solutionArn"]
dear = do("create_solution_version", solutionArn=dear)["solutionVersionArn"]
it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=dear)
assert it["status"] == "ACTIVE", it
assert 0 < do("get_solution_metrics", solutionVersionArn=dear)["metrics"]["average_rewards_at_k"] <= 1

# Hyperparameters by validation, a recipe by validation, a use case, weighted events.
tuned = do("create_solution", **solution("tuned", performHPO=True, solutionConfig={"hpoConfig": {
    "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "1"},
    "algorithmHyperParameterRanges": {
        "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 2, "maxValue": 5}],
        "continuousHyperParameterRanges": [], "categoricalHyperParameterRanges": []}}}))["solutionArn"]
best = do("create_solution", name="best", datasetGroupArn=group, performAutoML=True, solutionConfig={
    "autoMLConfig": {"metricName": "precision_at_25", "recipeList": [
        RECIPE + "aws-popularity-count", RECIPE + "aws-trending-now"]}})["solutionArn"]
viewed = do("create_solution", name="viewed", datasetGroupArn=group,
            recipeArn=RECIPE + "aws-ecomm-popular-items-by-views")["solutionArn"]
bought = do("create_solution", **solution("bought", solutionConfig={"eventsConfig": {"eventParametersList": [
    {"eventType": "Purchase", "weight": 0.75, "eventValueThreshold": 20},
    {"eventType": "View", "weight": 0.25}]}}))["solutionArn"]
versions = [do("create_solution_version", solutionArn=s)["solutionVersionArn"] for s in (tuned, best, viewed, bought)]
its = [wait("describe_solution_version", "solutionVersion", solutionVersionArn=v) for v in versions]
assert [i["status"] for i in its] == ["ACTIVE"] * 4, its
found = its[0]["tunedHPOParams"]["algorithmHyperParameters"]
assert 2 <= int(found["min_cointeraction_count"]) <= 5 and "popularity_discount_factor" in found, found
winner = its[1]["recipeArn"]
assert winner in (RECIPE + "aws-popularity-count", RECIPE + "aws-trending-now")
it = do("describe_solution", solutionArn=best)["solution"]
assert it["autoMLResult"]["bestRecipeArn"] == winner and "recipeArn" not in it, it
# The model has learned from dear purchases and all views, and from nothing else.
with open(f"{sys.argv[4]}/interactions.csv", encoding="ascii") as f:
    head, *rows = [line.rstrip("\n").split(",") for line in f]
kind, value = head.index("EVENT_TYPE"), head.index("EVENT_VALUE")
want = sum(r[kind] == "View" or r[kind] == "Purchase" and float(r[value] or 0) >= 20 for r in rows)
assert want < sum(r[kind] in ("View", "Purchase") for r in rows)
(model,) = glob.glob(f"{sys.argv[5]}/models/bought/*.safetensors")
with open(model, "rb") as f:
    tensors = json.loads(f.read(int.from_bytes(f.read(8), "little")))
assert tensors["history.item"]["shape"] == [want], (tensors["history.item"], want)

# An objective: answers are dearer for it.
def mean_price(level):
    """The mean price of what a solution with that objective recommends."""
    made = do("create_solution", **dict(solution("price-" + level, solutionConfig={
        "algorithmHyperParameters": {"model": "ials", "iterations": "3", "hidden_dimension": "32"},
        "optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": level}}),
        recipeArn=RECIPE + "aws-user-personalization"))["solutionArn"]
    version = do("create_solution_version", solutionArn=made)["solutionVersionArn"]
    it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=version)
    assert it["status"] == "ACTIVE", it
    assert "average_rewards_at_k" in do("get_solution_metrics", solutionVersionArn=version)["metrics"]
    with open(f"{sys.argv[4]}/items.csv", encoding="ascii") as f:
        price = {row["ITEM_ID"]: float(row["PRICE"]) for row in csv.DictReader(f)}
    campaign = A + "campaign/price-" + level
    shown = [i["itemId"] for u in range(20) for i in
             do("get_recommendations", campaignArn=campaign, userId=f"u{u}", numResults=10)["itemList"]]
    do("delete_solution", solutionArn=made)
    return sum(price[i] for i in shown) / len(shown)


assert mean_price("HIGH") > 1.2 * mean_price("OFF")

# UpdateSolution: what the next version is trained with.
fails(INVALID, "update_solution", solutionArn=bought, performIncrementalUpdate=True)
fails(INVALID, "update_solution", solutionArn=bought,
      solutionUpdateConfig={"autoTrainingConfig": {"schedulingExpression": "rate(0 days)"}})
update = {"eventsConfig": {"eventParametersList": [{"eventType": "View", "weight": 1.0}]}}
assert do("update_solution", solutionArn=bought, solutionUpdateConfig=update)["solutionArn"] == bought
it = whole("describe_solution", solutionArn=bought)["solution"]
assert it["solutionConfig"]["eventsConfig"] == update["eventsConfig"], it
assert it["latestSolutionUpdate"]["solutionUpdateConfig"] == update, it
assert it["latestSolutionUpdate"]["status"] == "ACTIVE"

# Campaigns: in service when ACTIVE.
alike = do("create_solution", **dict(solution("alike"), recipeArn=RECIPE + "aws-semantic-similarity"))["solutionArn"]
alike = do("create_solution_version", solutionArn=alike)["solutionVersionArn"]
assert wait("describe_solution_version", "solutionVersion", solutionVersionArn=alike)["status"] == "ACTIVE"
popular = do("create_campaign", name="alike-popular", solutionVersionArn=alike,
             campaignConfig={"rankingInfluence": {"POPULARITY": 0.9}})["campaignArn"]
wait("describe_campaign", "campaign", campaignArn=popular)
itself = subprocess.run(["pz-recommend", "-g", sys.argv[-1], "-S", "alike", "-n", "9", "--influence", "POPULARITY=0.9", "i1"],
                        capture_output=True, text=True, check=True).stdout.splitlines()
it = do("get_recommendations", campaignArn=popular, itemId="i1", numResults=9)["itemList"]
assert [x["itemId"] for x in it] == [line.split("\t")[1] for line in itself], (it, itself)
plain = subprocess.run(["pz-recommend", "-g", sys.argv[-1], "-S", "alike", "-n", "9", "i1"],
                       capture_output=True, text=True, check=True).stdout.splitlines()
assert plain != itself
fails(NOT_FOUND, "create_campaign", name="c", solutionVersionArn=A + "solution/none/00000000")
fails(INVALID, "create_campaign", name="c", solutionVersionArn=made)
for refused in ({"itemExplorationConfig": {"explorationWeight": "2"}}, {"itemExplorationConfig": {"none": "0"}},
                {"rankingInfluence": {"POPULARITY": 0.5}}):
    fails(INVALID, "create_campaign", name="c", solutionVersionArn=version, campaignConfig=refused)
campaign = do("create_campaign", name="own-campaign", solutionVersionArn=version, minProvisionedTPS=2,
              campaignConfig={"itemExplorationConfig": {"explorationWeight": "0.3"}})["campaignArn"]
it = wait("describe_campaign", "campaign", campaignArn=campaign)
assert it["status"] == "ACTIVE" and it["minProvisionedTPS"] == 2 and it["solutionVersionArn"] == version, it
assert do("get_recommendations", campaignArn=campaign, itemId="i1")["itemList"]
fails(EXISTS, "create_campaign", name="own-campaign", solutionVersionArn=version)
do("update_campaign", campaignArn=campaign, solutionVersionArn=A + "solution/similar/$LATEST")
assert wait("describe_campaign", "campaign", campaignArn=campaign)["solutionVersionArn"].endswith("$LATEST")
assert do("get_recommendations", campaignArn=campaign, itemId="i1")["itemList"]
do("update_campaign", campaignArn=campaign, solutionVersionArn=version,
   campaignConfig={"syncWithLatestSolutionVersion": True})
it = whole("describe_campaign", campaignArn=campaign)["campaign"]
assert it["solutionVersionArn"] == A + "solution/own/$LATEST" and it["status"] == "ACTIVE", it
assert it["latestCampaignUpdate"]["solutionVersionArn"] == version, it
do("update_campaign", campaignArn=campaign, solutionVersionArn=A + "solution/similar/$LATEST")
assert set(names("list_campaigns", "campaigns", solutionArn=A + "solution/similar")) == {"own-campaign", "similar"}
fails(IN_USE, "delete_solution", solutionArn=A + "solution/similar")

# Filters, trackers.
fails(INVALID, "create_filter", name="f", datasetGroupArn=group, filterExpression="EXCLUDE nothing")
made_filter = do("create_filter", name="f", datasetGroupArn=group,
                 filterExpression="INCLUDE ItemID WHERE Items.PRICE < 50")["filterArn"]
assert do("describe_filter", filterArn=made_filter)["filter"]["datasetGroupArn"] == group
assert names("list_filters", "Filters", datasetGroupArn=group) == ["f"]
assert do("get_recommendations", campaignArn=campaign, itemId="i1", filterArn=made_filter)["itemList"]
tracker = do("create_event_tracker", name="t", datasetGroupArn=group)
fails(EXISTS, "create_event_tracker", name="t2", datasetGroupArn=group)
it = do("describe_event_tracker", eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"]
assert it["trackingId"] == tracker["trackingId"] and it["accountId"] == "000000000000"
assert names("list_event_trackers", "eventTrackers", datasetGroupArn=group) == ["t"]

# An update of a version: quick, with what is new, and with the settings that there were.
fails(INVALID, "create_solution_version", solutionArn=made, trainingMode="UPDATE")
update = do("create_solution_version", solutionArn=A + "solution/personal", trainingMode="UPDATE")["solutionVersionArn"]
it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=update)
assert it["status"] == "ACTIVE" and it["trainingMode"] == "UPDATE", it

# Batch segments.
def segments(name, version):
    return dict(jobName=name, solutionVersionArn=version, roleArn=ROLE, numResults=4,
                jobInput={"s3DataSource": {"path": "s3://bucket/batch.jsonl"}},
                jobOutput={"s3DataDestination": {"path": "s3://bucket/segments/"}})


fans = do("create_solution", **dict(
    solution("fans", solutionConfig={"algorithmHyperParameters": {"hidden_dimension": "32", "iterations": "4"}}),
    recipeArn=RECIPE + "aws-item-affinity"))["solutionArn"]
fans_version = do("create_solution_version", solutionArn=fans)["solutionVersionArn"]
fails(IN_USE, "create_batch_segment_job", **segments("early", fans_version))
it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=fans_version)
assert it["status"] == "ACTIVE", it
fails(INVALID, "create_batch_segment_job", **segments("items", version))
fails(INVALID, "create_batch_inference_job", **segments("users", fans_version))
job = do("create_batch_segment_job", **segments("segment", fans_version))["batchSegmentJobArn"]
fails(EXISTS, "create_batch_segment_job", **segments("segment", fans_version))
it = wait("describe_batch_segment_job", "batchSegmentJob", batchSegmentJobArn=job)
assert it["status"] == "ACTIVE" and it["numResults"] == 4, it
lines = [json.loads(line) for line in open("s3/bucket/segments/batch.jsonl.out")]
assert [len(x["output"]["usersList"]) for x in lines] == [4, 4], lines
assert names("list_batch_segment_jobs", "batchSegmentJobs", solutionVersionArn=fans_version) == ["segment"]
assert names("list_batch_segment_jobs", "batchSegmentJobs", solutionVersionArn=version) == []

# Batch inference, data deletion.
for refused in (dict(batchInferenceJobMode="THEME_GENERATION"),
                dict(batchInferenceJobConfig={"rankingInfluence": {"FRESHNESS": 0.5}}),
                dict(jobInput={"s3DataSource": {"path": "s3://bucket"}})):
    fails(INVALID, "create_batch_inference_job", **dict(segments("x", version), **refused))
explore = {"itemExplorationConfig": {"explorationWeight": "1", "explorationItemAgeCutOff": "20.5"}}
fails(INVALID, "create_batch_inference_job", **dict(segments("x", version), batchInferenceJobConfig=explore))
personal = do("list_solution_versions", solutionArn=A + "solution/personal")["solutionVersions"][-1]
job = do("create_batch_inference_job", **dict(
    segments("tried", personal["solutionVersionArn"]), batchInferenceJobConfig=explore,
    jobInput={"s3DataSource": {"path": "s3://bucket/users.jsonl"}}))["batchInferenceJobArn"]
it = wait("describe_batch_inference_job", "batchInferenceJob", batchInferenceJobArn=job)
assert it["status"] == "ACTIVE" and it["batchInferenceJobConfig"] == explore, it
with open("s3/bucket/users.jsonl", "rb") as f:
    want = subprocess.run(["pz-recommend", "-g", sys.argv[5], "-S", "personal", "-n", "4", "--json",
                           "--exploration-weight", "1", "--exploration-item-age-cut-off", "20.5"],
                          stdin=f, capture_output=True, check=True).stdout
with open("s3/bucket/segments/users.jsonl.out", "rb") as f:
    assert f.read() == want and want
job = do("create_batch_inference_job", jobName="batch", solutionVersionArn=version, roleArn=ROLE,
         numResults=3, jobInput={"s3DataSource": {"path": "s3://bucket/batch.jsonl"}},
         jobOutput=out)["batchInferenceJobArn"]
it = wait("describe_batch_inference_job", "batchInferenceJob", batchInferenceJobArn=job)
assert it["status"] == "ACTIVE", it
lines = [json.loads(line) for line in open("s3/bucket/out/batch.jsonl.out")]
assert [len(x["output"]["recommendedItems"]) for x in lines] == [3, 3]
assert names("list_batch_inference_jobs", "batchInferenceJobs", solutionVersionArn=version) == ["batch"]
job = do("create_data_deletion_job", jobName="forget", datasetGroupArn=group, roleArn=ROLE,
         dataSource={"dataLocation": "s3://bucket/forget.csv"})["dataDeletionJobArn"]
it = wait("describe_data_deletion_job", "dataDeletionJob", ("COMPLETED",), dataDeletionJobArn=job)
assert it["status"] == "COMPLETED", it
it = whole("describe_data_deletion_job", dataDeletionJobArn=job)["dataDeletionJob"]
user = head.index("USER_ID")
assert it["numDeleted"] == sum(r[user] in ("u1", "u2") for r in rows) + 2, it
assert names("list_data_deletion_jobs", "dataDeletionJobs", datasetGroupArn=group) == ["forget"]

# Away with it.
do("delete_campaign", campaignArn=campaign)
fails(NOT_FOUND, "describe_campaign", campaignArn=campaign)
do("delete_filter", filterArn=made_filter)
do("delete_event_tracker", eventTrackerArn=tracker["eventTrackerArn"])
for done in (slow, tuned, best, viewed, bought, fans):
    do("delete_solution", solutionArn=done)
do("delete_solution", solutionArn=made)
fails(NOT_FOUND, "describe_solution_version", solutionVersionArn=version)
do("delete_dataset", datasetArn=deeds)
for name in ("deeds", "wide-deeds"):
    do("delete_schema", schemaArn=A + "schema/" + name)

# Who names what there is not is told so, and so is who asks for a page that there is not.
for kind in ("dataset", "dataset-import-job", "dataset-export-job", "data-deletion-job", "solution",
             "campaign", "filter", "event-tracker", "batch-inference-job", "batch-segment-job", "schema"):
    snake = kind.replace("-", "_")
    first, *rest = snake.split("_")
    key = first + "".join(w.title() for w in rest) + "Arn"
    none = {key: A + kind + ("/none/ITEMS" if kind == "dataset" else "/none")}
    fails(NOT_FOUND, "describe_" + snake, **none)
    if "job" not in kind:
        fails(NOT_FOUND, "delete_" + snake, **none)
    fails("InvalidNextTokenException", f"list_{snake}s", nextToken="x")
fails("InvalidNextTokenException", "list_recipes", nextToken="x")
fails("InvalidNextTokenException", "list_solution_versions", nextToken="x")
none = A + "solution/none/00000000"
fails(NOT_FOUND, "describe_solution_version", solutionVersionArn=none)
fails(NOT_FOUND, "update_campaign", campaignArn=A + "campaign/none")
fails(NOT_FOUND, "update_solution", solutionArn=A + "solution/none")
fails(NOT_FOUND, "create_solution_version", solutionArn=A + "solution/none")
fails(NOT_FOUND, "untag_resource", resourceArn=A + "filter/none", tagKeys=["a"])
fails(NOT_FOUND, "create_event_tracker", name="t", datasetGroupArn=A + "dataset-group/none")
fails(INVALID, "create_data_deletion_job", jobName="x", datasetGroupArn=group, roleArn=ROLE,
      dataSource={"dataLocation": "s3://bucket/actions.csv"})
fails(INVALID, "create_dataset_export_job", jobName="x", datasetArn=items["datasetArn"], roleArn=ROLE,
      jobOutput={"s3DataDestination": {"path": "s3://../out"}})
