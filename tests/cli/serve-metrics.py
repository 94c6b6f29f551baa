"""Metric attributions: what events add up to, counted a second time here."""
import collections
import csv
import glob
import sys
import time

from serve_api import A, EXISTS, INVALID, LIMIT, NOT_FOUND, ROLE, VALIDATION
from serve_api import do, fails, names, wait

group_name, items, tracking_id = sys.argv[2:5]
group = A + "dataset-group/" + group_name
with open(items, encoding="ascii") as f:
    price = {row["ITEM_ID"]: float(row["PRICE"]) for row in csv.DictReader(f)}
now = int(time.time())
WHERE = "s3://bucket/metrics"
FILES = "s3/bucket/metrics/AggregatedAttributionMetrics - PutEvents - *.csv"
read = set(glob.glob(FILES))


def metric(name, kind, expression):
    return {"metricName": name, "eventType": kind, "expression": expression}


def put(kind, item, source=None, value=None, rid=None, at=now):
    # Another round may put the same in the same second, which would be stored once.
    event = {"eventType": kind, "itemId": item, "sentAt": at, "properties": '{"device": "%s"}' % sys.argv[5]}
    if value is not None:
        event["eventValue"] = value
    if source:
        event["metricAttribution"] = {"eventAttributionSource": source}
    if rid:
        event["recommendationId"] = rid
    do("put_events", trackingId=tracking_id, userId="u9", sessionId="s", eventList=[event])


def reports():
    """What new files say, added up."""
    more = collections.Counter()
    for name in set(glob.glob(FILES)) - read:
        read.add(name)
        with open(name, encoding="ascii") as f:
            for row in csv.DictReader(f):
                assert int(row["TIMESTAMP"]) % 900 == 0, row
                key = row["METRIC_NAME"], row["EVENT_TYPE"], row["MATH_FUNCTION"], row["EVENT_ATTRIBUTION_SOURCE"]
                more[key] += round(float(row["VALUE"]), 6)
    return more


metrics = [metric("views", "View", "SAMPLECOUNT()"), metric("income", "Purchase", "SUM(Items.PRICE)")]
config = {"roleArn": ROLE, "s3DataDestination": {"path": WHERE}}


def attribution(name="impact", **more):
    return dict(dict(name=name, datasetGroupArn=group, metrics=metrics, metricsOutputConfig=config), **more)


# What is refused.
for wrong in (
    dict(metrics=[metric("m", "View", "SUM(Items.NAME)")]),
    dict(metrics=[metric("m", "View", "SUM(Items.NONE)")]),
    dict(metrics=[metric("m", "View", "AVG(Items.PRICE)")]),
    dict(metrics=[metric("m:n", "View", "SAMPLECOUNT()")]),
    dict(metrics=[metrics[0], metrics[0]]),
    dict(metricsOutputConfig=dict(config, s3DataDestination={"path": "s3://../up"})),
):
    fails(INVALID, "create_metric_attribution", **attribution(**wrong))
fails(VALIDATION, "create_metric_attribution", **attribution(metrics=[metric(f"m{i}", "a", "SAMPLECOUNT()") for i in range(11)]))
fails(VALIDATION, "create_metric_attribution", **attribution(metricsOutputConfig={}))
fails(NOT_FOUND, "create_metric_attribution", **attribution(datasetGroupArn=A + "dataset-group/none"))
none = A + "metric-attribution/none"
for operation in ("describe_metric_attribution", "delete_metric_attribution", "list_metric_attribution_metrics",
                  "update_metric_attribution"):
    fails(NOT_FOUND, operation, metricAttributionArn=none)
fails("InvalidNextTokenException", "list_metric_attributions", nextToken="x")


def imports(name):
    return dict(jobName=f"{sys.argv[5]}-{name}", datasetArn=A + f"dataset/{group_name}/INTERACTIONS", roleArn=ROLE,
                dataSource={"dataLocation": "s3://bucket/more.csv"}, importMode="INCREMENTAL",
                publishAttributionMetricsToS3=True)


