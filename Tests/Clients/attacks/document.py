"""The API document as a list of operations, and requests made from its examples."""

import json
import random
import re
import string
from urllib.parse import quote, urlencode

IDENTIFIER = re.compile(r"\b(ten|wsp|usr|key|app|tbl|fld|rec|sel|att|viw|com|cnv|msg|run|job|ach|acc|ses|grt|rol|ugp|inv|aud)[A-Za-z0-9]{14}\b")


class Operation:
    def __init__(self, method, path, members):
        self.method, self.path, self.members = method.upper(), path, members
        self.name = members["operationId"]
        self.parameters = members.get("parameters", [])
        self.path_names = [each["name"] for each in self.parameters if each["in"] == "path"]
        self.query_names = [each["name"] for each in self.parameters if each["in"] == "query"]
        self.is_open = not members.get("security")
        self.content = members.get("requestBody", {}).get("content", {})

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def example(self):
        """The example of the JSON body; None when it takes none."""
        return self.content.get("application/json", {}).get("example")

    def target(self, ids, query=None):
        """The path with these identifiers, and a query."""
        path = re.sub(r"\{(\w+)\}", lambda match: quote(str(ids[match[1]]), safe=""), self.path)
        return path + ("?" + urlencode(query) if query else "")

    def body(self, replacing):
        """Its body as bytes, and the content type; the example's identifiers are replaced by those of `replacing`, by kind."""
        if self.example is not None:
            text = json.dumps(self.example)
            text = IDENTIFIER.sub(lambda match: replacing.get(match[1], match[0]), text)
            return text.encode(), "application/json"
        for kind in self.content:
            return b"Name\nA row\n", kind
        return None, None

    @property
    def names_others(self):
        """Whether its body's example holds identifiers."""
        return self.example is not None and bool(IDENTIFIER.search(json.dumps(self.example)))


def operations(server):
    document = server.call("GET", "/openapi.json").json
    return [
        Operation(method, path, members)
        for path, item in document["paths"].items()
        for method, members in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def made_up(identifier):
    """An identifier of the same kind that names nothing."""
    letters = string.ascii_letters + string.digits
    return identifier[:3] + "".join(random.choice(letters) for _ in range(14))
