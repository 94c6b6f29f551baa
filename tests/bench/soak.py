"""The load of tests/bench/soak: soak.py URL SECONDS RATE"""
import http.client
import json
import sys
import threading
import time

url, seconds, rate = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
A = "arn:aws:personalize:us-east-1:000000000000:"
count = {}
lock = threading.Lock()
end = time.monotonic() + seconds


def post(c, path, body):
    c.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = c.getresponse()
    text = answer.read()
    with lock:
        count[path, answer.status] = count.get((path, answer.status), 0) + 1
    return text


def work(number, threads):
    c = http.client.HTTPConnection(url[len("http://"):], timeout=30)
    due, i = time.monotonic(), 0
    while due < end:
        i += 1
        user = f"u{(i * 7919 + number) % 60}"
        shown = json.loads(post(c, "/recommendations", {
            "campaignArn": A + "campaign/personal", "userId": user, "numResults": 1 + i % 50}))
        event = {
            "eventType": "View", "itemId": f"i{i % 60}", "sentAt": 1735689600 + i % 60,
            "properties": '{"device":"phone"}'}
        if i % 10 == 0:
            event["recommendationId"] = shown["recommendationId"]
        post(c, "/events", {
            "trackingId": "any", "userId": user, "sessionId": f"s{i}", "eventList": [event]})
        post(c, "/personalize-ranking", {
            "campaignArn": A + "campaign/personal", "userId": user,
            "inputList": [f"i{(i + k) % 150}" for k in range(20)]})
        if i % 10 == 0:
            post(c, f"/nothing{i}", {})
            post(c, "/recommendations", {"campaignArn": A + f"campaign/none{i}", "userId": user})
        if i % 50 == 0:  # a connection does not live for ever
            c.close()
            c = http.client.HTTPConnection(url[len("http://"):], timeout=30)
        due += threads / rate
        time.sleep(max(0, due - time.monotonic()))


workers = [threading.Thread(target=work, args=(n, 4)) for n in range(4)]
for w in workers:
    w.start()
for w in workers:
    w.join()
wrong = {k: n for k, n in count.items() if k[1] != (404 if "nothing" in k[0] else 200)}
wrong.pop(("/recommendations", 404), None)
total = sum(count.values())
print(f"{total} requests, {total / seconds:.0f} a second; {sum(wrong.values())} wrong")
for k, n in sorted(wrong.items())[:5]:
    print("wrong:", k, n)
sys.exit(bool(wrong))
