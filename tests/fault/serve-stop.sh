#!/bin/sh
# SIGTERM with --stop-seconds shorter than what calls wait for, the catalogue that another
# process keeps locked: the server ends in order, and so do the calls, without an answer.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-event
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
command -v python3 >/dev/null || skip "python3 is not installed"
shop 2000 | pz-import -q -g g -t interactions >out 2>&1 || broken "import: $(cat out)"
tracker=$(pz-event -g g --create-tracker t)
pz-serve -q --sandbox "$sandbox" -g g -l 127.0.0.1:0 --threads 1 --stop-seconds 0.5 >url 2>server.err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s url ] || sleep 0.5
done
[ -s url ] || broken "no server: $(cat server.err)"
PYTHONDONTWRITEBYTECODE=1 python3 - "$(cat url)" "$tracker" $pid >calls 2>&1 <<'EOF' || broken "calls: $(cat calls)"
import http.client, json, os, signal, sqlite3, sys, threading, time

url, tracker, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
host = url[len("http://"):]
arn = "arn:aws:personalize:us-east-1:000000000000:dataset-group/g"
event = {"eventType": "view", "itemId": "i1", "sentAt": 1700000000}
calls = [
    ("/", {"X-Amz-Target": "AmazonPersonalize.CreateFilter"},
     {"name": "late", "datasetGroupArn": arn,
      "filterExpression": "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"view\")"}),
    ("/events", {}, {"trackingId": tracker, "userId": "u1", "sessionId": "s",
                     "eventList": [event]}),
]
ends = [None] * len(calls)


def call(k):
    path, headers, body = calls[k]
    c = http.client.HTTPConnection(host, timeout=60)
    c.request("POST", path, json.dumps(body), headers)
    try:
        ends[k] = c.getresponse().status
    except (http.client.HTTPException, ConnectionError):
        ends[k] = "cut off"


lock = sqlite3.connect("g/group.db", isolation_level=None)
lock.execute("BEGIN EXCLUSIVE")
threads = [threading.Thread(target=call, args=(k,)) for k in range(len(calls))]
for t in threads:
    t.start()
time.sleep(1)
assert ends == [None] * len(calls), ends
# Its thread that answers has ended: it waits no longer.
running = len(os.listdir(f"/proc/{pid}/task"))
os.kill(pid, signal.SIGTERM)
for _ in range(3000):
    if len(os.listdir(f"/proc/{pid}/task")) < running:
        break
    time.sleep(0.02)
lock.execute("ROLLBACK")
for t in threads:
    t.join()
assert ends == ["cut off"] * len(calls), ends
EOF
wait $pid
status=$?
[ $status -eq 0 ] || broken "status $status: $(cat server.err)"
[ ! -s server.err ] || broken "it says: $(cat server.err)"
pz-info --verify g >out 2>&1 || broken "pz-info --verify: $(cat out)"
# What they waited for is done all the same.
[ "$(sqlite3 g/group.db 'SELECT count(*) FROM event')" = 1 ] || broken "the event is not stored"
finish
