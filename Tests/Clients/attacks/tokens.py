"""Access tokens that nobody issued, and headers that are no credentials."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from world import address


def encode(value):
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def forgeries(token, published):
    """Forged tokens by name, made from one that is good and the published keys."""
    head, claims, signature = token.split(".")
    header, payload = json.loads(decode(head)), json.loads(decode(claims))
    own = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64decode(published["keys"][0]["x"] + "==")

    def signed(header, payload):
        text = f"{encode(header)}.{encode(payload)}"
        return f"{text}.{encode(own.sign(text.encode()))}"

    def mac(header, payload, key):
        text = f"{encode(header)}.{encode(payload)}"
        return f"{text}.{encode(hmac.new(key, text.encode(), hashlib.sha256).digest())}"

    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r}", f"{encode({**header, 'alg': name})}.{claims}."
        yield f"alg {name!r}, signature kept", f"{encode({**header, 'alg': name})}.{claims}.{signature}"
    for key_name, key in [("public key", public), ("its text", published["keys"][0]["x"].encode()), ("empty", b""), ("secret", b"secret")]:
        yield f"HS256 with the {key_name}", mac({**header, "alg": "HS256"}, payload, key)
    for algorithm in ("RS256", "ES256", "PS256", "HS512", "ed25519", 7, None, ["EdDSA"]):
        yield f"alg {algorithm}", signed({**header, "alg": algorithm}, payload)
    yield "another key", signed(header, payload)
    yield "another key, jwk", signed({**header, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": encode(own.public_key().public_bytes_raw())}}, payload)
    for name in ("jku", "x5u"):
        yield name, signed({**header, name: "http://127.0.0.1:1/keys"}, payload)
    for kid in ("../../../../dev/null", "' UNION SELECT 'a", "", "x" * 10_000, 7, None):
        yield f"kid {str(kid)[:20]}", signed({**header, "kid": kid}, payload)
    yield "crit", f"{encode({**header, 'crit': ['exp']})}.{claims}.{signature}"
    yield "zip", f"{encode({**header, 'zip': 'DEF'})}.{claims}.{signature}"
    for name, value in [("sub", "usrAAAAAAAAAAAAAA"), ("exp", 99_999_999_999), ("role", "owner"), ("tenant", "tenAAAAAAAAAAAAAA")]:
        yield f"{name} changed", f"{head}.{encode({**payload, name: value})}.{signature}"
    yield "no signature", f"{head}.{claims}."
    yield "two segments", f"{head}.{claims}"
    yield "four segments", f"{token}.{signature}"
    yield "five segments", f"{token}..{signature}"
    yield "padded", f"{token}=="
    yield "white space inside", f"{head}. {claims}.{signature}"
    yield "swapped", f"{claims}.{head}.{signature}"
    yield "signature of another length", f"{head}.{claims}.{signature[:-2]}"
    yield "signature twice", f"{head}.{claims}.{signature}{signature}"
    yield "zero signature", f"{head}.{claims}.{encode(bytes(64))}"
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four bits over in the last letter: another letter may stand for the same bytes.
    yield "another last letter", token[:-1] + last[last.index(token[-1]) ^ 1]
    yield "standard alphabet", token.replace("-", "+").replace("_", "/") if "-" in token or "_" in token else token + "/"
    doubled = b"{" + json.dumps(payload)[1:-1].encode() + b',"sub":"usrAAAAAAAAAAAAAA"}'
    yield "duplicate claims", f"{head}.{encode(doubled)}.{signature}"
    for exp in ("soon", 1.5e300, -1, int(time.time()) - 120, True, None, [1]):
        yield f"exp {exp}", signed(header, {**payload, "exp": exp})
    yield "a JWE", ".".join([encode({"alg": "dir", "enc": "A256GCM"}), "", encode(b"0" * 12), encode(b"x"), encode(b"0" * 16)])
    yield "1 MB", "a" * 1_000_000
    yield "deep claims", f"{head}.{encode(b'[' * 50_000)}.{signature}"


def attack(world, findings):
    tenant = world.tenants[0]
    published = tenant.server.call("GET", "/.well-known/jwks.json")
    findings.check("tokens", published.status == 200 and b'"d"' not in published.body, f"jwks.json: {published}")
    assert tenant.call("GET", "/api/v1/users/me").status == 200
    refused = None
    for name, token in forgeries(tenant.access, published.json):
        reply = tenant.server.another().call("GET", "/api/v1/users/me", token=token, headers=address())
        findings.check("tokens", reply.status in (400, 401, 431), f"{name}: {reply}")
        if reply.status == 401:
            body = {key: value for key, value in reply.json.items() if key != "requestId"}
            refused = refused or body
            findings.check("tokens", body == refused, f"{name} is told apart: {reply}")
    for other in (tenant.refresh, tenant.access[:-1], tenant.access.upper(), f" {tenant.access}x"):
        reply = tenant.server.call("GET", "/api/v1/users/me", token=other, headers=address())
        findings.check("tokens", reply.status in (400, 401), f"{other[:20]}…: {reply}")
    for header in ("", "Bearer", "Bearer ", "Basic dTpw", f"bearer{tenant.access}", "Bearer \xff\xfe", f"Bearer {tenant.access}, Bearer x", "Negotiate x"):
        reply = tenant.server.another().call("GET", "/api/v1/users/me", headers={"Authorization": header, **address()})
        findings.check("tokens", reply.status in (400, 401), f"Authorization {header[:30]!r}: {reply}")
    head = f"GET /api/v1/users/me HTTP/1.1\r\nHost: {tenant.server.host}\r\nConnection: close\r\nX-Forwarded-For: 10.9.8.7\r\n"
    twice = head + f"Authorization: Bearer {tenant.access}\r\n" * 2 + "\r\n"
    received, _ = tenant.server.raw(twice.encode())
    findings.check("tokens", received[9:12] in (b"400", b"401"), f"two Authorization headers: {received[:80]}")
    for place in ("access_token", "token", "key", "api_key"):
        reply = tenant.server.call("GET", f"/api/v1/users/me?{place}={tenant.access}", headers=address())
        findings.check("tokens", reply.status in (400, 401), f"a token in the query: {reply}")
        reply = tenant.server.call("GET", "/api/v1/users/me", headers={"Cookie": f"{place}={tenant.access}", **address()})
        findings.check("tokens", reply.status == 401, f"a token in a cookie: {reply}")
