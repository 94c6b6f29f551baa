"""Requests byte by byte: those that two programs could read as two different ones, those
that break the rules, and clients that take their time."""
import socket
import sys
import threading
import time

url = sys.argv[1]
host, port = url[len("http://"):].rsplit(":", 1)
END = b"\r\n\r\n"
# What an attacker would like to have read as a request of its own.
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def connect():
    s = socket.create_connection((host, int(port)), timeout=30)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def statuses(got):
    return [int(x[:3]) for x in got.split(b"HTTP/1.1 ")[1:]]


def answers(data, more=b"", wait=0.5, least=0, closes=False):
    """The statuses of all answers to the bytes, and whether the connection was closed. Silence
    is the end when there were as many answers as there should be and, where an answer closes,
    it has: a slow machine has more time for that."""
    s = connect()
    got = b""
    closed = False
    try:
        s.sendall(data)
        if more:
            time.sleep(0.05)
            s.sendall(more)
        end = time.monotonic() + 30
        while True:
            s.settimeout(wait)
            try:
                part = s.recv(65536)
            except socket.timeout:
                lacks = len(statuses(got)) < least or (closes and got)
                if not lacks or time.monotonic() > end:
                    break
                continue
            if not part:
                closed = True
                break
            got += part
    except ConnectionError:
        closed = True
    s.close()
    return statuses(got), closed


def post(*headers, body=b"", version=b"HTTP/1.1", target=b"/events"):
    return b"POST " + target + b" " + version + b"\r\n" + b"\r\n".join(headers) + END + body


