"""What serve-odd.sh has boto3 do. URL, group.db of the group."""
import glob
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

from serve_api import A, EXISTS, INVALID, IN_USE, NOT_FOUND, RECIPE, ROLE, clients, url
from serve_api import do, fails, names, wait, whole

group = A + "dataset-group/shop"
TOO_MANY = "TooManyTagsException"
cheap = "INCLUDE ItemID WHERE Items.PRICE < 20"


def row(sql):
    with sqlite3.connect(sys.argv[2]) as db:
        return db.execute(sql).fetchone()


def make_filter(name, **more):
    return do("create_filter", name=name, datasetGroupArn=group, filterExpression=cheap, **more)


# Members that an operation has not are passed over, not kept: they could be taken for what the
# server notes of a resource.
made = whole("create_event_tracker", name="web", datasetGroupArn=group, trackingId="mine", accountId="7")
tracker = made["trackingId"]
it = do("describe_event_tracker", eventTrackerArn=made["eventTrackerArn"])["eventTracker"]
assert it["trackingId"] == made["trackingId"] != "mine" and it["accountId"] != "7", it
assert names("list_event_trackers", "eventTrackers") == ["web"]
popular = do("list_solution_versions", solutionArn=A + "solution/popular")["solutionVersions"]
popular = popular[0]["solutionVersionArn"]
version = whole("create_solution_version", solutionArn=A + "solution/popular", pz="x/../../y", recipeArn="z",
                pzServer="1.1", trainingHours=5)["solutionVersionArn"]
it = wait("describe_solution_version", "solutionVersion", solutionVersionArn=version)
assert it["status"] == "ACTIVE" and it["recipeArn"].endswith("/aws-popularity-count"), it
assert it["trainingHours"] < 5 and "pz" not in row("SELECT doc FROM resource WHERE kind = 'eventTracker'")[0]

# A group that another tool made was made when it was made, whatever is written to it since.
def times():
    it = do("describe_dataset_group", datasetGroupArn=group)["datasetGroup"]
    return it["creationDateTime"], it["lastUpdatedDateTime"]


before = times()
time.sleep(1.1)
with open("root/shop/note", "w", encoding="ascii"):
    pass
after = times()
assert after[0] == before[0] and after[1] > before[1], (before, after)

# Tags: of what another tool made, too many, twice, AWS's own.
do("tag_resource", resourceArn=popular, tags=[{"tagKey": "a", "tagValue": "b"}])
campaign = do("create_campaign", name="tagged", solutionVersionArn=popular)["campaignArn"]
do("delete_campaign", campaignArn=campaign)
many = [{"tagKey": str(i), "tagValue": ""} for i in range(51)]
twice = [{"tagKey": "a", "tagValue": v} for v in "xy"]
for error, tags in ((TOO_MANY, many), (INVALID, twice), (INVALID, [{"tagKey": "aws:a", "tagValue": ""}])):
    fails(error, "create_filter", name="f", datasetGroupArn=group, filterExpression=cheap, tags=tags)
    fails(error, "tag_resource", resourceArn=popular, tags=tags)
made = make_filter("f", tags=many[:50])["filterArn"]
assert len(do("list_tags_for_resource", resourceArn=made)["tags"]) == 50
fails(TOO_MANY, "tag_resource", resourceArn=made, tags=many[50:])
do("delete_filter", filterArn=made)

# An update of a campaign changes what it names and nothing else, also of what answers.
config = {"syncWithLatestSolutionVersion": True, "itemExplorationConfig": {"explorationWeight": "0.25"}}
campaign = whole("create_campaign", name="c", solutionVersionArn=popular, campaignConfig=config)["campaignArn"]
before = row("SELECT solution, version, config FROM campaign WHERE name = 'c'")
do("update_campaign", campaignArn=campaign, minProvisionedTPS=1)
assert row("SELECT solution, version, config FROM campaign WHERE name = 'c'") == before
assert whole("describe_campaign", campaignArn=campaign)["campaign"]["campaignConfig"] == config
whole("update_campaign", campaignArn=campaign, campaignConfig={"syncWithLatestSolutionVersion": False})
got = row("SELECT version, config FROM campaign WHERE name = 'c'")
assert got[0] == popular.rsplit("/", 1)[1] and json.loads(got[1]) == {"syncWithLatestSolutionVersion": False}, got
# One of another tool has a configuration too.
with sqlite3.connect(sys.argv[2]) as db:
    db.execute("INSERT INTO campaign VALUES ('hand', 'popular', NULL, ?, 1, 1)", [json.dumps(config)])
