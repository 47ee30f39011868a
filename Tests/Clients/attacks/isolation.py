"""Every route, asked by one tenant for what another one has: the answer is that of a thing which does not exist."""

import itertools
import statistics

from world import missing, normal

# Numbers that each tenant counts for itself, and names that all have: another's is one's own, or nothing.
OWN_NUMBERS = {"transaction", "tool"}
# Routes whose path names nobody else's: the caller's own account. Calling them would end the attacker's session.
OWN = {"logout", "logoutEverywhere", "logoutAll", "deleteMe", "changePassword", "setPassword", "refresh", "endSession"}


def attack(world, findings):
    for attacker, victim in itertools.permutations(world.tenants[:3], 2):
        for operation in world.operations:
            if operation.is_open or operation.name in OWN:
                continue
            if operation.path_names and not OWN_NUMBERS & set(operation.path_names):
                _by_path(operation, attacker, victim, findings)
            if operation.names_others:
                _by_body(operation, attacker, victim, findings)
            if operation.method == "GET" and not operation.path_names and "text/event-stream" not in str(operation.members["responses"]):
                _by_list(operation, attacker, victim, findings)


def _send(operation, attacker, path_ids, body_ids):
    body, kind = operation.body(body_ids)
    headers = {"Accept": "application/json, text/event-stream"} if operation.path == "/mcp" else {}
    return attacker.call(operation.method, operation.target(path_ids), body, content_type=kind, headers=headers)


def _by_path(operation, attacker, victim, findings):
    unknown = [name for name in operation.path_names if name not in victim.ids]
    if not findings.check("isolation", not unknown, f"{operation}: no identifier for {unknown}; add one to world.py"):
        return
    # All that the path names is the victim's, or only the last part of it.
    mixtures = [dict(victim.ids)]
    # A field is a part of a table that one sees: naming none of it is a mistake in what is asked.
    if len(operation.path_names) > 1 and operation.path_names[-1] != "fieldIdOrName":
        last = operation.path_names[-1]
        mixtures.append({**attacker.ids, last: victim.ids[last]})
    for asked in mixtures:
        nowhere = missing(victim.ids)
        absent = {name: nowhere[name] if asked[name] == victim.ids[name] else asked[name] for name in asked}
        body_ids = attacker.kinds
        real, none = (_send(operation, attacker, ids, body_ids) for ids in (asked, absent))
        findings.check("isolation", real.status in (403, 404), f"{operation}: {real.status} for another tenant's: {real}")
        same = normal(real, asked) == normal(none, absent)
        findings.check("isolation", same, f"{operation}: {real} for another tenant's, {none} for what is missing")
        shown = victim.shows(_without(real.text, asked))
        findings.check("isolation", shown is None, f"{operation}: shows {shown}: {real}")


def _by_body(operation, attacker, victim, findings):
    path_ids = attacker.ids
    if any(name not in path_ids for name in operation.path_names):
        return
    absent = {kind: value for kind, value in zip(victim.kinds, missing(victim.kinds).values())}
    real, none = (_send(operation, attacker, path_ids, ids) for ids in (victim.kinds, absent))
    findings.check("isolation by body", real.status == none.status, f"{operation}: {real} for another tenant's, {none} for what is missing")
    shown = victim.shows(_without(real.text, victim.kinds))
    findings.check("isolation by body", shown is None, f"{operation}: shows {shown}: {real}")


def _by_list(operation, attacker, victim, findings):
    reply = attacker.call("GET", operation.path)
    shown = victim.shows(reply.text)
    findings.check("isolation of lists", shown is None, f"{operation}: shows {shown}")


def _without(text, ids):
    """The text without what was asked for, which a problem's `instance` may say again."""
    for value in ids.values():
        text = text.replace(value, "")
    return text


def timing(world, findings, rounds=150):
    """Whether a thing of another tenant takes another time than one that is missing. Only on a machine that is quiet."""
    attacker, victim = world.tenants[:2]
    for operation in world.operations:
        if operation.is_open or operation.method != "GET" or not operation.path_names or operation.path == "/mcp":
            continue
        if any(name not in victim.ids for name in operation.path_names):
            continue
        times = {True: [], False: []}
        for turn in range(rounds * 2):
            is_real = turn % 2 == 0
            ids = victim.ids if is_real else missing(victim.ids)
            times[is_real].append(_send(operation, attacker, ids, attacker.kinds).seconds)
        real, none = (statistics.median(times[key]) for key in (True, False))
        near = abs(real - none) < max(0.000_3, 0.15 * none)
        findings.check("isolation by time", near, f"{operation}: {real * 1e6:.0f} us, {none * 1e6:.0f} us when missing")