H = b"Host: a"
matrix = [
    ("two lengths", post(H, b"Content-Length: 0", b"Content-Length: %d" % len(HIDDEN), body=HIDDEN)),
    ("two lengths, the other way", post(H, b"Content-Length: %d" % len(HIDDEN), b"Content-Length: 0", body=HIDDEN)),
    ("two equal lengths", post(H, b"Content-Length: 2", b"Content-Length: 2", body=b"{}" + HIDDEN)),
    ("a list of lengths", post(H, b"Content-Length: 2, 2", body=b"{}" + HIDDEN)),
    ("length and chunks", post(H, b"Content-Length: 2", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN)),
    ("chunks and length", post(H, b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + HIDDEN)),
    ("blank before the colon", post(H, b"Content-Length : %d" % len(HIDDEN), body=HIDDEN)),
    ("tab before the colon", post(H, b"Content-Length\t: %d" % len(HIDDEN), body=HIDDEN)),
    ("chunks with a blank before the colon", post(H, b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + HIDDEN)),
    ("unknown coding", post(H, b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN)),
    ("two codings", post(H, b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n" + HIDDEN)),
    ("coding twice", post(H, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN)),
    ("coding, then identity", post(H, b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN)),
    ("coding with a tail", post(H, b"Transfer-Encoding: chunked;x", body=b"0\r\n\r\n" + HIDDEN)),
    ("chunks in HTTP/1.0", post(H, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN, version=b"HTTP/1.0")),
    ("length +2", post(H, b"Content-Length: +2", body=b"{}" + HIDDEN)),
    ("length 0x2", post(H, b"Content-Length: 0x2", body=b"{}" + HIDDEN)),
    ("length -1", post(H, b"Content-Length: -1", body=b"{}" + HIDDEN)),
    ("length 2.0", post(H, b"Content-Length: 2.0", body=b"{}" + HIDDEN)),
    ("length 2 2", post(H, b"Content-Length: 2 2", body=b"{}" + HIDDEN)),
    ("length beyond 64 bits", post(H, b"Content-Length: 18446744073709551618", body=b"{}" + HIDDEN)),
    ("empty length", post(H, b"Content-Length:", body=HIDDEN)),
    ("no host", post(b"Content-Length: 2", body=b"{}")),
    ("two hosts", post(H, b"Host: b", b"Content-Length: 2", body=b"{}")),
    ("two equal hosts", post(H, H, b"Content-Length: 2", body=b"{}")),
    ("host with a path", post(b"Host: a/b", b"Content-Length: 2", body=b"{}")),
    ("a name with a blank", post(H, b"X Y: 1", b"Content-Length: 2", body=b"{}")),
    ("a name with a control character", post(H, b"X\x01Y: 1", b"Content-Length: 2", body=b"{}")),
    ("an empty name", post(H, b": 1", b"Content-Length: 2", body=b"{}")),
    ("a lone return in a value", post(H, b"X: a\rb", b"Content-Length: 2", body=b"{}")),
    ("a chunk of size -1", post(H, b"Transfer-Encoding: chunked", body=b"-1\r\n\r\n" + HIDDEN)),
    ("a chunk of size 0x2", post(H, b"Transfer-Encoding: chunked", body=b"0x2\r\n{}\r\n0\r\n\r\n" + HIDDEN)),
    ("a chunk of huge size", post(H, b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n" + HIDDEN)),
    ("an absolute target", post(H, b"Content-Length: 2", body=b"{}", target=b"http://b/events")),
    ("a target that is no path", post(H, b"Content-Length: 2", body=b"{}", target=b"events")),
    ("a target with a control character", post(H, b"Content-Length: 2", body=b"{}", target=b"/ev\x01ents")),
    ("HTTP/2.0", post(H, b"Content-Length: 2", body=b"{}", version=b"HTTP/2.0")),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n"),
    ("40 KB of headers", post(H, *[b"X-%d: " % i + b"x" * 1000 for i in range(40)])),
    ("a line of 40 KB", post(H, target=b"/" + b"x" * 40000)),
    ("no text at all", bytes(range(256)) * 4 + END),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60 + END),
]
for name, data in matrix:
    got, closed = answers(data, closes=True)
    # One answer, an error, and no word more to whoever sent this. (Debian 12's HTTP library
    # writes the head of its own error pages twice.)
    good = len(set(got)) <= 1 and len(got) <= 2 and all(400 <= status < 600 for status in got) and (closed or not got)
    if not good:
        print(f"{name}: {got} {'closed' if closed else 'open'}")
print(len(matrix), "doubtful requests")

# Not doubtful, and answered one by one.
fine = [
    ("two in one", HIDDEN * 2, [200, 200]),
    ("in pieces", post(H, b"Content-Length: 2", body=b"{"), [400, 200]),
    ("chunks", post(H, b"Transfer-Encoding: chunked", body=b"1\r\n{\r\n1\r\n"), [400, 200]),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n", [200]),
    ("HEAD", b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", [200]),
    ("%00 in the path", b"GET /healthz%00x HTTP/1.1\r\nHost: a\r\n\r\n", [404]),
    ("HEAD, then another", b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN, [200, 200]),
    ("HEAD of what is not there", b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN, [404, 200]),
    ("a long body", post(H, b"Content-Length: 2000000", body=b" " * 1000), [413]),
    ("a longer one than a number", post(H, b"Content-Length: 99999999999999999"), [413]),
    ("long in chunks", post(H, b"Transfer-Encoding: chunked",
                            body=b"100001\r\n" + b" " * 0x100001 + b"\r\n0\r\n\r\n" + HIDDEN), [413]),
    ("chunks without end", post(H, b"Transfer-Encoding: chunked",
                                body=(b"400000\r\n" + b" " * 0x400000 + b"\r\n") * 5), []),
    ("Expect", post(H, b"Expect: 100-continue", b"Content-Length: 2"), [100, 400, 200]),
    ("Expect, a long body", post(H, b"Expect: 100-continue", b"Content-Length: 2000000"), [413]),
    ("Expect, doubtful", post(H, b"Expect: 100-continue", b"Content-Length: 2",
                              b"Transfer-Encoding: chunked"), [400]),
    ("many headers", post(H, *[b"X%d: y" % i for i in range(100)], b"Content-Length: 0"), [400]),
    ("too many headers", post(H, *[b"X%d: y" % i for i in range(5000)]), [431]),
    ("a parameter", b"GET /healthz?%2e%2e/=%00 HTTP/1.1\r\nHost: a\r\n\r\n", [200]),
    ("dots", b"GET /./healthz HTTP/1.1\r\nHost: a\r\n\r\n", [404]),
]
for name, data, want in fine:
    more = {
        "in pieces": b"}" + HIDDEN,
        "Expect": b"{}" + HIDDEN,
        "chunks": b"}\r\n0\r\n\r\n" + HIDDEN,
    }.get(name, b"")
    got, _ = answers(data, more, least=len(want))
    if got != want:
        print(f"{name}: {got}, wanted {want}")
print(len(fine), "plain requests")


# ---- clients that take their time ----

def trickle(n, piece, stop):
    """n clients of which each sends a byte every now and then."""
    sockets = []
    for _ in range(n):
        try:
            s = connect()
            s.setblocking(False)
            s.send(piece)
            sockets.append(s)
        except OSError:
            pass
    while not stop.is_set():
        for s in sockets:
            try:
                s.send(b"x")
            except OSError:
                pass
            if stop.is_set():
                break
        stop.wait(0.5)
    return sockets


def p99(times):
    return sorted(t for t in times if t is not None)[int(len(times) * 0.99) - 1]


def measure(seconds):
    """Times of requests on new connections; None for one that had no answer."""
    times = []
    end = time.time() + seconds
    while time.time() < end:
        began = time.time()
        got, _ = answers(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", wait=5)
        times.append(time.time() - began if got == [200] else None)
        time.sleep(0.002)
    return times


if len(sys.argv) > 2:
    n = int(sys.argv[2])
    stop = threading.Event()
    kinds = [
        b"GET /healthz HTTP/1.1\r\nX: ",
        b"GET /hea",
        b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{",
    ]
    quiet = p99(measure(0.5))  # of a machine that may be busy with other things
    threads = [
        threading.Thread(target=trickle, args=(n // len(kinds), k, stop), daemon=True) for k in kinds
    ]
    for t in threads:
        t.start()
    time.sleep(2 if n > 1000 else 8)
    times = measure(3)
    lost = sum(t is None for t in times)
    print(f"with {n} slow clients: {lost} without an answer")
    print("p99 of the others under 500 ms:", p99(times) < max(0.5, 10 * quiet))
    # By their total time, not by their pauses, they are cut off.
    end = time.monotonic() + 60
    gone = 0
    while gone < n * 0.99 and time.monotonic() < end:
        time.sleep(1)
        s = connect()
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        text = b""
        while part := s.recv(65536):
            text += part
        value = {l.split()[0]: float(l.split()[1]) for l in text.split(b"\n") if l[:3] == b"pz_" and b"{" not in l}
        gone = value[b"pz_slow_total"] + value[b"pz_evicted_total"]
    print("cut off:", "all" if gone >= n * 0.99 else f"{gone:.0f} of {n}")
    stop.set()
