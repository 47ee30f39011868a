"""Strings that other programs would take for something else, in every parameter and every member of every body."""

import copy
import re

PAYLOADS = [
    "' OR '1'='1", "'; DROP TABLE records; --", "\" OR \"\"=\"", "1 UNION SELECT digest FROM access_keys", "%", "_", "\\",
    "*", "NEAR(a b)", "\"unbalanced", "a AND", "../../../../etc/passwd", "..\\..\\windows", "%2e%2e%2f", "\x00", "a\x00b", "\r\nSet-Cookie: x=1",
    "\r\n\r\nHTTP/1.1 200 OK", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}", "$(id)", "`id`", "=1+1", "\u202e\u2066",
    "\U000e0041\U000e0042", "{Name}=1/0", "REGEX_MATCH('aaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '(a+)+$')", "REPT('x', 1000000000)",
    "(" * 5_000, "x" * 20_000, "-1", "1e999", "NaN", "null", "true", "99999999999999999999999", "0x10", "[]", "{}", "ᐃ" * 300,
]
# Traces that a database, a runtime or a file system would leave.
TRACES = re.compile(r"sqlite|postgres|syntax error|SQLSTATE|near \"|no such column|no such table|Fatal error|\.swift|/home/|/work/|/usr/|root:x:", re.I)


def attack(world, findings):
    tenant = world.tenants[3]
    for operation in world.operations:
        if operation.name in world.own or operation.path == "/mcp" and operation.method == "GET":
            continue
        if "text/event-stream" in str(operation.members["responses"]) and operation.method == "GET":
            continue
        for target, body, kind, payload in _requests(operation, tenant):
            reply = tenant.call(operation.method, target, body, content_type=kind)
            _judge(operation, payload, reply, findings)


def _requests(operation, tenant):
    ids = {name: tenant.ids.get(name, "x") for name in operation.path_names}
    body, kind = operation.body(tenant.kinds)
    for payload in PAYLOADS:
        for name in operation.path_names:
            if len(payload) < 6_000:
                yield operation.target({**ids, name: payload}), body, kind, payload
        for name in operation.query_names:
            if len(payload) < 4_000:
                yield operation.target(ids, {name: payload}), body, kind, payload
        # Nothing of the tenant's is deleted or renamed for good by a payload that is taken: the other requests need it.
        if operation.example is not None and operation.method != "DELETE":
            for changed in _changed(operation.example, payload):
                yield operation.target(ids), changed, "application/json", payload


def _changed(example, payload):
    """The example, with each string that it holds in turn replaced."""
    places = list(_strings(example, ()))
    for place in places[:12]:
        changed = copy.deepcopy(example)
        holder = changed
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = payload
        yield changed


def _strings(value, place):
    if isinstance(value, str):
        if place:
            yield place
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, place + (key,))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _strings(each, place + (position,))


def _judge(operation, payload, reply, findings):
    shown = payload[:40].encode("unicode_escape").decode()
    findings.check("injection", reply.status < 500, lambda: f"{operation} with {shown!r}: {reply}")
    findings.check("injection", reply.seconds < 5, lambda: f"{operation} with {shown!r}: {reply.seconds:.1f} s")
    if reply.status >= 400:
        found = TRACES.search(reply.text.replace(payload, ""))
        findings.check("injection", found is None, lambda: f"{operation} with {shown!r} shows {found[0]!r}: {reply}")
    bad = [name for name, value in reply.headers if name.lower() == "set-cookie" or "\n" in value or "\r" in value]
    findings.check("injection", not bad, lambda: f"{operation} with {shown!r}: headers {bad}")
