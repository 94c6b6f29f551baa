"""Makes campaigns, filters and groups, each asked for at once over another connection, while
others write to the same catalogue, and looks at the group fail now and then: its folder of
models is exchanged for a link to itself. Then a request may be told to come again (503), but
never that what was made is not there.

    serve_create.py URL THREADS SECONDS PATH SOLUTION VERSION
PATH is the group's. Prints how many there were; fails when one that was made was not there.
"""
import ctypes
import http.client
import json
import os
import sys
import threading
import time

url, threads, seconds, path, solution, version = sys.argv[1:]
group = os.path.basename(path)
address = url[len("http://"):]
A = "arn:aws:personalize:us-east-1:000000000000:"
end = time.monotonic() + float(seconds)
lock = threading.Lock()
wrong = []
count = {"campaigns": 0, "filters": 0, "groups": 0, "events": 0, "again": 0}


class Client:
    """One connection."""

    def __init__(self):
        self.c = http.client.HTTPConnection(address, timeout=60)

    def post(self, path, body, operation=None):
        headers = {"Content-Type": "application/json"}
        if operation:
            headers["X-Amz-Target"] = "AmazonPersonalize." + operation
        while True:
            self.c.request("POST", path, json.dumps(body), headers)
            answer = self.c.getresponse()
            text = answer.read().decode()
            if answer.status != 503:
                return answer.status, text
            with lock:
                count["again"] += 1
            time.sleep(0.01)

    def control(self, operation, **body):
        return self.post("/", body, operation)


def note(what, answer):
    """Counts a good answer; notes a bad one."""
    with lock:
        if answer[0] == 200:
            count[what] = count.get(what, 0) + 1
        else:
            wrong.append((what, answer))
    return answer[0] == 200


def create(number):
    maker, asker = Client(), Client()
    i = 0
    while time.monotonic() < end:
        name = f"c{number}-{i}"
        i += 1
        arn = A + "campaign/" + name
        made = maker.control(
            "CreateCampaign",
            name=name,
            solutionVersionArn=f"{A}solution/{solution}/{version}",
            minProvisionedTPS=1,
        )
        if not note("made", made):
            continue
        body = {"campaignArn": arn, "userId": f"u{i % 60}", "numResults": 2}
        note("campaigns", asker.post("/recommendations", body))
        made = maker.control(
            "CreateFilter",
            name=name,
            datasetGroupArn=A + "dataset-group/" + group,
            filterExpression=f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("t{i}")',
        )
        if note("made", made):
            body["filterArn"] = A + "filter/" + name
            note("filters", asker.post("/recommendations", body))
            note("made", maker.control("DeleteFilter", filterArn=A + "filter/" + name))
        note("made", maker.control("DeleteCampaign", campaignArn=arn))
        fresh = f"g{number}-{i}"
        if note("made", maker.control("CreateDatasetGroup", name=fresh)):
            arn = A + "dataset-group/" + fresh
            note("groups", asker.control("DescribeDatasetGroup", datasetGroupArn=arn))
            note("made", maker.control("DeleteDatasetGroup", datasetGroupArn=arn))


def put(number):
    c = Client()
    i = 0
    while time.monotonic() < end:
        event = {"eventType": "view", "itemId": f"i{i % 40}", "sentAt": 1600000000 + i}
        body = {
            "trackingId": tracking_id,
            "userId": f"w{number}",
            "sessionId": "s",
            "eventList": [event],
        }
        note("events", c.post("/events", body))
        i += 1


def disturb(number):
    libc = ctypes.CDLL(None, use_errno=True)
    models, loop = path + "/models", path + "/loop"
    os.symlink("models", loop)
    exchange = 2
    while time.monotonic() < end:
        for pause in (0.02, 0.1):
            if libc.renameat2(-100, models.encode(), -100, loop.encode(), exchange):
                raise OSError(ctypes.get_errno(), "renameat2")
            time.sleep(pause)
    os.remove(loop)


def guarded(work, number):
    try:
        work(number)
    except (OSError, http.client.HTTPException) as e:
        wrong.append((number, repr(e)))


status, text = Client().control(
    "CreateEventTracker", name="tracker", datasetGroupArn=A + "dataset-group/" + group
)
assert status == 200, text
tracking_id = json.loads(text)["trackingId"]
workers = [threading.Thread(target=guarded, args=(disturb, 0))] + [
    threading.Thread(target=guarded, args=(work, n))
    for n in range(int(threads))
    for work in (create, put)
]
for w in workers:
    w.start()
for w in workers:
    w.join()
print(count)
if not all(count.values()):
    wrong.append("something did not happen")
for w in wrong[:10]:
    print("wrong:", w)
if wrong:
    print(len(wrong), "wrong")
sys.exit(bool(wrong))
