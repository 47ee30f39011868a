"""Holds every message that the server writes against the schema of its revision, as the official SDK generated it."""

import functools
import json

from mcp_types import _v2025_11_25 as handshake_types
from mcp_types import _v2026_07_28 as modern_types
from mcp_types.methods import SERVER_NOTIFICATIONS, SERVER_REQUESTS, SERVER_RESULTS
from pydantic import TypeAdapter, ValidationError

MODERN = "2026-07-28"
HANDSHAKES = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]

_MODERN_ERRORS = {-32020: modern_types.HeaderMismatchError, -32021: modern_types.MissingRequiredClientCapabilityError,
                  -32022: modern_types.UnsupportedProtocolVersionError}


@functools.cache
def _adapter(kind):
    return TypeAdapter(kind)


class Wire:
    """The messages of one peer: how many there were, and what was wrong with them."""

    def __init__(self, revision):
        self.revision = revision
        self.count = 0
        self.violations = []
        self.codes = set()

    def read(self, message, method=None):
        """- method: of the request that `message` answers."""
        self.count += 1
        try:
            problem = self._problem(message, method)
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{error.title}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        if problem:
            self.violations.append(f"{problem} in {json.dumps(message, ensure_ascii=False)[:300]}")

    def _problem(self, message, method):
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return "no JSON-RPC 2.0 message"
        has_id = "id" in message
        if has_id and (isinstance(message["id"], bool) or not isinstance(message["id"], (str, int, type(None)))):
            return "an id that is neither text nor a whole number"
        kinds = [kind for kind in ("method", "result", "error") if kind in message]
        if len(kinds) != 1:
            return f"members {kinds}, exactly one is right"
        if kinds == ["method"]:
            table = SERVER_REQUESTS if has_id else SERVER_NOTIFICATIONS
            kind = table.get((message["method"], self.revision))
            if kind is None:
                return f"a {'request' if has_id else 'notification'} that {self.revision} does not have"
            self._validate(kind, message)
        elif kinds == ["result"]:
            if not has_id or message["id"] is None:
                return "a result without id"
            if not isinstance(message["result"], dict):
                return "a result that is no object"
            # What is not there is left out; the generated types would take null as well.
            if empty := [name for name, value in message["result"].items() if value is None and name != "structuredContent"]:
                return f"a result with null as {empty}"
            kind = SERVER_RESULTS.get((method, self.revision))
            if kind is not None:
                self._validate(kind, message["result"])
        else:
            self._read_error(message)
        return None

    def _read_error(self, message):
        types = modern_types if self.revision == MODERN else handshake_types
        code = message["error"].get("code") if isinstance(message["error"], dict) else None
        if isinstance(code, int):
            self.codes.add(code)
        if isinstance(message["error"], dict) and not message["error"].get("message"):
            self.violations.append(f"an error that says nothing: {message}")
        kind = types.JSONRPCErrorResponse
        if self.revision == MODERN:
            kind = _MODERN_ERRORS.get(code, kind)
        # JSON-RPC wants `id: null` where the request's could not be read; the schema only leaves it out.
        self._validate(kind, {key: value for key, value in message.items() if key != "id" or value is not None})

    def _validate(self, kind, value):
        # Strict, and as JSON: nothing is turned into what the schema would have liked.
        _adapter(kind).validate_json(json.dumps(value), strict=True)
