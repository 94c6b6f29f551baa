"""Automatic training: what a server trains by itself, with its catalogue's times set back."""
import glob
import os
import sqlite3
import sys
import time

from serve_api import A, INVALID, RECIPE, ROLE, do, fails, wait, whole

what, folder = sys.argv[2:4]
arn = A + "solution/steady"
daily = A + "recommender/daily"


def versions(n):
    """Waits for n versions, all trained."""
    for _ in range(6000):
        found = do("list_solution_versions", solutionArn=arn)["solutionVersions"]
        if len(found) == n and all(v["status"] == "ACTIVE" for v in found):
            break
        time.sleep(0.05)
    return found


def set_back(kind, seconds):
    db = sqlite3.connect(folder + "/group.db")
    db.execute("UPDATE resource SET created = created - ? WHERE kind = ?", [seconds, kind])
    db.commit()


def trained(n):
    """Waits for n models of the recommender, which answers all the time."""
    for _ in range(6000):
        found = len(glob.glob(folder + "/models/daily/*.safetensors"))
        if found >= n:
            break
        time.sleep(0.05)
    it = do("describe_recommender", recommenderArn=daily)["recommender"]
    assert it["status"] == "ACTIVE" and "latestRecommenderUpdate" not in it, it
    return found


if what == "make":
    schedule = {"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    recipe = RECIPE + "aws-popularity-count"
    group = A + "dataset-group/shop"
    for name, auto in (("steady", True), ("asked", False)):
        made = do("create_solution", name=name, datasetGroupArn=group, recipeArn=recipe,
                  performAutoTraining=auto, solutionConfig=schedule)["solutionArn"]
        assert whole("describe_solution", solutionArn=made)["solution"]["performAutoTraining"] == auto
    fails(INVALID, "update_solution", solutionArn=arn, performIncrementalUpdate=True)
    set_back("solution", 4000)
    do("create_recommender", name="daily", datasetGroupArn=group,
       recipeArn=RECIPE + "aws-ecomm-popular-items-by-views")
    assert wait("describe_recommender", "recommender", recommenderArn=daily)["status"] == "ACTIVE"
    set_back("recommender", 7 * 86400 - 100)
    # A report that is due and cannot be written is no reason not to train.
    metric = {"eventType": "View", "metricName": "seen", "expression": "SAMPLECOUNT()"}
    do("create_metric_attribution", name="blocked", datasetGroupArn=group, metrics=[metric],
       metricsOutputConfig={"s3DataDestination": {"path": "s3://bucket/reports/"}, "roleArn": ROLE})
    do("put_events", trackingId="any", userId="u1", sessionId="s", eventList=[{
        "eventType": "View", "itemId": "i1", "sentAt": 1, "properties": '{"device": "tv"}',
        "metricAttribution": {"eventAttributionSource": "mail"}}])
    with open("s3/bucket/reports", "w", encoding="ascii"):
        pass
    set_back("metricAttribution", 4000)
elif what == "first":  # an hour after the solution was made
    (version,) = versions(1)
    it = whole("describe_solution_version", solutionVersionArn=version["solutionVersionArn"])["solutionVersion"]
    assert (it["trainingType"], it["trainingMode"]) == ("AUTOMATIC", "AUTOTRAIN"), it
    assert not do("list_solution_versions", solutionArn=A + "solution/asked")["solutionVersions"]
    set_back("solutionVersion", 2 * 86400 - 100)
    assert trained(1) == 1
    set_back("recommender", 200)
    os.utime(folder + "/interactions.safetensors")
elif what == "early":  # less than two days after that, and a week after the recommender
    assert trained(2) == 2
    assert len(versions(1)) == 1
    set_back("solutionVersion", 200)
    os.utime(folder + "/interactions.safetensors", (1, 1))
elif what == "unchanged":  # nothing has come since
    time.sleep(1)
    assert len(versions(1)) == 1
    os.utime(folder + "/interactions.safetensors")
else:
    assert len(versions(2)) == 2
    assert trained(2) == 2
    do("update_solution", solutionArn=arn, performAutoTraining=False)
    assert whole("describe_solution", solutionArn=arn)["solution"]["performAutoTraining"] is False
