"""What a foreign page may do: cross-origin requests and sockets; and the headers that protect our own page."""

import base64
import os

EVIL = [
    "https://evil.example", "null", "http://127.0.0.1.evil.example", "https://localhost.evil.example", "http://evil.example:80",
    "file://", "chrome-extension://abc", "https://xn--exmple-cua.example", "http://[::1].evil.example", "HTTPS://EVIL.EXAMPLE",
]


def attack(world, findings):
    tenant = world.tenants[0]
    own = _own(tenant)
    for origin in EVIL + [own + ".evil.example", own.replace("http://", "http://evil.example@")]:
        for method, path in [("GET", "/api/v1/users/me"), ("POST", "/api/v1/search"), ("GET", "/openapi.json"), ("GET", "/v0/meta/bases")]:
            reply = tenant.call(method, path, {"query": "a"} if method == "POST" else None, headers={"Origin": origin})
            findings.check("cors", reply.header("Access-Control-Allow-Origin") is None, f"{origin} {path}: {reply.headers}")
            asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
            reply = tenant.server.call("OPTIONS", path, headers=asked)
            findings.check("cors", reply.header("Access-Control-Allow-Origin") is None, f"preflight {origin} {path}: {reply.headers}")
            findings.check("cors", reply.header("Access-Control-Allow-Credentials") is None, f"credentials for {origin}")
        reply = _upgrade(tenant, origin)
        findings.check("socket origin", reply.startswith(b"HTTP/1.1 403"), f"{origin}: {reply[:120]}")
    _sockets(tenant, findings)
    _headers(tenant, findings)


def _own(tenant):
    """The origin of the server's own page: a ticket opens a socket only for a page that may call."""
    return f"http://{tenant.server.host}:{tenant.server.port}"


def _ticket(tenant):
    return tenant.made("/api/v1/chat/tickets", None, member="ticket")


def _upgrade(tenant, origin=None, ticket=None, version="13", key=None, host=None):
    lines = [
        f"GET /api/v1/chat/ws?ticket={ticket or _ticket(tenant)} HTTP/1.1", f"Host: {host or tenant.server.host}:{tenant.server.port}",
        "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Version: {version}",
        f"Sec-WebSocket-Key: {key or base64.b64encode(os.urandom(16)).decode()}",
        f"Origin: {origin or _own(tenant)}",
    ]
    return tenant.server.raw(("\r\n".join(lines) + "\r\n\r\n").encode(), timeout=2)[0]


def _sockets(tenant, findings):
    ticket = _ticket(tenant)
    findings.check("sockets", _upgrade(tenant, ticket=ticket).startswith(b"HTTP/1.1 101"), "a good ticket")
    again = _upgrade(tenant, ticket=ticket)
    findings.check("sockets", again.startswith(b"HTTP/1.1 401"), f"a ticket used twice: {again[:100]}")
    for odd in ("", "x", "a" * 43, tenant.access, "%00"):
        reply = _upgrade(tenant, ticket=odd or "%20")
        findings.check("sockets", reply[9:12] in (b"400", b"401"), f"ticket {odd[:20]!r}: {reply[:100]}")
    for version in ("12", "0", "x", "13, 8"):
        reply = _upgrade(tenant, version=version)
        findings.check("sockets", reply[9:12] in (b"400", b"426"), f"version {version}: {reply[:100]}")
    for key in ("", "short", "a" * 200):
        reply = _upgrade(tenant, key=key or "=")
        findings.check("sockets", reply[9:12] == b"400", f"key {key[:10]!r}: {reply[:100]}")
    for name, frame in _frames():
        findings.check("sockets", _after(tenant, frame), f"{name} does not end the socket")
    findings.check("sockets", tenant.server.another().call("GET", "/health").status == 200, "the server is gone")


def _frames():
    """Frames after which the server must close."""
    mask = b"\x00\x00\x00\x00"
    yield "an unmasked frame", b"\x81\x02hi"
    yield "reserved bits", b"\xf1\x82" + mask + b"hi"
    yield "an unknown opcode", b"\x83\x80" + mask
    yield "64-bit length", b"\x81\xff" + b"\x7f" * 8 + mask
    yield "a large message", b"\x81\xff" + (20_000_000).to_bytes(8, "big") + mask + b"a" * 2_000_000
    yield "a fragmented ping", b"\x09\x80" + mask
    yield "a long ping", b"\x89\xfe\x01\x00" + mask + b"a" * 256
    yield "a continuation of nothing", b"\x80\x80" + mask
    yield "bad UTF-8", b"\x81\x82" + mask + b"\xc0\xaf"
    yield "binary", b"\x82\x82" + mask + b"hi"


def _after(tenant, frame):
    """Whether the server closes a socket on which it gets `frame`."""
    lines = [
        f"GET /api/v1/chat/ws?ticket={_ticket(tenant)} HTTP/1.1", f"Host: {tenant.server.host}:{tenant.server.port}",
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", f"Origin: {_own(tenant)}",
    ]
    with tenant.server.connect(8) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(4096)
        try:
            connection.sendall(frame)
            while connection.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


def _headers(tenant, findings):
    for path, is_page in [("/", True), ("/docs", True), ("/api/v1/users/me", False), ("/v0/meta/whoami", False), ("/nowhere", False)]:
        reply = tenant.call("GET", path)
        if reply.status == 404 and is_page:
            continue
        findings.check("headers", reply.header("X-Content-Type-Options") == "nosniff", f"{path}: nosniff")
        findings.check("headers", reply.header("Referrer-Policy") is not None, f"{path}: Referrer-Policy")
        policy = reply.header("Content-Security-Policy") or ""
        findings.check("headers", "frame-ancestors 'none'" in policy and "default-src 'none'" in policy, f"{path}: {policy}")
        findings.check("headers", "unsafe" not in policy, f"{path}: {policy}")
        if not is_page:
            findings.check("headers", "no-store" in (reply.header("Cache-Control") or ""), f"{path}: Cache-Control")
        for name in ("Server", "X-Powered-By"):
            findings.check("headers", reply.header(name) is None, f"{path}: {name}: {reply.header(name)}")
    for identifier in ("short", "a" * 65, "x" * 5_000, "abc def ghi", "a/b/c/d/e/f", "<script>alert</script>"):
        reply = tenant.server.call("GET", "/health", headers={"X-Request-Id": identifier})
        findings.check("headers", reply.header("X-Request-Id") != identifier, f"X-Request-Id {identifier[:20]!r} is echoed")
    for name in ("X-User-Id", "X-Tenant-Id", "X-Forwarded-User", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL"):
        reply = tenant.server.call("GET", "/api/v1/users/me", headers={name: tenant.ids["userId"]})
        findings.check("headers", reply.status == 401, f"{name}: {reply}")
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        path = f"/api/v1/airtable/bases/{tenant.ids['baseId']}"
        reply = tenant.call("GET", path, headers={name: "DELETE"})
        findings.check("headers", reply.status == 200 and tenant.call("GET", path).status == 200, f"{name}: {reply}")
