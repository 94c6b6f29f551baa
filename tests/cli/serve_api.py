"""What scripts against pz-serve share: clients of boto3, and who was called and how.

Every call is noted in the file `called`, a line each: service, operation, and whether it was
answered or refused. An operation that this boto3 does not know yet is sent by hand.
"""
import json
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url = sys.argv[1]
A = "arn:aws:personalize:us-east-1:000000000000:"
RECIPE = "arn:aws:personalize:::recipe/"
ROLE = "arn:aws:iam::000000000000:role/any"
NOT_FOUND, INVALID, EXISTS, IN_USE, LIMIT, VALIDATION = (
    "ResourceNotFoundException", "InvalidInputException", "ResourceAlreadyExistsException",
    "ResourceInUseException", "LimitExceededException", "ValidationException",
)
_key = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
# What is checked is the server, also with what the client would not send.
_config = Config(retries={"max_attempts": 0}, parameter_validation=False)
clients = {
    n: boto3.client(n, endpoint_url=url, config=_config, **_key)
    for n in ("personalize", "personalize-runtime", "personalize-events")
}


def camel(operation):
    return "".join(w.title() for w in operation.split("_"))


# Those outside of the control plane that boto3 of Debian 12 lacks.
BY_HAND = {
    "get_action_recommendations": ("personalize-runtime", "/action-recommendations"),
    "put_actions": ("personalize-events", "/actions"),
    "put_action_interactions": ("personalize-events", "/action-interactions"),
}


def _by_hand(operation, arguments):
    path = BY_HAND.get(operation, (None, "/"))[1]
    head = {"Content-Type": "application/x-amz-json-1.1"}
    if path == "/":
        head["X-Amz-Target"] = "AmazonPersonalize." + camel(operation)
    ask = urllib.request.Request(url + path, json.dumps(arguments).encode(), head)
    try:
        with urllib.request.urlopen(ask) as answer:
            text = answer.read()
            return json.loads(text) if text else {}
    except urllib.error.HTTPError as e:
        said = {"Code": e.headers["x-amzn-ErrorType"], "Message": json.load(e)["message"]}
        meta = {"HTTPStatusCode": e.code}
        raise ClientError({"Error": said, "ResponseMetadata": meta}, camel(operation)) from None


def _knows(shape, value):
    """Has the model a member for all that is in the request?"""
    if shape.type_name == "structure":
        return all(k in shape.members and _knows(shape.members[k], v) for k, v in value.items())
    if shape.type_name == "list":
        return all(_knows(shape.member, v) for v in value)
    return True


def do(operation, /, _by_hand_only=False, **arguments):
    service = next((n for n, c in clients.items() if hasattr(c, operation)), None)
    client = clients.get(service)
    service = service or BY_HAND.get(operation, ("personalize",))[0]
    model = client and client.meta.service_model.operation_model(camel(operation))
    if _by_hand_only or (model and not _knows(model.input_shape, arguments)):
        client = None
    how = "refused"
    try:
        answer = getattr(client, operation)(**arguments) if client else _by_hand(operation, arguments)
        how = "answered"
        return answer
    finally:
        with open("called", "a", encoding="ascii") as f:
            print(service, camel(operation), how, file=f)


def whole(operation, /, **arguments):
    """The same, with members of the answer that this boto3 may not know."""
    return do(operation, _by_hand_only=True, **arguments)


def fails(error, operation, /, **arguments):
    """The operation is refused with that error, and says why; returns what it says."""
    try:
        do(operation, **arguments)
    except ClientError as e:
        got = e.response["Error"]
        assert got["Code"] == error, (operation, got)
        assert got["Message"], operation
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status in (400, 404), (operation, status)
        return got["Message"]
    raise AssertionError(f"{operation}: {error} was not raised")


_ON_THE_WAY = ("PENDING", "IN_PROGRESS", "STOPPING")


def wait(operation, member, good=("ACTIVE",), **arn):
    """Asks until a state lasts."""
    for _ in range(3000):
        it = do(operation, **arn)[member]
        if it["status"] in good or not it["status"].endswith(_ON_THE_WAY):
            break
        time.sleep(0.05)
    return it


def names(operation, member, /, **arguments):
    """The names in a list, one a page."""
    found, token = [], {}
    while True:
        page = do(operation, maxResults=1, **token, **arguments)
        assert len(page[member]) <= 1, page
        found += [i.get("name", i.get("jobName")) for i in page[member]]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}
