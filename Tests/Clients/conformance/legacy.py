"""The revisions with a handshake: 2024-11-05 to 2025-11-25."""

import json

from .peer import CLIENT, eventually, text_of
from .wire import HANDSHAKES, MODERN

LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]


async def handshake(checks, target):
    async with target.open(checks.revision) as peer:
        result = peer.opening.result or {}
        checks.must("initialize answers with the revision that was asked for",
                    result.get("protocolVersion") == checks.revision, peer.opening)
        info = result.get("serverInfo") or {}
        checks.must("initialize says who the server is", bool(info.get("name") and info.get("version")), peer.opening)
        can = result.get("capabilities") or {}
        for name in ("tools", "resources", "prompts", "logging"):
            checks.must(f"the capability {name} is declared", isinstance(can.get(name), dict), can)
        if checks.revision >= "2025-03-26":
            checks.must("the capability completions is declared", isinstance(can.get("completions"), dict), can)
        checks.must("watching resources is declared", can.get("resources", {}).get("subscribe") is True, can)
        for name in ("tools", "prompts", "resources"):
            checks.must(f"changes of the list of {name} are declared", can.get(name, {}).get("listChanged") is True, can)
        checks.ours("tasks, which we don't have, are not declared", "tasks" not in can, can)
        reply = await peer.send("ping")
        checks.must("ping gives an empty object", reply.result == {}, reply)
        reply = await peer.send("ping", {"_meta": {"anything": 1}})
        checks.must("ping may carry _meta", reply.result == {}, reply)
        reply = await peer.notify("notifications/nothing/known", {"a": 1})
        checks.must("an unknown notification is ignored", reply.status in (None, 202) and not reply.text, reply)
        reply = await peer.notify("notifications/roots/list_changed")
        checks.must("a changed list of roots is taken note of", reply.status in (None, 202), reply)
        reply = await peer.send("server/discover")
        checks.must("server/discover without _meta is not of this revision", reply.code in (-32601, -32602), reply)
        params = {"name": "test_simple_text", "arguments": {}, "task": {"ttl": 1000}}
        reply = await peer.send("tools/call", params)
        checks.must("a stray task member is ignored", text_of(reply).startswith("This is a simple"), reply)
        reply = await peer.send("tasks/list")
        checks.must("tasks/list, which is not declared, is -32601", reply.code == -32601, reply)


async def unknown_abilities(checks, target):
    """What a client says of itself that the server does not know."""
    async with target.open(checks.revision, abilities={"sampling": {"more": {}}, "future": {"a": 1}, "experimental": {"x": {}}}) as peer:
        checks.must("abilities that are unknown are ignored", (peer.opening.result or {}).get("protocolVersion") == checks.revision,
                    peer.opening)
        reply = await peer.send("tools/list")
        checks.must("the session of such a client works", reply.result is not None, reply)


async def second_handshake(checks, target):
    async with target.open(checks.revision) as peer:
        params = {"protocolVersion": checks.revision, "capabilities": {}, "clientInfo": CLIENT}
        reply = await peer.send("initialize", params)
        checks.ours("a second initialize is answered, one way or the other", reply.response is not None, reply)
        reply = await peer.send("ping")
        checks.ours("the session goes on after a second initialize", reply.result == {}, reply)


