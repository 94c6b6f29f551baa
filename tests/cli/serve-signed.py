"""Signatures: botocore signs, the server checks."""
import http.client
import sys
from datetime import datetime, timedelta

import boto3
import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

url = sys.argv[1]
A = "arn:aws:personalize:us-east-1:000000000000:"
RANK = '{"campaignArn":"%scampaign/personal","userId":"u1"}' % A


def client(name, key="CLIENT1", secret="secret/1+", region="us-east-1", token=None):
    return boto3.client(
        name,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def tell(what, fn):
    try:
        fn()
        print(what, "accepted")
    except ClientError as e:
        meta = e.response["ResponseMetadata"]
        print(what, meta["HTTPStatusCode"], e.response["Error"]["Code"])


def ask(runtime):
    return lambda: runtime.get_recommendations(campaignArn=A + "campaign/personal", userId="u1")


tell("right", ask(client("personalize-runtime")))
tell("second key", ask(client("personalize-runtime", "CLIENT2", "secret2")))
tell("with a session token", ask(client("personalize-runtime", token="any")))
tell("control plane", client("personalize").list_recipes)
tell("wrong secret", ask(client("personalize-runtime", secret="secret/1")))
tell("another's secret", ask(client("personalize-runtime", secret="secret2")))
tell("unknown key", ask(client("personalize-runtime", "CLIENT3")))
tell("other region", ask(client("personalize-runtime", region="eu-west-1")))


def signed(method, path, body, headers=None, service="personalize", shift=0):
    request = AWSRequest(method, url + path, data=body, headers=headers or {})
    clock = botocore.auth.datetime.datetime

    class Shifted(datetime):
        @classmethod
        def utcnow(cls):
            return clock.utcnow() + timedelta(seconds=shift)

    botocore.auth.datetime.datetime = Shifted
    try:
        SigV4Auth(Credentials("CLIENT1", "secret/1+"), service, "us-east-1").add_auth(request)
    finally:
        botocore.auth.datetime.datetime = clock
    return dict(request.headers.items())


def send(what, method, path, body, headers):
    connection = http.client.HTTPConnection(url[len("http://"):])
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    print(what, answer.status, answer.getheader("x-amzn-ErrorType") or "")


# Paths and queries that signers and servers like to disagree on: what is signed well is
# answered, if only by saying that there is no such thing.
for path in (
    "/recommendations?b=2&a=1&a=0",
    "/recommendations?x=%2F%20%C3%A4&y",
    "/a%20b/c%2Fd/~x",
    "/a//b/./c/../d/",
    "/%C3%A4?A=(&a=1",
):
    send("path " + path, "POST", path, RANK, signed("POST", path, RANK))
path = "/recommendations"
send("plain", "POST", path, RANK, signed("POST", path, RANK))
send("blanks in a header", "POST", path, RANK, signed("POST", path, RANK, {"X-Any": " a   b "}))
send("body changed", "POST", path, RANK.replace("u1", "u2"), signed("POST", path, RANK))
send("path changed", "POST", "/personalize-ranking", RANK, signed("POST", path, RANK))
send("query added", "POST", path + "?x=1", RANK, signed("POST", path, RANK))
send("target added", "POST", path, RANK,
     {**signed("POST", path, RANK), "X-Amz-Target": "AmazonPersonalize.ListRecipes"})
send("other service", "POST", path, RANK, signed("POST", path, RANK, service="s3"))
send("clock 290 s late", "POST", path, RANK, signed("POST", path, RANK, shift=-290))
send("clock 310 s late", "POST", path, RANK, signed("POST", path, RANK, shift=-310))
send("clock 310 s early", "POST", path, RANK, signed("POST", path, RANK, shift=310))
send("no signature", "POST", path, RANK, {})
send("no signature, no such path", "POST", "/nothing", RANK, {})
send("health", "GET", "/healthz", None, {})
send("metrics", "GET", "/metrics", None, {})
send("metrics signed", "GET", "/metrics", None, signed("GET", "/metrics", b""))

# What was listened to and is sent again has no effect: the price stays 2.
def item(price):
    return (
        '{"datasetArn":"%sdataset/shop/ITEMS","items":[{"itemId":"kite","properties":'
        '"{\\"name\\":\\"Kite\\",\\"price\\":%d,\\"categoryL1\\":\\"air\\",\\"categoryL2\\":'
        '\\"kites\\",\\"description\\":\\"\\",\\"creationTimestamp\\":1735689600}"}]}' % (A, price)
    )


first, second = item(1), item(2)
heard = signed("POST", "/items", first)
send("put", "POST", "/items", first, heard)
send("put", "POST", "/items", second, signed("POST", "/items", second))
send("replay", "POST", "/items", first, heard)
