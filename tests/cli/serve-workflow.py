"""AWS's workflow from nothing to nothing, as a program written for AWS goes through it: what is
made is what is listed, answers have the members that AWS's own model has, and what is listed can
be deleted."""
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, bucket = sys.argv[1:]
ROLE = "arn:aws:iam::000000000000:role/any"
# Members that an older client does not know.
SINCE = {"performAutoTraining", "performIncrementalUpdate", "importMode", "trainingType"}
RECIPE = "arn:aws:personalize:::recipe/"


def compare(shape, value, where):
    if shape.type_name == "structure":
        for key in value:
            if key not in SINCE:
                assert key in shape.members, f"{where}: {key} is no member"
                compare(shape.members[key], value[key], f"{where}.{key}")
    elif shape.type_name == "list":
        for one in value:
            compare(shape.member, one, where + "[]")


def hook(http_response, model, **_):
    if http_response.status_code == 200 and model.output_shape is not None:
        compare(model.output_shape, json.loads(http_response.content), model.name)


def client(name):
    made = boto3.client(
        name,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 0}),
    )
    made.meta.events.register("after-call.*.*", hook)
    return made


control, runtime, events = (
    client(n) for n in ("personalize", "personalize-runtime", "personalize-events")
)


def wait(kind, arn, want="ACTIVE"):
    for _ in range(1200):
        described = getattr(control, "describe_" + kind[0])(**{kind[1] + "Arn": arn})[kind[1]]
        if described["status"] == want:
            return described
        assert "FAILED" not in described["status"], described
        time.sleep(0.05)
    raise AssertionError(f"{arn} stays {described['status']}")


def drop(word, key, arn):
    getattr(control, "delete_" + word)(**{key: arn})
    for _ in range(1200):
        try:
            getattr(control, "describe_" + word)(**{key: arn})
        except ClientError as e:
            assert e.response["Error"]["Code"] == "ResourceNotFoundException", e
            return
        time.sleep(0.05)
    raise AssertionError(f"{arn} is not deleted")


def listed(operation, **arguments):
    """All names, in pages of one."""
    pages = control.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments)
    return sorted(
        x["name"] for page in pages for key in page if isinstance(page[key], list) for x in page[key]
    )


FIELDS = {
    "Interactions": [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")],
    "Items": [("ITEM_ID", "string"), ("GENRES", "string"), ("YEAR", "int")],
    "Users": [("USER_ID", "string"), ("GENDER", "string")],
}
ROWS = {
    "Interactions": [f"u{i % 40},m{(i * i + i // 40) % 30},watch,{1735000000 + i * 600}" for i in range(1200)],
    "Items": [f"m{i},{('Drama', 'Comedy|Drama')[i % 2]},{1990 + i}" for i in range(30)],
    "Users": [f"u{i},{'MF'[i % 2]}" for i in range(40)],
}
group = control.create_dataset_group(name="movies")["datasetGroupArn"]
wait(("dataset_group", "datasetGroup"), group)
for kind, fields in FIELDS.items():
    text = {
        "type": "record",
        "name": kind,
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": n, "type": t, **({"categorical": True} if n[:3] == "GEN" else {})} for n, t in fields],
        "version": "1.0",
    }
    schema = control.create_schema(name="my-" + kind, schema=json.dumps(text))["schemaArn"]
    dataset = control.create_dataset(
        name="set-" + kind, schemaArn=schema, datasetGroupArn=group, datasetType=kind
    )["datasetArn"]
    wait(("dataset", "dataset"), dataset)
    with open(f"{bucket}/{kind}.csv", "w", encoding="ascii") as out:
        print(",".join(n for n, _ in fields), *ROWS[kind], sep="\n", file=out)
    job = control.create_dataset_import_job(
        jobName="import-" + kind,
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://bucket/{kind}.csv"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    wait(("dataset_import_job", "datasetImportJob"), job)
known = control.meta.service_model.operation_model("CreateSolution").input_shape.members
solution = control.create_solution(
    name="taste",
    datasetGroupArn=group,
    recipeArn=RECIPE + "aws-user-personalization",
    **({"performAutoTraining": False} if "performAutoTraining" in known else {}),
)["solutionArn"]
wait(("solution", "solution"), solution)
version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
wait(("solution_version", "solutionVersion"), version)
assert control.get_solution_metrics(solutionVersionArn=version)["metrics"]["precision_at_5"] >= 0
assert listed("list_campaigns") == [], "a campaign before one is made"
campaign = control.create_campaign(name="front", solutionVersionArn=version)["campaignArn"]
wait(("campaign", "campaign"), campaign)
control.create_filter(
    name="new-to-them",
    datasetGroupArn=group,
    filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")',
)
tracking = control.create_event_tracker(name="site", datasetGroupArn=group)["trackingId"]
events.put_events(
    trackingId=tracking,
    userId="u1",
    sessionId="s",
    eventList=[{"sentAt": 1735700000, "eventType": "watch", "itemId": "m3"}],
)
assert len(runtime.get_recommendations(campaignArn=campaign, userId="u1", numResults=5)["itemList"]) == 5

assert listed("list_schemas") == sorted("my-" + k for k in FIELDS), listed("list_schemas")
assert listed("list_datasets", datasetGroupArn=group) == sorted("set-" + k for k in FIELDS)
assert listed("list_solutions") == ["taste"]
assert listed("list_campaigns") == listed("list_campaigns", solutionArn=solution) == ["front"]

# Everything that is listed can be deleted, in the order of AWS's own notebooks.
for one in control.list_campaigns(solutionArn=solution)["campaigns"]:
    drop("campaign", "campaignArn", one["campaignArn"])
drop("solution", "solutionArn", solution)
for one in control.list_event_trackers(datasetGroupArn=group)["eventTrackers"]:
    drop("event_tracker", "eventTrackerArn", one["eventTrackerArn"])
for one in control.list_filters(datasetGroupArn=group)["Filters"]:
    drop("filter", "filterArn", one["filterArn"])
for one in control.list_datasets(datasetGroupArn=group)["datasets"]:
    drop("dataset", "datasetArn", one["datasetArn"])
for one in control.list_schemas()["schemas"]:
    control.delete_schema(schemaArn=one["schemaArn"])
drop("dataset_group", "datasetGroupArn", group)
assert listed("list_schemas") == listed("list_dataset_groups") == []
print("gone")