campaign = A + "campaign/hand"
assert whole("describe_campaign", campaignArn=campaign)["campaign"]["campaignConfig"] == config
do("update_campaign", campaignArn=campaign, minProvisionedTPS=1)
assert json.loads(row("SELECT config FROM campaign WHERE name = 'hand'")[0]) == config
# A solution that answers as it is can be neither changed nor deleted as a campaign.
fails(NOT_FOUND, "update_campaign", campaignArn=A + "campaign/similar", minProvisionedTPS=1)
fails(NOT_FOUND, "delete_campaign", campaignArn=A + "campaign/similar")

# What a campaign that is gone was asked is not told any more.
with urllib.request.urlopen(url + "/metrics") as f:
    told = f.read().decode()
assert 'campaign="hand"' in told and 'campaign="tagged"' not in told, told

# An event that names an answer counts for the campaign that gave it, for the tools too.
rid = do("get_recommendations", campaignArn=campaign, numResults=1)["recommendationId"]
do("put_events", trackingId=tracker, userId="u9", sessionId="s", eventList=[{
    "eventType": "View", "itemId": "i9", "sentAt": 2, "properties": '{"device": "tv"}', "recommendationId": rid}])
told = subprocess.run(["pz-event", "-g", "root/shop", "--attribution"], check=True, capture_output=True, text=True)
assert ",hand," in told.stdout, told

# Lists of what is in another thing: of one of the right kind.
fails(INVALID, "list_datasets", datasetGroupArn=A + "solution/shop")
fails(INVALID, "list_campaigns", solutionArn=group)
fails(INVALID, "list_dataset_import_jobs", datasetArn=group)
fails(NOT_FOUND, "list_solution_versions", solutionArn=A + "solution/none")
assert do("list_datasets", datasetGroupArn=A + "dataset-group/none")["datasets"] == []

# Whoever deletes while paging meets each once.
wanted = {f"page-{i:02}" for i in range(25)}
for name in sorted(wanted):
    make_filter(name)
seen = []
pages = clients["personalize"].get_paginator("list_filters").paginate(
    datasetGroupArn=group, PaginationConfig={"PageSize": 10})
for page in pages:
    for f in page["Filters"]:
        seen.append(f["name"])
        do("delete_filter", filterArn=f["filterArn"])
assert sorted(seen) == sorted(wanted), seen
fails("InvalidNextTokenException", "list_filters", nextToken="1")
fails("InvalidNextTokenException", "list_filters", nextToken="x/y")

