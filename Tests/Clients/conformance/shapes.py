"""Every parameter of every method, missing and of every wrong kind: what the SDK's generated types do not take is -32602."""

import copy

from mcp_types.methods import CLIENT_REQUESTS
from pydantic import ValidationError

from .peer import CLIENT, K

#: By method, parameters that are right. A second form of a method stands after `#`.
RIGHT = {
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
                            "argument": {"name": "arg1", "value": ""}, "context": {"arguments": {"arg2": "b"}}},
    "completion/complete#resource": {"ref": {"type": "ref/resource", "uri": "test://template/{id}/data"},
                                     "argument": {"name": "id", "value": "1"}},
    "logging/setLevel": {"level": "info"},
    "ping": {},
    "prompts/get": {"name": "test_prompt_with_arguments", "arguments": {"arg1": "a", "arg2": "b"}},
    "prompts/list": {"cursor": "x"},
    "resources/list": {"cursor": "x"},
    "resources/read": {"uri": "test://static-text"},
    "resources/subscribe": {"uri": "test://watched-resource"},
    "resources/templates/list": {"cursor": "x"},
    "resources/unsubscribe": {"uri": "test://watched-resource"},
    "server/discover": {},
    "subscriptions/listen": {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["test://watched-resource"]}},
    "tools/call": {"name": "test_simple_text", "arguments": {}},
    "tools/list": {"cursor": "x"},
}
WRONG = [5, 1.5, "x", True, [], [1], {}, {"a": 1}]


def places(value, path=()):
    """Where the members of `value` stand, however deep."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        yield from places(member, (*path, key))


def changed(value, path, *replacement):
    """A copy of `value` with another member, or without it."""
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    if replacement:
        inner[path[-1]] = replacement[0]
    else:
        del inner[path[-1]]
    return value


def is_right(method, revision, params):
    try:
        message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        CLIENT_REQUESTS[method, revision].model_validate(message, by_name=False, strict=True)
    except ValidationError:
        return False
    return True


async def parameters(checks, target):
    async with target.open(checks.revision) as peer:
        for form, params in RIGHT.items():
            method = form.partition("#")[0]
            if (method, checks.revision) not in CLIENT_REQUESTS:
                continue
            own = {"progressToken": "t", **({K + "logLevel": "info"} if peer.is_modern else {})}
            params = {**params, "_meta": {**(peer.meta() if peer.is_modern else {}), **own}}
            for path in places(params):
                name = ".".join(map(str, path)).replace(K, "")
                # What says of which era a request is has its own checks; without it the request is of another one.
                if peer.is_modern and path in (("_meta",), ("_meta", K + "protocolVersion")):
                    continue
                cases = [changed(params, path), *(changed(params, path, value) for value in WRONG)]
                wrong = [case for case in cases if not is_right(method, checks.revision, case)]
                odd = []
                for case in wrong:
                    reply = await (await peer.start({**peer.request(method), "params": case})).reply
                    status = (None, 400) if peer.is_modern else (None, 200)
                    if reply.code != -32602 or reply.status not in status:
                        odd.append((case, str(reply)))
                if wrong:
                    checks.must(f"{form}: {name} that is not as the schema has it is -32602", not odd, odd[:2])
        reply = await peer.send("tools/list")
        checks.must("after all of that the peer is served", reply.result is not None, reply)


async def introductions(checks, target):
    """What a client says of itself in its handshake."""
    whole = {"protocolVersion": checks.revision, "capabilities": {"roots": {}, "sampling": {}, "elicitation": {}}, "clientInfo": CLIENT}
    async with target.open(checks.revision) as peer:
        options = {"headers": {"Mcp-Session-Id": None, "MCP-Protocol-Version": None}} if peer.transport == "http" else {}
        for path in places(whole):
            wrong = [case for case in (changed(whole, path), *(changed(whole, path, value) for value in WRONG))
                     if not is_right("initialize", checks.revision, case)]
            odd = []
            for case in wrong:
                reply = await peer.send("initialize", case, **options)
                if reply.code != -32602 or reply.headers.get("mcp-session-id"):
                    odd.append((case, str(reply)))
            if wrong:
                checks.must(f"initialize: {'.'.join(path)} that is not as the schema has it is -32602", not odd, odd[:2])


HANDSHAKE = [parameters, introductions]
NEWEST = [parameters]