fails(INVALID, "create_dataset_import_job", **imports("early"))


def publish(name):
    job = do("create_dataset_import_job", **imports(name))["datasetImportJobArn"]
    it = wait("describe_dataset_import_job", "datasetImportJob", datasetImportJobArn=job)
    assert it["status"] == "ACTIVE", it


# Events that came before do not count; all others do, once.
put("View", "i1", source="before")
impact = do("create_metric_attribution", **attribution())["metricAttributionArn"]
assert impact == A + "metric-attribution/impact"
fails(EXISTS, "create_metric_attribution", **attribution())
fails(LIMIT, "create_metric_attribution", **attribution("second"))
it = do("describe_metric_attribution", metricAttributionArn=impact)["metricAttribution"]
assert it["status"] == "ACTIVE" and it["metricsOutputConfig"] == config and it["datasetGroupArn"] == group, it
assert names("list_metric_attributions", "metricAttributions", datasetGroupArn=group) == ["impact"]
assert do("list_metric_attribution_metrics", metricAttributionArn=impact)["metrics"] == metrics
one = do("list_metric_attribution_metrics", metricAttributionArn=impact, maxResults=1)
assert one["metrics"] == metrics[:1] and one["nextToken"]
put("View", "i1", source="mail")
put("View", "i2", source="mail", at=now - 4000)
put("View", "i3")
put("Purchase", "i4", source="mail")
put("Purchase", "i5", source="mail")
put("AddToCart", "i5", source="mail")
said = do("get_recommendations", campaignArn=A + "campaign/personal", userId="u9")["recommendationId"]
put("View", "i11", rid=said)
put("View", "i12", rid=said, source="mail")
said = do("get_recommendations", recommenderArn=A + "recommender/mine", userId="u9")["recommendationId"]
put("View", "i13", rid=said)
put("View", "i13", rid="RID-of-somebody")
assert not reports()
publish("first")
want = {
    ("views", "View", "samplecount", "mail"): 3,
    ("views", "View", "samplecount", A + "campaign/personal"): 1,
    ("views", "View", "samplecount", A + "recommender/mine"): 1,
    ("views", "View", "samplecount", "pz-recommend"): 1,
    ("views", "View", "samplecount", "SOURCE_NAME_UNDEFINED"): 1,
    ("income", "Purchase", "sum", "mail"): round(price["i4"] + price["i5"], 6),
}
got = reports()
assert got == want, got
publish("second")  # nothing came
assert not reports()

# Other metrics count from now on; what came until now is reported with the old ones.
fails(NOT_FOUND, "update_metric_attribution", metricAttributionArn=impact, removeMetrics=["none"])
fails(EXISTS, "update_metric_attribution", metricAttributionArn=impact, addMetrics=metrics[:1])
fails(INVALID, "update_metric_attribution", metricAttributionArn=impact, addMetrics=[metric("m", "a", "x")])
put("View", "i7", source="mail")
value = metric("value", "Purchase", "SUM(Interactions.EVENT_VALUE)")
do("update_metric_attribution", metricAttributionArn=impact, addMetrics=[value], removeMetrics=["views"])
got = reports()
assert got == {("views", "View", "samplecount", "mail"): 1}, got
assert do("list_metric_attribution_metrics", metricAttributionArn=impact)["metrics"] == [metrics[1], value]
put("View", "i8", source="mail")
put("Purchase", "i9", source="web", value=12.5)
publish("third")
assert reports() == {
    ("income", "Purchase", "sum", "web"): price["i9"], ("value", "Purchase", "sum", "web"): 12.5}

# Deleted, it tells what is left to tell.
if sys.argv[5] == "delete":
    put("Purchase", "i10", source="web", value=1)
    do("delete_metric_attribution", metricAttributionArn=impact)
    assert reports()[("value", "Purchase", "sum", "web")] == 1
    fails(NOT_FOUND, "describe_metric_attribution", metricAttributionArn=impact)
else:
    put("Purchase", "i10", source="late", value=1)  # for the next server to tell
