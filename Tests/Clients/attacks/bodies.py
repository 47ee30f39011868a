"""JSON that parsers stumble over: too deep, too large, ambiguous, or no JSON at all."""

import gzip

from world import address

GOOD = b'{"query":"a"}'


def documents():
    """Bodies, each with the statuses that are right for it."""
    refused = (400, 413, 422)
    yield "deep arrays", b"[" * 100_000 + b"]" * 100_000, refused
    yield "deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, refused
    yield "65 levels", b'{"query":' + b"[" * 65 + b"]" * 65 + b"}", refused
    yield "unclosed depth", b"[" * 900_000, refused
    yield "duplicate keys", b'{"query":"a","query":"b"}', refused
    yield "escaped duplicate keys", b'{"query":"a","qu\\u0065ry":"b"}', refused
    yield "many keys", b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}", refused
    yield "1e999", b'{"query":"a","limit":1e999}', refused
    yield "a huge integer", b'{"query":"a","limit":' + b"9" * 5_000 + b"}", refused
    yield "a long fraction", b'{"query":"a","limit":0.' + b"1" * 200_000 + b"}", refused
    yield "NaN", b'{"query":"a","limit":NaN}', refused
    yield "-0", b'{"query":"a","limit":-0}', refused
    yield "leading zero", b'{"query":"a","limit":01}', refused
    yield "a lone surrogate", b'{"query":"\\ud800"}', refused
    yield "a reversed pair", b'{"query":"\\udc00\\ud800"}', refused
    yield "NUL byte", b'{"query":"a\x00b"}', refused
    yield "NUL escape", b'{"query":"a\\u0000b"}', (200, 400, 422)
    yield "a BOM", b"\xef\xbb\xbf" + GOOD, refused
    yield "UTF-16", GOOD.decode().encode("utf-16"), refused
    yield "Latin-1", b'{"query":"\xe9"}', refused
    yield "overlong UTF-8", b'{"query":"\xc0\xaf"}', refused
    yield "a surrogate in UTF-8", b'{"query":"\xed\xa0\x80"}', refused
    yield "trailing comma", b'{"query":"a",}', refused
    yield "a comment", b'{"query":"a"/* */}', refused
    yield "two values", GOOD + GOOD, refused
    yield "trailing bytes", GOOD + b"x", refused
    yield "single quotes", b"{'query':'a'}", refused
    yield "an array", b"[]", refused
    yield "a string", b'"query"', refused
    yield "null", b"null", refused
    yield "nothing", b"", refused
    yield "white space", b" " * 1_000, refused
    yield "an unknown member", b'{"query":"a","isAdmin":true}', refused
    yield "__proto__", b'{"query":"a","__proto__":{"admin":true}}', refused
    yield "a member of another type", b'{"query":{"$gt":""}}', refused
    yield "too large", b'{"query":"' + b"a" * 20_000_000 + b'"}', refused


def attack(world, findings):
    tenant = world.tenants[0]
    for name, body, right in documents():
        for path in ("/api/v1/search", "/api/v1/auth/login"):
            if path.endswith("login") and 200 in right:
                continue
            try:
                reply = tenant.server.another().call("POST", path, body, token=tenant.access, headers=address())
            except OSError as error:
                # The server may refuse by closing before it has read all of a body that is far too large.
                findings.check("bodies", name == "too large", f"{name} to {path}: {error}")
                continue
            findings.check("bodies", reply.status in right, f"{name} to {path}: {reply}")
            findings.check("bodies", reply.seconds < 3, f"{name} to {path}: {reply.seconds:.1f} s")
    bomb = gzip.compress(b" " * 200_000_000)
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "br"}, {"Content-Encoding": "deflate, gzip"}):
        reply = tenant.server.another().call("POST", "/api/v1/search", bomb, token=tenant.access, headers=headers)
        findings.check("bodies", reply.status in (400, 413, 415), f"{headers}: {reply}")
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "application/jsonp", "a"):
        reply = tenant.call("POST", "/api/v1/search", GOOD, content_type=kind)
        findings.check("bodies", reply.status == 415, f"{kind}: {reply}")