async def negotiation(checks, target):
    """Whatever is asked for, the answer is a revision that there is."""
    for wanted in ("1999-01-01", "2099-12-31", MODERN, "garbage", ""):
        async with target.open("2025-11-25") as peer:
            params = {"protocolVersion": wanted, "capabilities": {}, "clientInfo": CLIENT}
            options = {"headers": {"Mcp-Session-Id": None, "MCP-Protocol-Version": None}} if peer.transport == "http" else {}
            reply = await peer.send("initialize", params, **options)
            found = (reply.result or {}).get("protocolVersion")
            checks.must(f"asked for {wanted!r}, the server offers another revision", found in HANDSHAKES, reply)
            checks.should(f"asked for {wanted!r}, it offers the newest with a handshake", found == "2025-11-25", reply)
    for what, params in {"no revision": {"capabilities": {}, "clientInfo": CLIENT}, "no parameters": None,
                         "a number as revision": {"protocolVersion": 1, "capabilities": {}, "clientInfo": CLIENT}}.items():
        async with target.open("2025-11-25") as peer:
            options = {"headers": {"Mcp-Session-Id": None, "MCP-Protocol-Version": None}} if peer.transport == "http" else {}
            reply = await peer.send("initialize", params, **options)
            checks.must(f"initialize with {what} is -32602", reply.code == -32602, reply)


async def logging(checks, target):
    async with target.open(checks.revision) as peer:
        reply = await peer.send("logging/setLevel", {"level": "info"})
        checks.must("logging/setLevel gives an empty object", reply.result == {}, reply)
        reply = await peer.call("test_tool_with_logging", {})
        notes = [note["params"] for note in reply.notifications("notifications/message")]
        checks.must("a tool's three lines are logged", [note.get("data") for note in notes] == [
            "Tool execution started", "Tool processing data", "Tool execution completed"], reply)
        checks.must("lines are logged at their level", all(note["level"] == "info" for note in notes), notes)
        for level in ("debug", "warning", "emergency"):
            await peer.send("logging/setLevel", {"level": level})
            reply = await peer.call("test_logging_tool", {})
            found = [note["params"]["level"] for note in reply.notifications("notifications/message")]
            checks.must(f"at {level} only what matters as much is logged", found == LEVELS[LEVELS.index(level):], found)
        for what, params in {"an unknown level": {"level": "loud"}, "no level": {}, "a number as level": {"level": 3}}.items():
            reply = await peer.send("logging/setLevel", params)
            checks.must(f"logging/setLevel with {what} is -32602", reply.code == -32602, reply)


async def undeclared(checks, target):
    """A client that declares nothing is asked for nothing."""
    async with target.open(checks.revision, abilities={}) as peer:
        for tool, arguments in (("test_sampling", {"prompt": "x"}), ("test_elicitation", {"message": "x"}),
                                ("test_input_required_result_list_roots", {}), ("test_missing_capability", {})):
            reply = await peer.call(tool, arguments)
            checks.must(f"{tool} fails where it is not declared", reply.is_failed_tool or reply.error is not None, reply)
        reply = await peer.call("test_input_required_result_capabilities", {})
        checks.must("a tool that asks only what it may asks nothing", reply.result and not reply.is_failed_tool, reply)
        checks.must("a client that declares nothing is asked nothing", not peer.asked, peer.asked)
    async with target.open(checks.revision, abilities={"sampling": {}}) as peer:
        reply = await peer.call("test_input_required_result_capabilities", {})
        methods = {asked["method"] for asked in peer.asked}
        checks.must("only what is declared is asked", methods == {"sampling/createMessage"}
                    and "sample_input" in text_of(reply), peer.asked)


