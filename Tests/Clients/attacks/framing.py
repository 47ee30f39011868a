"""Requests whose end two readers would see in different places, and requests that never end."""

import threading
import time

from wire import statuses

HOST = "Host: 127.0.0.1\r\n"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def ambiguous():
    """Heads that a strict server refuses with 400, closing the connection."""
    post = "POST /api/v1/search HTTP/1.1\r\n" + HOST
    chunked = "Transfer-Encoding: chunked\r\n"
    yield "CL and TE", post + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n" + SMUGGLED
    yield "TE and CL", post + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield "two CL", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + SMUGGLED
    yield "CL list", post + "Content-Length: 5, 6\r\n\r\nhello" + SMUGGLED
    for length in ("+5", "-5", "0x5", "5.0", "5 5", "", "99999999999999999999999", "five", "5;", "٥"):
        yield f"CL {length!r}", post + f"Content-Length: {length}\r\n\r\nhello" + SMUGGLED
    for coding in ("xchunked", "chunked, identity", "identity", "gzip, chunked", "chunked, chunked", "\x0bchunked", "chunked\x00", "", "CHUNKED;q=1", '"chunked"'):
        yield f"TE {coding!r}", post + f"Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield "TE twice", post + chunked + "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield "space before colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield "folded TE", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield "folded header", "GET /health HTTP/1.1\r\n" + HOST + "X-A: b\r\n c\r\n\r\n"
    yield "space before the first header", "GET /health HTTP/1.1\r\n X: y\r\n" + HOST + "\r\n"
    yield "header without colon", "GET /health HTTP/1.1\r\n" + HOST + "Broken\r\n\r\n"
    yield "empty header name", "GET /health HTTP/1.1\r\n" + HOST + ": x\r\n\r\n"
    yield "space in header name", "GET /health HTTP/1.1\r\n" + HOST + "X A: b\r\n\r\n"
    yield "NUL in header", "GET /health HTTP/1.1\r\n" + HOST + "X-A: b\x00c\r\n\r\n"
    yield "bare CR in header", "GET /health HTTP/1.1\r\n" + HOST + "X-A: b\rX-B: c\r\n\r\n"
    yield "bare LF", "GET /health HTTP/1.1\nHost: 127.0.0.1\n\n"
    yield "bare LF between", "GET /health HTTP/1.1\r\n" + HOST + "X-A: b\nX-B: c\r\n\r\n"
    yield "no Host", "GET /health HTTP/1.1\r\n\r\n"
    yield "two Hosts", "GET /health HTTP/1.1\r\n" + HOST + "Host: evil.example\r\n\r\n"
    for host in ("a b", "a/b", "a@b", "a,b", "[::1", "a:b:c"):
        yield f"Host {host!r}", f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n"
    for line in ("GET  /health HTTP/1.1", "GET /health HTTP/1.1 x", "GET /health", "GET /hea lth HTTP/1.1", "GET\t/health HTTP/1.1",
                 "GET /health HTTP/2.0", "GET /health HTTP/1.10", "GET /health http/1.1", "GET /health HTTP/1,1", "G@T /health HTTP/1.1",
                 "/health HTTP/1.1", "GET health HTTP/1.1", "GET /hea\x00lth HTTP/1.1"):
        yield line.encode("unicode_escape").decode(), line + "\r\n" + HOST + "\r\n"
    for size in ("g", "-1", "0x3", "3 ", " 3", "+3", "", "ffffffffffffffffff", "3;\x00", "3\n"):
        yield f"chunk size {size!r}", post + chunked + f"\r\n{size}\r\nabc\r\n0\r\n\r\n" + SMUGGLED
    yield "chunk without its end", post + chunked + "\r\n3\r\nabcX0\r\n\r\n" + SMUGGLED
    yield "too many headers", "GET /health HTTP/1.1\r\n" + HOST + "".join(f"X-{n}: y\r\n" for n in range(150)) + "\r\n"
    yield "a long header", "GET /health HTTP/1.1\r\n" + HOST + f"X-A: {'b' * 40_000}\r\n\r\n"
    yield "a long address", f"GET /{'a' * 60_000} HTTP/1.1\r\n" + HOST + "\r\n"


