"""Recommenders: use cases of a domain, from CSV to answers that can be counted by hand."""
import collections
import glob
import sys
import time

from serve_api import A, EXISTS, INVALID, IN_USE, NOT_FOUND, RECIPE, VALIDATION
from serve_api import do, fails, names, wait

group_name, csv, tracking_id = sys.argv[2:5]
group = A + "dataset-group/" + group_name
with open(csv, encoding="ascii") as f:
    head, *rows = [line.rstrip("\n").split(",") for line in f]
user, item, kind = (head.index(n) for n in ("USER_ID", "ITEM_ID", "EVENT_TYPE"))


def recommender(name, recipe, **more):
    return dict(name=name, datasetGroupArn=group, recipeArn=RECIPE + recipe, **more)


def answer(arn, **more):
    return [i["itemId"] for i in do("get_recommendations", recommenderArn=arn, **more)["itemList"]]


def described(arn):
    return do("describe_recommender", recommenderArn=arn)["recommender"]


# What is refused.
views = "aws-ecomm-popular-items-by-views"
fails(INVALID, "create_recommender", **recommender("x", "aws-sims"))
fails(NOT_FOUND, "create_recommender", **recommender("x", "none"))
fails(NOT_FOUND, "create_recommender", **dict(recommender("x", views), datasetGroupArn=A + "dataset-group/none"))
fails(VALIDATION, "create_recommender", name="x")
fails(EXISTS, "create_recommender", **recommender("personal", views))
for config in ({"itemExplorationConfig": {"explorationWeight": "1.5"}}, {"itemExplorationConfig": {"none": "1"}}):
    fails(INVALID, "create_recommender", **recommender("x", views, recommenderConfig=config))
none = A + "recommender/none"
for operation in ("describe", "delete", "start", "stop"):
    fails(NOT_FOUND, operation + "_recommender", recommenderArn=none)
fails(NOT_FOUND, "update_recommender", recommenderArn=none, recommenderConfig={})
fails("InvalidNextTokenException", "list_recommenders", nextToken="x")
fails(NOT_FOUND, "get_recommendations", recommenderArn=none, userId="u1")
fails(INVALID, "create_recommender", **recommender("x", "aws-vod-most-popular"))

# One whose data is not there comes to nothing, and says why.
if sys.argv[5] == "root":
    films = do("create_dataset_group", name="films", domain="VIDEO_ON_DEMAND")["datasetGroupArn"]
    fails(INVALID, "create_recommender", **dict(recommender("x", views), datasetGroupArn=films))
    dark = do("create_recommender",
              **dict(recommender("dark", "aws-vod-most-popular"), datasetGroupArn=films))["recommenderArn"]
    it = wait("describe_recommender", "recommender", recommenderArn=dark)
    assert it["status"] == "CREATE FAILED" and "interactions" in it["failureReason"], it
    fails(NOT_FOUND, "get_recommendations", recommenderArn=dark, userId="u1")
    fails(IN_USE, "delete_dataset_group", datasetGroupArn=films)
    do("delete_recommender", recommenderArn=dark)
    do("delete_dataset_group", datasetGroupArn=films)

# Most viewed: by how many users.
config = {"minRecommendationRequestsPerSecond": 2}
viewed = do("create_recommender", **recommender("viewed-most", views, recommenderConfig=config,
                                                 tags=[{"tagKey": "a", "tagValue": "1"}]))["recommenderArn"]
assert viewed == A + "recommender/viewed-most"
assert described(viewed)["status"] in ("CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE")
fails(EXISTS, "create_recommender", **recommender("viewed-most", views))
it = wait("describe_recommender", "recommender", recommenderArn=viewed)
assert it["status"] == "ACTIVE" and it["recipeArn"] == RECIPE + views and it["datasetGroupArn"] == group, it
assert it["recommenderConfig"] == config and 0 < it["modelMetrics"]["coverage"] <= 1, it
assert do("list_tags_for_resource", resourceArn=viewed)["tags"] == [{"tagKey": "a", "tagValue": "1"}]
viewers = collections.defaultdict(set)
for row in rows:
    if row[kind] == "View":
        viewers[row[item]].add(row[user])
counts = [len(viewers[i]) for i in answer(viewed, userId="u1", numResults=25)]
assert counts == sorted((len(v) for v in viewers.values()), reverse=True)[:25], counts

# For you: without what the user bought, be it imported or a moment ago.
mine = do("create_recommender", **recommender("mine", "aws-ecomm-recommended-for-you"))["recommenderArn"]
assert wait("describe_recommender", "recommender", recommenderArn=mine)["status"] == "ACTIVE"
purchases = collections.defaultdict(set)
for row in rows:
    if row[kind] == "Purchase":
        purchases[row[user]].add(row[item])