async def changes(checks, target):
    """Lists that change, and resources that are watched."""
    async with target.open(checks.revision) as peer:
        watch = await peer.watch()
        checks.must("changes can be listened to", watch.status in (None, 200), watch.status)
        for trigger, method, list_method, member, name in (
                ("tool_change", "tools", "tools/list", "tools", "test_dynamic_tool"),
                ("prompt_change", "prompts", "prompts/list", "prompts", "test_dynamic_prompt"),
                ("resource_list_change", "resources", "resources/list", "resources", "dynamic-resource")):
            shown = [name in [one["name"] for one in (await peer.send(list_method)).result[member]]]
            for _ in range(2):
                await peer.call(f"test_trigger_{trigger}", {})
                note = await watch.next()
                checks.must(f"a change of the list of {method} is told", note is not None
                            and note.get("method") == f"notifications/{method}/list_changed", note)
                shown.append(name in [one["name"] for one in (await peer.send(list_method)).result[member]])
            checks.must(f"the list of {method} has changed, and changed back", shown[0] != shown[1] == (not shown[2]), shown)
        watched = {"uri": "test://watched-resource"}
        reply = await peer.send("resources/subscribe", watched)
        checks.must("resources/subscribe gives an empty object", reply.result == {}, reply)
        await peer.call("test_trigger_resource_change", {})
        note = await watch.next()
        checks.must("a change of a watched resource is told", note is not None and note["method"]
                    == "notifications/resources/updated" and note["params"].get("uri") == watched["uri"], note)
        reply = await peer.send("resources/unsubscribe", watched)
        checks.must("resources/unsubscribe gives an empty object", reply.result == {}, reply)
        await peer.call("test_trigger_resource_change", {})
        await peer.call("test_trigger_prompt_change", {})
        note = await watch.next()
        checks.must("nothing is told of what is no longer watched", note is not None and note["method"]
                    == "notifications/prompts/list_changed", note)
        await peer.call("test_trigger_prompt_change", {})
        reply = await peer.send("resources/unsubscribe", watched)
        checks.should("unsubscribing twice is harmless", reply.result == {}, reply)
        reply = await peer.send("resources/subscribe", {"uri": "test://nothing"})
        checks.should("a missing resource cannot be watched", reply.error is not None, reply)
        reply = await peer.send("resources/subscribe", {})
        checks.must("resources/subscribe without uri is -32602", reply.code == -32602, reply)


async def batches(checks, target):
    """Arrays of messages: of 2025-03-26 alone."""
    async with target.open(checks.revision) as peer:
        first, second = peer.request("ping"), peer.request("tools/list")
        batch = [first, {"jsonrpc": "2.0", "method": "notifications/nothing"}, second]
        if checks.revision == "2025-03-26":
            answers = await send_batch(peer, batch)
            found = {one["id"] for one in answers if "result" in one}
            checks.must("a batch is answered, each request once", found == {first["id"], second["id"]} and len(answers) == 2,
                        answers)
            answers = await send_batch(peer, [peer.request("ping"), 1, peer.request("no/such")])
            codes = sorted(one.get("error", {}).get("code", 0) for one in answers)
            checks.must("what is wrong in a batch is answered beside the rest", codes == [-32601, -32600, 0], answers)
            answers = await send_batch(peer, [])
            checks.must("an empty batch is -32600", [one.get("error", {}).get("code") for one in answers] == [-32600], answers)
        elif checks.revision >= "2025-06-18":
            answers = await send_batch(peer, batch)
            codes = [one.get("error", {}).get("code") for one in answers]
            checks.must("a batch, which this revision has no more, is -32600", codes == [-32600], answers)
        reply = await peer.send("ping")
        checks.must("the session goes on after a batch", reply.result == {}, reply)


async def send_batch(peer, batch):
    """All answers to a batch, however they come."""
    if peer.transport == "http":
        reply = await peer.read(await peer.post(batch), None)
        if reply.is_stream:
            return [message for message in reply.before + reply.after if "method" not in message]
        return reply.response if isinstance(reply.response, list) else [reply.response]
    ids = [one["id"] for one in batch if isinstance(one, dict) and "id" in one]
    strays, seen = len(peer.strays), len(peer.wire.violations)
    await peer.write_line(json.dumps(batch).encode())

    async def complete():
        found = peer.strays[strays:]
        return len(found) >= max(1, len(ids)) and {one.get("id") for one in found} >= set(ids)

    await eventually(complete)
    # One round more, so that what is too many would have come.
    await peer.send("ping")
    del peer.wire.violations[seen:]
    return peer.strays[strays:]


ALL = [handshake, unknown_abilities, second_handshake, logging, undeclared, changes, batches]
