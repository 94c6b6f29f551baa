"""Requests alone and in company: python3 serve-round.py URL PID ARN

Each request is asked alone first. Then the server is held up until a request is there on
every connection, so that it finds them all at one time; and then threads ask in any order.
An answer must always have the bytes that it had alone, but for its id.
"""
import http.client
import json
import os
import random
import re
import signal
import sys
import threading

url, pid, arn = sys.argv[1], int(sys.argv[2]), sys.argv[3]
address = url[len("http://"):]
R, P = "/recommendations", "/personalize-ranking"
rng = random.Random(7)


def campaign(name):
    return f"{arn}:campaign/{name}"


def ask(name, **more):
    return R, json.dumps({"campaignArn": campaign(name), **more})


def use(name, **values):
    return {"filterArn": f"{arn}:filter/{name}", "filterValues": {k: str(v) for k, v in values.items()}}


def promote(percent, **values):
    return {"promotions": [{"name": "sale", "percentPromotedItems": percent, **use("dear", **values)}]}


def requests():
    yield from (ask("personal", userId=f"u{k}", numResults=k) for k in range(40))
    yield from (ask("personal", userId=f"u{k}", **use("seen")) for k in range(1, 81))
    for k in range(1, 61):  # more scopes than a desk keeps
        yield ask("personal", userId=f"u{k}", numResults=9, **use("cheap", MAX=k), **promote(k, MAX=60))
    for k in range(1, 21):
        yield ask("similar", itemId=f"i{k}", metadataColumns={"ITEMS": ["PRICE"]})
        yield ask("popular", numResults=k, **use("cheap", MAX=100 - k))
        yield ask("personal", userId=f"eve{k % 3}")  # has events
        yield ask("personal", userId=f"eve{k % 3}", **use("seen"))
        yield ask("personal", userId=f"u{k}", **promote(20, MAX=k))
        yield P, json.dumps({"campaignArn": campaign("personal"), "userId": f"u{k}",
                             "inputList": ["new", f"i{k}", "i3", "i50", "i7"], **use("cheap", MAX=40)})
        # Errors, each of its request alone.
        yield ask("personal", userId=f"u{k}", **use("cheap", MAX="much"))
        yield ask("personal", userId=f"u{k}", **use("cheap", MIN=k))
        yield ask("personal", userId=f"u{k}", **promote(50, MAX="much"))
        yield ask("nothing", userId=f"u{k}")
        yield ask("personal", itemId=f"i{k}")
        yield R, '{"campaignArn":'


class Client:
    def __init__(self):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def send(self, request):
        self.connection.request("POST", request[0], request[1], {"Content-Type": "application/json"})

    def receive(self):
        answer = self.connection.getresponse()
        body = re.sub(rb"RID-[0-9a-f-]{36}", b"RID", answer.read())
        return answer.status, answer.getheader("x-amzn-ErrorType"), body

    def ask(self, request):
        self.send(request)
        return self.receive()


def differ(request, alone, beside):
    print("differs:", request, alone, beside, sep="\n    ")
    os._exit(1)


every = list(dict.fromkeys(requests()))
one = Client()
alone = {q: one.ask(q) for q in every}
count = {}
for q in every:
    count[alone[q][0]] = count.get(alone[q][0], 0) + 1
print("alone:", ", ".join(f"{n} with {status}" for status, n in sorted(count.items())))
assert len({a[2] for a in alone.values() if a[0] == 200}) > 200, "answers that say nothing"

clients = [Client() for _ in every]
for c in clients:  # the server has all connections
    c.ask(every[0])
for _ in range(4):
    rng.shuffle(every)
    os.kill(pid, signal.SIGSTOP)
    try:
        for c, q in zip(clients, every):
            c.send(q)
    finally:
        os.kill(pid, signal.SIGCONT)
    for c, q in zip(clients, every):
        got = c.receive()
        if got != alone[q]:
            differ(q, alone[q], got)
print("at one time: the same")


def load(number):
    order = random.Random(number)
    client = Client()
    for _ in range(300):
        q = order.choice(every)
        got = client.ask(q)
        if got != alone[q]:
            differ(q, alone[q], got)


threads = [threading.Thread(target=load, args=(n,)) for n in range(12)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("under load: the same")