# One name for 50 clients at once: one makes it, one deletes it.
for operation, arguments, error in (
    ("create_filter", dict(name="one", datasetGroupArn=group, filterExpression=cheap), EXISTS),
    ("delete_filter", dict(filterArn=A + "filter/one"), NOT_FOUND),
):
    got = []

    def client():
        try:
            do(operation, **arguments)
            got.append("done")
        except Exception as e:  # pylint: disable=broad-except
            got.append(e.response["Error"]["Code"])

    threads = [threading.Thread(target=client) for _ in range(50)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(got) == sorted(["done"] + [error] * 49), got

# The longest names.
long = "n" * 63
arn = make_filter(long)["filterArn"]
assert do("describe_filter", filterArn=arn)["filter"]["name"] == long
fails("ValidationException", "create_filter", name=long + "n", datasetGroupArn=group, filterExpression=cheap)
do("delete_filter", filterArn=arn)

# A folder of 200 files; what is no file in it is passed over, and not waited for.
users = A + "dataset/shop/USERS"
job = do("create_dataset_import_job", jobName="parts", datasetArn=users, roleArn=ROLE,
         dataSource={"dataLocation": "s3://bucket/parts/"})["datasetImportJobArn"]
it = wait("describe_dataset_import_job", "datasetImportJob", datasetImportJobArn=job)
assert it["status"] == "ACTIVE", it
out = {"s3DataDestination": {"path": "s3://bucket/out"}}
job = do("create_dataset_export_job", jobName="whole", datasetArn=users, ingestionMode="BULK", roleArn=ROLE,
         jobOutput=out)["datasetExportJobArn"]
it = wait("describe_dataset_export_job", "datasetExportJob", datasetExportJobArn=job)
assert it["status"] == "ACTIVE", it
with open("s3/bucket/out/whole.csv", encoding="ascii") as a, open("users.csv", encoding="ascii") as b:
    assert sorted(a.read().splitlines()[1:]) == sorted(b.read().splitlines()[1:])

# Ids of users to forget, in a file as spreadsheets write it.
job = whole("create_data_deletion_job", jobName="forget", datasetGroupArn=group, roleArn=ROLE,
            dataSource={"dataLocation": "s3://bucket/forget.csv"})["dataDeletionJobArn"]
for _ in range(3000):
    it = whole("describe_data_deletion_job", dataDeletionJobArn=job)["dataDeletionJob"]
    if it["status"] not in ("PENDING", "IN_PROGRESS"):
        break
assert it["status"] == "COMPLETED" and it["numDeleted"] > 2, it

# Reports into a folder that cannot be written to: the attribution can be given another one, and
# can be deleted.
def output(folder):
    return {"s3DataDestination": {"path": f"s3://bucket/{folder}/"}, "roleArn": ROLE}


metric = {"eventType": "View", "metricName": "seen", "expression": "SAMPLECOUNT()"}
made = do("create_metric_attribution", name="m", datasetGroupArn=group, metrics=[metric],
          metricsOutputConfig=output("blocked"))["metricAttributionArn"]


def put(item):
    do("put_events", trackingId=tracker, userId="u9", sessionId="s", eventList=[{
        "eventType": "View", "itemId": item, "sentAt": 1, "properties": '{"device": "tv"}',
        "metricAttribution": {"eventAttributionSource": "mail"}}])


put("i1")
with open("s3/bucket/blocked", "w", encoding="ascii"):
    pass
do("update_metric_attribution", metricAttributionArn=made, metricsOutputConfig=output("reports"))
do("update_metric_attribution", metricAttributionArn=made, addMetrics=[dict(metric, metricName="two")])
(report,) = os.listdir("s3/bucket/reports")
with open("s3/bucket/reports/" + report, encoding="ascii") as f:
    assert "mail" in f.read()
put("i2")
do("update_metric_attribution", metricAttributionArn=made, metricsOutputConfig=output("other"))
with open("s3/bucket/other", "w", encoding="ascii"):
    pass
put("i3")
do("delete_metric_attribution", metricAttributionArn=made)
fails(NOT_FOUND, "describe_metric_attribution", metricAttributionArn=made)


def trainings():
    """The processes that train in this case's folder."""
    found = []
    for process in glob.glob("/proc/[0-9]*"):
        try:
            with open(process + "/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue  # it has ended
        if words[0].endswith(b"pz-train") and any(w.startswith(os.getcwdb()) for w in words):
            found.append(int(process[len("/proc/"):]))
    return found


def hold(process):
    """Stops the process, so that it does not end; it is stopped when this returns."""
    os.kill(process, signal.SIGSTOP)
    for _ in range(3000):
        states = set()
        for thread in glob.glob(f"/proc/{process}/task/*/stat"):
            with open(thread, encoding="ascii") as f:
                states.add(f.read().rsplit(")", 1)[1].split()[0])
        if states == {"T"}:  # else a thread that still runs would take the next signal
            return
        time.sleep(0.01)
    raise AssertionError("a process does not stop")


# A solution whose version is being stopped is in use.
slow = do("create_solution", name="slow", datasetGroupArn=group, recipeArn=RECIPE + "aws-user-personalization",
          solutionConfig={"algorithmHyperParameters": {"model": "softmax", "softmax_members": "8",
                                                       "softmax_rounds": "1000"}})["solutionArn"]
version = do("create_solution_version", solutionArn=slow)["solutionVersionArn"]
wait("describe_solution_version", "solutionVersion", good=("CREATE IN_PROGRESS",), solutionVersionArn=version)
fails(IN_USE, "delete_solution", solutionArn=slow)
(training,) = trainings()
hold(training)  # it does not end before it is seen to be ending
do("stop_solution_version_creation", solutionVersionArn=version)
it = do("describe_solution_version", solutionVersionArn=version)["solutionVersion"]
assert it["status"] == "CREATE STOPPING", it
fails(IN_USE, "delete_solution", solutionArn=slow)
os.kill(training, signal.SIGCONT)
wait("describe_solution_version", "solutionVersion", solutionVersionArn=version)
do("delete_solution", solutionArn=slow)
print("ok")
