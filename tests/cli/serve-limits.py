"""Clients of a server that has little: serve-limits.py URL WHAT [NUMBER [PID]].

    many     NUMBER connections at once, each with three requests
    crowded  NUMBER idle connections, and requests beside them; then none
    heavy    NUMBER bodies of 1 MiB that are all but complete; then they end
    flood    NUMBER connections that ask all the time for two seconds, then one
    stop     a body half sent when SIGTERM comes to PID
Prints what must hold; fails when it does not.
"""
import json
import os
import signal
import socket
import sys
import threading
import time

url, what = sys.argv[1:3]
number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
host, port = url[len("http://"):].split(":")
ask = json.dumps({
    "campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/personal",
    "userId": "u1",
    "numResults": 5,
}).encode()


def connect():
    s = socket.create_connection((host, int(port)), timeout=120)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def request(body, path="/recommendations"):
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def answer(s):
    """The status; 0: the server has closed the connection."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return 0
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = [h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")]
        left = int(length[0].split(b":")[1]) - len(body)
        while left > 0:
            more = s.recv(65536)
            if not more:
                return 0
            left -= len(more)
        return int(head.split()[1])
    except OSError:
        return 0


def once():
    """One request on a connection of its own."""
    try:
        with connect() as s:
            s.sendall(request(ask))
            return answer(s)
    except OSError:
        return 0


def comes_back(seconds):
    end = time.monotonic() + seconds
    while once() != 200:
        assert time.monotonic() < end, "it does not come back"
        time.sleep(0.05)
    print("back to normal")


if what == "many":
    clients = [connect() for _ in range(number)]
    for _ in range(3):
        for s in clients:
            s.sendall(request(ask))
        assert all(answer(s) == 200 for s in clients)
    print("all answered")
elif what == "crowded":
    idle = []
    got = {}
    for _ in range(number):
        try:
            idle.append(connect())
        except OSError:
            break
        status = once()
        got[status] = got.get(status, 0) + 1
    assert set(got) <= {0, 200, 500, 503}, got
    assert got.get(200), got
    for s in idle:
        s.close()
    comes_back(60)
elif what == "heavy":
    body = b'{"x":"' + b"y" * ((1 << 20) - 8) + b'"}'
    clients = []
    for _ in range(number):
        try:
            s = connect()
            s.sendall(request(body)[:-1])
            clients.append(s)
        except OSError:
            pass
    assert once() in (0, 200, 500, 503)
    got = {}
    for s in clients:
        try:
            s.sendall(body[-1:])
        except OSError:
            pass
    for s in clients:
        status = answer(s)
        got[status] = got.get(status, 0) + 1
        s.close()
    # 400: the body was read and found to name no campaign.
    assert set(got) <= {0, 400, 500, 503}, got
    comes_back(60)
elif what == "flood":
    end = time.monotonic() + 2
    lock = threading.Lock()
    got, slowest = {}, [0]

    def flood():
        with connect() as s:
            while time.monotonic() < end:
                began = time.monotonic()
                s.sendall(request(ask) * 8)
                for _ in range(8):
                    status = answer_piped(s)
                    with lock:
                        got[status] = got.get(status, 0) + 1
                        slowest[0] = max(slowest[0], time.monotonic() - began)

    def answer_piped(s):
        file = s.makefile("rb", buffering=0)
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while length > 0:
            length -= len(file.read(length))
        return status

    threads = [threading.Thread(target=flood) for _ in range(number)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(got) == {200, 503}, got
    print("answered or refused")
    comes_back(60)
elif what == "stop":
    s, idle = connect(), connect()
    whole = request(ask)
    s.sendall(whole[:-10])
    time.sleep(0.2)
    os.kill(int(sys.argv[4]), signal.SIGTERM)
    time.sleep(0.3)
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print("a new connection was taken")
    except OSError:
        print("no new connections")
    print("idle one:", answer(idle))
    s.sendall(whole[-10:])
    print("half sent:", answer(s))
    print("then:", s.recv(1))
