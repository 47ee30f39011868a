"""Refresh tokens used twice, at once and after the end; and what sign-in and sign-up give away."""

import statistics
import threading
import uuid

from world import PASSWORD, Tenant, address

LOGIN = "/api/v1/auth/login"


def attack(world, findings):
    _race(world, findings)
    _reuse(world, findings)
    _ends(world, findings)
    _enumeration(world, findings)
    _guessing(world, findings)


def _refresh(server, token):
    return server.call("POST", "/api/v1/auth/refresh", {"refreshToken": token}, headers=address())


def _login(server, email, password=PASSWORD, headers=None):
    return server.call("POST", LOGIN, {"email": email, "password": password}, headers=headers or address())


def _race(world, findings):
    for _ in range(5):
        token = _login(world.server, world.tenants[0].email).json["refreshToken"]
        replies, barrier = [], threading.Barrier(20)

        def once(token=token, replies=replies, barrier=barrier):
            server = world.server.another()
            barrier.wait()
            replies.append(_refresh(server, token))

        threads = [threading.Thread(target=once) for _ in range(20)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        good = {reply.json["refreshToken"] for reply in replies if reply.status == 200}
        findings.check("refresh", len(good) <= 1, f"{len(good)} pairs from one refresh token")
        findings.check("refresh", all(reply.status in (200, 400, 401) for reply in replies), f"{[r.status for r in replies]}")
        # Whatever was given out: used as often as it was asked for, at most one of them still opens anything.
        alive = [each for each in good if _refresh(world.server, each).status == 200]
        findings.check("refresh", len(alive) <= 1, f"{len(alive)} of them go on")


def _reuse(world, findings):
    first = _login(world.server, world.tenants[0].email).json
    second = _refresh(world.server, first["refreshToken"]).json
    third = _refresh(world.server, second["refreshToken"]).json
    stolen = _refresh(world.server, first["refreshToken"])
    findings.check("refresh", stolen.status in (400, 401), f"an old refresh token: {stolen}")
    after = _refresh(world.server, third["refreshToken"])
    findings.check("refresh", after.status in (400, 401), f"the family lives after reuse: {after}")
    me = world.server.call("GET", "/api/v1/users/me", token=third["accessToken"])
    findings.check("refresh", me.status == 401, f"its access token lives after reuse: {me}")
    for odd in ("", "x", first["accessToken"], "a" * 100_000, first["refreshToken"] + "x", first["refreshToken"][:-1]):
        reply = _refresh(world.server, odd)
        findings.check("refresh", reply.status in (400, 401, 413, 422), f"{odd[:20]!r}: {reply}")


def _ends(world, findings):
    pair = _login(world.server, world.tenants[1].email).json
    out = world.server.call("POST", "/api/v1/auth/logout", {"refreshToken": pair["refreshToken"]}, token=pair["accessToken"])
    findings.check("logout", out.status in (200, 204), f"logout: {out}")
    findings.check("logout", world.server.call("GET", "/api/v1/users/me", token=pair["accessToken"]).status == 401, "the access token lives")
    findings.check("logout", _refresh(world.server, pair["refreshToken"]).status in (400, 401), "the refresh token lives")
    person = Tenant(world.server, 0)
    others = [_login(world.server, person.email).json for _ in range(3)]
    changed = person.call("PUT", "/api/v1/users/me/password", {"currentPassword": PASSWORD, "newPassword": "another fine pass phrase 8"})
    findings.check("logout", changed.status in (200, 204), f"password change: {changed}")
    for pair in others:
        me = world.server.call("GET", "/api/v1/users/me", token=pair["accessToken"])
        findings.check("logout", me.status == 401, f"another session lives after a change of the password: {me}")
        findings.check("logout", _refresh(world.server, pair["refreshToken"]).status in (400, 401), "so does its refresh token")
    wrong = person.call("PUT", "/api/v1/users/me/password", {"currentPassword": PASSWORD, "newPassword": "yet another phrase 9"})
    findings.check("logout", wrong.status in (400, 401, 403, 422), f"a change with the old password: {wrong}")


def _told(reply):
    content = dict(reply.json or {})
    content.pop("requestId", None)
    return reply.status, content


def _enumeration(world, findings):
    known = world.tenants[2].email
    times = {True: [], False: []}
    for turn in range(12):
        email = known if turn % 2 else f"nobody-{uuid.uuid4().hex}@example.org"
        reply = _login(world.server, email, "a wrong pass phrase 1")
        times[bool(turn % 2)].append(reply.seconds)
        if turn < 6:
            first = _told(reply) if turn == 0 else first
            findings.check("enumeration", reply.status == 401 and _told(reply) == first, f"{email}: {reply}")
        # So that the lock of too many failures, which is right, does not hide what is looked for.
        if turn % 6 == 5:
            known = world.tenants[2 - turn % 2].email
    if world.is_long:
        real, none = (statistics.median(times[key]) for key in (True, False))
        findings.check("enumeration", abs(real - none) < max(0.1 * none, 0.005), f"{real:.4f} s, {none:.4f} s when unknown")
    for path in ("/api/v1/auth/password/forgot",):
        replies = [
            _told(world.server.call("POST", path, {"email": email}, headers=address()))
            for email in (world.tenants[0].email, f"nobody-{uuid.uuid4().hex}@example.org")
        ]
        findings.check("enumeration", replies[0] == replies[1] and replies[0][0] == 202, f"{path}: {replies}")


def _guessing(world, findings):
    person = Tenant(world.server, 0)
    mine = address()
    assert _login(world.server, person.email, headers=mine).status == 200
    replies = [_login(world.server, person.email, f"a wrong pass phrase {n}") for n in range(14)]
    slowed = [reply for reply in replies if reply.status == 429]
    findings.check("guessing", len(slowed) >= 3, f"14 guesses: {[reply.status for reply in replies]}")
    findings.check("guessing", all(reply.header("Retry-After") for reply in slowed), "429 without Retry-After")
    findings.check("guessing", _login(world.server, person.email, headers=mine).status == 200, "the owner is locked out from where they signed in")
    one = address()
    replies = [_login(world.server, f"nobody-{n}-{uuid.uuid4().hex}@example.org", "a wrong pass phrase 1", headers=one) for n in range(60)]
    findings.check("guessing", replies[-1].status == 429, f"60 addresses from one place: {replies[-1]}")
