"""What a program written for AWS does: boto3 with an endpoint URL and nothing else."""
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url = sys.argv[1]
A = "arn:aws:personalize:us-east-1:000000000000:"


def client(name):
    return boto3.client(
        name,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 0}),
    )


runtime, events, control = (
    client(n) for n in ("personalize-runtime", "personalize-events", "personalize")
)


def fails(name, status, fn, **arguments):
    try:
        fn(**arguments)
    except ClientError as e:
        got = e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == (name, status), got
        assert e.response["Error"]["Message"], "no message"
        return e
    raise AssertionError(f"{name} was not raised")


campaign = A + "campaign/personal"
answer = runtime.get_recommendations(campaignArn=campaign, userId="u1", numResults=3)
assert answer["recommendationId"].startswith("RID-") and len(answer["recommendationId"]) == 40
ids = [i["itemId"] for i in answer["itemList"]]
scores = [i["score"] for i in answer["itemList"]]
assert scores == sorted(scores, reverse=True) and all(isinstance(s, float) for s in scores)
assert len(runtime.get_recommendations(campaignArn=campaign, userId="u1")["itemList"]) == 25
similar = runtime.get_recommendations(campaignArn=A + "campaign/similar", itemId="i1")
assert len(similar["itemList"]) == 25 and "score" not in similar["itemList"][0]
filtered = runtime.get_recommendations(
    campaignArn=campaign,
    userId="u1",
    context={"DEVICE": "phone"},
    filterArn=A + "filter/cheap",
    filterValues={"MAX": "20"},
    promotions=[
        {
            "name": "sale",
            "percentPromotedItems": 40,
            "filterArn": A + "filter/dear",
        }
    ],
    numResults=10,
)
assert sum(i.get("promotionName") == "sale" for i in filtered["itemList"]) == 4
ranked = runtime.get_personalized_ranking(
    campaignArn=campaign, userId="u1", inputList=["i1", "nope", "i2"]
)["personalizedRanking"]
assert ranked[-1] == {"itemId": "nope"}, ranked

event = {
    "eventType": "View",
    "itemId": "i4",
    "sentAt": 1735689600,
    "properties": '{"device":"phone"}',
    "eventId": "e1",
    "impression": ["i4", "i5"],
    "recommendationId": answer["recommendationId"],
    "metricAttribution": {"eventAttributionSource": "site"},
}
before = runtime.get_recommendations(campaignArn=campaign, userId="eve", numResults=5)
for _ in range(2):
    events.put_events(trackingId="any", userId="eve", sessionId="s", eventList=[event])
after = runtime.get_recommendations(campaignArn=campaign, userId="eve", numResults=5)
assert before["itemList"] != after["itemList"]
events.put_users(
    datasetArn=A + "dataset/shop/USERS",
    users=[{"userId": "eve", "properties": '{"age":30,"gender":"female","membership":"basic"}'}],
)

assert [g["name"] for g in control.list_dataset_groups()["datasetGroups"]] == ["shop"]
pages = control.get_paginator("list_recipes").paginate(PaginationConfig={"PageSize": 1})
names = [r["name"] for page in pages for r in page["recipes"]]
assert "aws-sims" in names and len(names) == len(set(names)) > 2
described = control.describe_campaign(campaignArn=campaign)["campaign"]
assert described["status"] == "ACTIVE" and described["campaignArn"] == campaign

none = A + "campaign/none"
e = fails("ResourceNotFoundException", 404, runtime.get_recommendations, campaignArn=none, userId="u")
assert isinstance(e, runtime.exceptions.ResourceNotFoundException)
fails("InvalidInputException", 400, runtime.get_recommendations, campaignArn=campaign)
fails("ResourceNotFoundException", 400, control.describe_campaign, campaignArn=none)
fails("ValidationException", 400, runtime.get_recommendations, campaignArn="x" * 20, userId="u")
e = fails(
    "InvalidInputException", 400, events.put_events, trackingId="any", sessionId="s",
    eventList=[dict(event, eventId="e2", properties="{")],
)
assert "Error parsing properties json" in str(e)
print(*ids)
