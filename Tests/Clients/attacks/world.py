"""Tenants of the same shape, each with a word of its own in everything that it holds.

Needs a server with REGISTRATION=open and TRUSTED_PROXIES=127.0.0.1/32, so that callers may come from many addresses.
"""

import json
import random
import uuid

from document import made_up

PASSWORD = "correct horse battery staple 7"


def address():
    """A header that makes a request come from an address of its own."""
    return {"X-Forwarded-For": f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"}


# Path parameters that are the same for everybody.
NO_IDENTIFIERS = ("transaction", "tool")


class Tenant:
    """A tenant with an owner, and what the paths of the API document name, by the parameter's name."""

    def __init__(self, server, number):
        self.server, self.word = server, f"zq{uuid.uuid4().hex[:12]}"
        self.email = f"owner-{uuid.uuid4().hex[:10]}@example.org"
        made = server.call(
            "POST",
            "/api/v1/auth/register",
            {"email": self.email, "password": PASSWORD, "name": f"Owner {self.word}"},
            headers=address(),
        )
        assert made.status == 201, f"register: {made}"
        self.access, self.refresh = made.json["accessToken"], made.json["refreshToken"]
        self.ids = {}
        self._fill(number)

    def call(self, method, path, body=None, **rest):
        return self.server.call(method, path, body, token=self.access, **rest)

    def made(self, path, body, status=(200, 201, 202), member="id"):
        reply = self.call("POST", path, body)
        assert reply.status in status, f"POST {path}: {reply}"
        return reply.json.get(member) if member else reply.json

    def _fill(self, number):
        word, ids = self.word, self.ids
        me = self.call("GET", "/api/v1/users/me").json
        ids["userId"], ids["tenantId"] = me["id"], me.get("tenantId") or me["tenant"]["id"]
        fields = [
            {"name": "Name", "type": "singleLineText"},
            {"name": "Secret", "type": "multilineText"},
            {"name": "State", "type": "singleSelect", "options": {"choices": [{"name": "Open"}, {"name": word}]}},
            {"name": "Files", "type": "multipleAttachments"},
        ]
        ids["workspaceId"] = self._first(self.call("GET", "/api/v1/workspaces").json, "id")
        base = self.made(
            "/v0/meta/bases",
            {"name": f"Base {word}", "workspaceId": ids["workspaceId"], "tables": [{"name": "Things", "fields": fields}]},
            member=None,
        )
        table = base["tables"][0]
        ids["baseId"], ids["tableId"] = base["id"], table["id"]
        ids["tableIdOrName"] = table["id"]
        by_name = {field["name"]: field for field in table["fields"]}
        ids["fieldIdOrName"] = by_name["Secret"]["id"]
        ids["choiceId"] = by_name["State"]["options"]["choices"][1]["id"]
        records = self.made(
            f"/v0/{ids['baseId']}/{ids['tableId']}",
            {"records": [{"fields": {"Name": f"{word} {n}", "Secret": f"the secret of {word}"}} for n in range(5)]},
            member="records",
        )
        ids["recordId"] = records[0]["id"]
        views = self.call("GET", f"/v0/meta/bases/{ids['baseId']}/views").json["views"]
        ids["viewId"] = views[0]["id"]
        ids["commentId"] = self.made(
            f"/v0/{ids['baseId']}/{ids['tableId']}/{ids['recordId']}/comments", {"text": f"comment {word}"}
        )
        ids["webhookId"] = self.made(
            f"/v0/bases/{ids['baseId']}/webhooks", {"specification": {"options": {"filters": {"dataTypes": ["tableData"]}}}}
        )
        ids["conversationId"] = self.made("/api/v1/chat/conversations", {"title": f"chat {word}"})
        history = self.call("GET", f"/api/v1/airtable/bases/{ids['baseId']}/history").json
        ids["tool"] = "list_bases"
        ids["transaction"] = str(self._first(history, "transaction"))
        ids["jobId"] = self.made("/api/v1/embedding-jobs", {"base": ids["baseId"]})
        sent = self.made(
            f"/api/v1/chat/conversations/{ids['conversationId']}/messages", {"content": f"what is {word}?"}, member=None
        )
        ids["runId"] = sent["run"]["id"] if "run" in sent else sent["runId"]
        ids["sessionId"] = self._first(self.call("GET", "/api/v1/users/me/sessions").json, "id")
        self._fill_later(ids)

    def _fill_later(self, ids):
        """What routes of permission and administration name."""
        grant = {
            "subject": {"user": ids["userId"]}, "effect": "allow", "role": "viewer",
            "resource": {"base": ids["baseId"]},
        }
        for name, path, body in [
            ("keyId", "/api/v1/api-keys", {"name": f"key {self.word}", "scopes": ["records:read"]}),
            ("grantId", "/api/v1/permissions/grants", grant),
            ("roleId", "/api/v1/permissions/roles", {"name": f"role {self.word}", "permissions": ["records:read"]}),
            ("groupId", "/api/v1/permissions/groups", {"name": f"group {self.word}"}),
        ]:
            reply = self.call("POST", path, body)
            assert reply.status in (200, 201), f"POST {path}: {reply}"
            ids[name] = self._first(reply.json, "id")
        invited = {"email": f"{self.word}@invited.example.com", "role": "guest"}
        ids["inviteId"] = self.made("/api/v1/invites", invited, member="invite")["id"]

    @staticmethod
    def _first(value, member):
        """The first value of a member of that name, wherever it stands."""
        if isinstance(value, dict):
            if member in value:
                return value[member]
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                found = Tenant._first(each, member)
                if found is not None:
                    return found
        return None

    @property
    def kinds(self):
        """Its identifiers by their first three letters."""
        return {value[:3]: value for name, value in self.ids.items() if name not in NO_IDENTIFIERS}

    def shows(self, text):
        """What of this tenant can be seen in `text`."""
        if self.word in text:
            return self.word
        return next((value for name, value in self.ids.items() if name not in NO_IDENTIFIERS and value in text), None)


def missing(ids):
    """Identifiers of the same forms that name nothing."""
    words = {"transaction": "999999999", "tool": "no_such_tool"}
    return {name: words[name] if name in words else made_up(value) for name, value in ids.items()}


def normal(reply, ids):
    """A reply's status and body without what may differ: the request's name, its path, the identifiers asked for."""
    content = reply.json
    if isinstance(content, dict):
        for member in ("requestId", "instance"):
            content.pop(member, None)
        text = json.dumps(content, sort_keys=True)
    else:
        text = reply.text
    for name, value in ids.items():
        text = text.replace(value, f"<{name}>")
    return reply.status, reply.header("Content-Type"), text