who, bought = max(purchases.items(), key=lambda p: len(p[1]))
first = answer(mine, userId=who, numResults=120)
assert bought and not bought & set(first)
assert bought & set(i["itemId"] for i in do(
    "get_recommendations", campaignArn=A + "campaign/personal", userId=who, numResults=120)["itemList"])
buy = {"eventType": "Purchase", "itemId": first[0], "sentAt": int(time.time()), "properties": '{"device": "phone"}'}
do("put_events", trackingId=tracking_id, userId=who, sessionId="s", eventList=[buy])
assert first[0] not in answer(mine, userId=who, numResults=120)
scores = do("get_recommendations", recommenderArn=mine, userId="u1")["itemList"]
assert not any("score" in i for i in scores)

# It is neither a solution nor a campaign, and its name is not free for a solution.
listed = names("list_recommenders", "recommenders", datasetGroupArn=group)
assert sorted(listed) == ["mine", "together", "viewed-most"], listed
assert "mine" not in names("list_solutions", "solutions") + names("list_campaigns", "campaigns")
fails(EXISTS, "create_solution", name="mine", datasetGroupArn=group, recipeArn=RECIPE + "aws-sims")
fails(NOT_FOUND, "get_recommendations", campaignArn=A + "campaign/mine", userId="u1")
fails(NOT_FOUND, "describe_solution", solutionArn=A + "solution/mine")

# Stopped, it does not answer, and goes on where it was.
assert do("stop_recommender", recommenderArn=mine)["recommenderArn"] == mine
assert wait("describe_recommender", "recommender", recommenderArn=mine)["status"] == "INACTIVE"
assert "INACTIVE" in fails(NOT_FOUND, "get_recommendations", recommenderArn=mine, userId="u1")
fails(IN_USE, "stop_recommender", recommenderArn=mine)
do("start_recommender", recommenderArn=mine)
fails(IN_USE, "start_recommender", recommenderArn=mine)
assert answer(mine, userId="u1")

# Other settings.
config = {"minRecommendationRequestsPerSecond": 3, "itemExplorationConfig": {"explorationWeight": "0.2"}}
do("update_recommender", recommenderArn=mine, recommenderConfig=config)
it = described(mine)
assert it["recommenderConfig"] == config == it["latestRecommenderUpdate"]["recommenderConfig"], it
assert it["latestRecommenderUpdate"]["status"] == "ACTIVE"
fails(INVALID, "update_recommender", recommenderArn=mine,
      recommenderConfig={"itemExplorationConfig": {"explorationItemAgeCutOff": "x"}})

# Other columns to learn from: it is trained again, and answers meanwhile.
config["trainingDataConfig"] = {"excludedDatasetColumns": {"ITEMS": ["PRICE", "CATEGORY_L1"]}}
do("update_recommender", recommenderArn=mine, recommenderConfig=config)
fails(IN_USE, "delete_recommender", recommenderArn=mine)
assert answer(mine, userId="u1")
for _ in range(12000):
    update = described(mine)["latestRecommenderUpdate"]
    if update["status"] != "CREATE IN_PROGRESS":
        break
    time.sleep(0.05)
assert update["status"] == "ACTIVE" and described(mine)["status"] == "ACTIVE", update
assert len(glob.glob(sys.argv[6] + "/models/mine/*.safetensors")) == 2
config["trainingDataConfig"] = {"excludedDatasetColumns": {"ITEMS": ["NONE"]}}
do("update_recommender", recommenderArn=mine, recommenderConfig=config)
for _ in range(12000):
    update = described(mine)["latestRecommenderUpdate"]
    if update["status"] != "CREATE IN_PROGRESS":
        break
    time.sleep(0.05)
assert update["status"] == "CREATE FAILED" and "NONE" in update["failureReason"], update
assert described(mine)["status"] == "ACTIVE" and answer(mine, userId="u1")

# A use case that pz-train trained is a recommender too.
together = A + "recommender/together"
it = described(together)
assert it["status"] == "ACTIVE" and it["recipeArn"] == RECIPE + "aws-ecomm-frequently-bought-together"
assert answer(together, itemId="i1")
fails(IN_USE, "start_recommender", recommenderArn=together)
do("stop_recommender", recommenderArn=together)
fails(NOT_FOUND, "get_recommendations", recommenderArn=together, itemId="i1")

if sys.argv[5] == "root":
    fails(IN_USE, "delete_dataset_group", datasetGroupArn=group)
for arn in (viewed, together):
    do("delete_recommender", recommenderArn=arn)
    fails(NOT_FOUND, "describe_recommender", recommenderArn=arn)
    fails(NOT_FOUND, "get_recommendations", recommenderArn=arn, userId="u1", itemId="i1")
assert names("list_recommenders", "recommenders") == ["mine"]
