"""Members that nobody may set, and rights that nobody may give themselves."""

from world import PASSWORD, address

FORBIDDEN = {
    "role": "owner", "tenantId": "tenAAAAAAAAAAAAAA", "tenant": "tenAAAAAAAAAAAAAA", "id": "usrAAAAAAAAAAAAAA", "createdAt": "2001-01-01T00:00:00Z",
    "createdTime": "2001-01-01T00:00:00Z", "emailVerified": True, "isAdmin": True, "admin": True, "balance": 1_000_000,
    "permissions": ["admin"], "isDisabled": False, "passwordHash": "$argon2id$x", "account": "accAAAAAAAAAAAAAA", "owner": "usrAAAAAAAAAAAAAA",
}


def attack(world, findings):
    tenant = world.tenants[0]
    before = tenant.call("GET", "/api/v1/users/me").json
    for name, value in FORBIDDEN.items():
        reply = tenant.call("PUT", "/api/v1/users/me", {"name": before["name"], name: value})
        findings.check("mass assignment", reply.status in (200, 400, 422), f"users/me with {name}: {reply}")
        after = tenant.call("GET", "/api/v1/users/me").json
        kept = {key: after.get(key) for key in before if key not in ("updatedTime", "lastSeenTime")}
        findings.check("mass assignment", all(before[key] == kept[key] for key in kept), f"users/me with {name}: {after}")
        email = f"mass-{name.lower()}-{tenant.word}@example.org"
        body = {"email": email, "password": PASSWORD, "name": "Mass", name: value}
        reply = world.server.call("POST", "/api/v1/auth/register", body, headers=address())
        if findings.check("mass assignment", reply.status in (201, 400, 422), f"register with {name}: {reply}") and reply.status == 201:
            me = world.server.call("GET", "/api/v1/users/me", token=reply.json["accessToken"]).json
            same = [key for key in (name,) if me.get(key) == value and key != "role"]
            findings.check("mass assignment", not same, f"register with {name} was heard: {me}")
    for operation in world.operations:
        if operation.example is None or not isinstance(operation.example, dict) or operation.method not in ("POST", "PATCH", "PUT"):
            continue
        if not operation.path.startswith("/api/v1/") or operation.name in world.own:
            continue
        if any(name not in tenant.ids for name in operation.path_names):
            continue
        for name in ("tenantId", "isAdmin", "createdTime"):
            if name in operation.example:
                continue
            body = {**operation.example, name: FORBIDDEN[name]}
            reply = tenant.call(operation.method, operation.target(tenant.ids), body)
            told = str(FORBIDDEN[name]) in reply.text or f'"{name}":true' in reply.text
            # Airtable's own bodies may have members that nobody reads.
            may_ignore = operation.path.startswith("/api/v1/airtable/")
            held = reply.status < 500 and not told if may_ignore else 400 <= reply.status < 500
            findings.check("mass assignment", held, f"{operation} with {name}: {reply}")