def attack(world, findings):
    server = world.server
    for name, text in ambiguous():
        received, closed = server.raw(text.encode("latin-1", "replace"), timeout=4)
        codes = statuses(received)
        findings.check("framing", len(codes) <= 1, f"{name}: {len(codes)} answers: {codes}")
        findings.check("framing", all(code in (400, 413, 414, 431, 501, 505, 401, 404, 411) for code in codes), f"{name}: {codes} {received[:200]}")
        findings.check("framing", closed, f"{name}: the connection stays open")
        if codes == [400]:
            findings.check("framing", b"application/problem+json" in received and b"x-request-id" in received.lower(), f"{name}: {received[:200]}")
    for method, right in [("TRACE", 405), ("CONNECT", 405), ("PROPFIND", 405), ("get", 405), ("A" * 30, 405)]:
        received, _ = server.raw(f"{method} /health HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
        codes = statuses(received)
        findings.check("framing", codes in ([right], [400], [501]), f"{method}: {codes}")
        findings.check("framing", b"TRACE /health" not in received, f"{method}: the request is echoed")
    _paths(server, findings)
    _slow(world, findings)


def _paths(server, findings):
    for path in ("/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/page.css/../../etc/passwd", "/..\\..\\etc\\passwd",
                 "//evil.example/", "/%00", "/page.css%00.html", "/%c0%ae%c0%ae/etc/passwd", "/%252e%252e/etc", "/api/v1/../../health", "/%",
                 "/%zz", "/attachments/../../../etc/passwd", "/attachments/x/y/1/z/..%2f..%2fetc%2fpasswd", "/v0/../api/v1/users/me",
                 "/api/v1/airtable/bases/%2e%2e/tables", "/api/v1/airtable/bases/app%2Fx/tables", "/;/health", "/health;x", "/health/", "/HEALTH"):
        received, _ = server.raw(f"GET {path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
        codes = statuses(received)
        findings.check("paths", codes and codes[0] in (400, 401, 403, 404), f"{path}: {codes}")
        findings.check("paths", b"root:" not in received, f"{path} shows a file")


def _slow(world, findings):
    """Two hundred clients that send a byte now and then; an honest one must not notice."""
    server, stop, ended = world.server, threading.Event(), []

    def dribble(head, pause):
        try:
            with server.connect(40) as connection:
                connection.sendall(head)
                started = time.monotonic()
                while not stop.is_set():
                    try:
                        connection.settimeout(pause)
                        if not connection.recv(4096):
                            break
                    except TimeoutError:
                        connection.sendall(b"a")
                ended.append(time.monotonic() - started)
        except OSError:
            ended.append(time.monotonic() - started)

    heads = [b"GET /health HTTP/1.1\r\n" + HOST.encode() + b"X-A: ", b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST.encode() + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"]
    threads = [threading.Thread(target=dribble, args=(heads[n % 2], 1.0), daemon=True) for n in range(200)]
    [thread.start() for thread in threads]
    deadline = time.monotonic() + (75 if world.is_long else 14)
    worst = 0.0
    while time.monotonic() < deadline:
        reply = server.another().call("GET", "/health")
        worst = max(worst, reply.seconds)
        findings.check("slow clients", reply.status == 200, f"/health while they dribble: {reply}")
        time.sleep(0.25)
    findings.check("slow clients", worst < 2, f"/health took {worst:.1f} s beside them")
    # A head may take ten seconds.
    findings.check("slow clients", len(ended) >= 100, f"{len(ended)} of 200 were cut off")
    stop.set()
    [thread.join(5) for thread in threads]
