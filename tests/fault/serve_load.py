"""Loads on pz-serve for the cases serve-*.sh.

    serve_load.py put URL THREADS STOP ACKED      events, each sent until it is acknowledged
    serve_load.py ask URL THREADS STOP ARN        requests; prints how many, and each distinct
                                                  answer's items
Both end when the file STOP is there.
"""
import collections
import http.client
import json
import os
import sys
import threading

what, url, threads, stop, argument = sys.argv[1:]
address = url[len("http://"):]
lock = threading.Lock()
wrong = []


def post(connection, path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def put(number, out):
    """Ids tell thread and number; every fifth event has none and is told apart by content."""
    connection = None
    i = 0
    while not os.path.exists(stop):
        event = {"eventType": "view", "itemId": f"i{i % 40}", "sentAt": 1600000000 + i}
        if i % 5:
            event["eventId"] = f"t{number}-{i}"
        body = {
            "trackingId": "any",
            "userId": f"w{number}",
            "sessionId": f"s{number}-{i}",
            "eventList": [event],
        }
        while True:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(address, timeout=10)
                status, text = post(connection, "/events", body)
                if status == 200:
                    break
                if status != 503:
                    wrong.append((status, text))
                    return
            except (OSError, http.client.HTTPException):
                connection = None
                if os.path.exists(stop):
                    return
        with lock:
            out.write(f"w{number} {1600000000 + i}\n")
        i += 1


def ask(number, counts):
    connection = http.client.HTTPConnection(address, timeout=10)
    body = {"campaignArn": argument, "userId": f"u{number}", "numResults": 10}
    while not os.path.exists(stop):
        try:
            status, text = post(connection, "/recommendations", body)
            if status != 200:
                wrong.append((status, text))
                continue
            items = " ".join(i["itemId"] for i in json.loads(text)["itemList"])
        except (OSError, http.client.HTTPException, ValueError) as e:
            wrong.append(repr(e))
            return
        with lock:
            counts[items] += 1


counts = collections.Counter()
acked = open(argument, "w", encoding="ascii") if what == "put" else None
workers = [
    threading.Thread(target=put if acked else ask, args=(n, acked or counts))
    for n in range(int(threads))
]
for w in workers:
    w.start()
for w in workers:
    w.join()
if acked:
    acked.close()
for items, n in sorted(counts.items()):
    print(n, items)
for w in wrong[:10]:
    print("wrong:", w)
sys.exit(bool(wrong))
