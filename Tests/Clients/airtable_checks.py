"""What the programs that talk to our `/v0` by pyairtable share."""

import json

import requests

CHECKS = 0


class Surprise(Exception):
    """Something is not as the program expects it."""


def check(condition, message):
    global CHECKS
    CHECKS += 1
    if not condition:
        raise Surprise(message)


def same(actual, expected, what):
    check(actual == expected, f"{what}: {actual!r}, expected {expected!r}")


def emit(event, **members):
    print(json.dumps({"event": event, **members}, ensure_ascii=False), flush=True)


def refused(call, status, error, what):
    """`call` is refused with this status, and with this type of error (a text for the bare shape)."""
    try:
        call()
    except requests.HTTPError as failure:
        response = failure.response
        same(response.status_code, status, f"status of {what} ({response.text})")
        check(response.headers["Content-Type"].startswith("application/json"), f"{what} is not JSON")
        body = response.json()
        same(list(body), ["error"], f"members of the error of {what}")
        given = body["error"]
        same(given if isinstance(given, str) else given["type"], error, f"error of {what}")
        # What a developer sees.
        check(error in repr(failure), f"the error of {what} does not show {error}")
        return None if isinstance(given, str) else given["message"]
    raise Surprise(f"{what} was not refused")


def done(least):
    """The last line; fewer checks than `least` are a mistake of the program."""
    emit("done", checks=CHECKS)
    check(CHECKS >= least, f"only {CHECKS} checks")
