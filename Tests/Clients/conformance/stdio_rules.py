"""stdio itself: lines, ends, and a process that nothing kills."""

import json

from .peer import eventually


async def lines(checks, target):
    """Lines that are no message, and the process that goes on after each."""
    async with target.open(checks.revision) as peer:
        for what, line, code in (("garbage", b"{not json", -32700), ("half a message", b'{"jsonrpc":"2.0","id":1', -32700),
                                 ("no UTF-8", b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}', -32700),
                                 ("a number", b"5", -32600), ("null", b"null", -32600)):
            reply = await peer.refused(line)
            checks.ours(f"a line of {what} is {code}", reply.code == code, reply)
        reply = await peer.refused(b'{"a":"' + b"x" * (64 * 1_024 * 1_024) + b'"}')
        checks.ours("a line of 64 MB is -32600", reply.code == -32600, reply)
        await peer.write_line(b"")
        await peer.write_line(b"   ")
        message = peer.request("tools/list")
        under_way = await peer.start(message, body=json.dumps(message).encode() + b"\r")
        checks.ours("a line may end with CR LF", (await under_way.reply).result is not None)
        reply = await peer.send_in_pieces(peer.request("tools/list"), 7, 30)
        checks.must("a line may come in pieces", reply.result is not None, reply)
        whole = peer.request("tools/list")
        for what, message in {"no jsonrpc": {key: value for key, value in whole.items() if key != "jsonrpc"},
                              "jsonrpc 1.0": {**whole, "jsonrpc": "1.0"}, "a broken number as id": {**whole, "id": 1.5},
                              "true as id": {**whole, "id": True}, "a list as id": {**whole, "id": []},
                              "null as id": {**whole, "id": None}}.items():
            reply = await peer.refused(json.dumps(message).encode(), message["id"])
            checks.must(f"a message with {what} is -32600", reply.code == -32600, reply)
        reply = await peer.call("test_custom_header", {"note": "x" * 1_500_000})
        checks.ours("a message of 1.5 MB is taken", reply.result is not None and not reply.is_failed_tool)
        reply = await peer.send("tools/list")
        checks.must("the process goes on after all of it", reply.result is not None, reply)
        checks.must("every line is one JSON object in UTF-8", not peer.garbage, peer.garbage[:1])


async def duplicates(checks, target):
    async with target.open(checks.revision) as peer:
        first = peer.request("tools/call", {"name": "test_wait", "arguments": {"milliseconds": 300}}, id="twice")
        under_way = await peer.start(first)
        await peer.write(peer.request("tools/call", {"name": "test_simple_text"}, id="twice"))
        await under_way.reply

        async def second():
            return [one for one in peer.strays if one.get("id") == "twice"]

        checks.ours("an id that is used twice at once is answered twice", await eventually(second), peer.strays)
        reply = await peer.send("tools/list")
        checks.ours("the process goes on after an id was used twice", reply.result is not None, reply)


async def ends(checks, target):
    """The end of the input ends the process, after what is under way."""
    peer = await target.peer(checks.revision).open()
    under_way = [await peer.start(peer.request("tools/call", {"name": "test_wait", "arguments": {"milliseconds": 200}})) for _ in range(3)]
    code = await peer.end()
    checks.should("the process ends with its input", code is not None)
    checks.ours("it ends well", code == 0, code)
    await peer.reader
    answered = [one.reply.done() and one.reply.exception() is None for one in under_way]
    checks.should("what is under way is answered before", all(answered), answered)
    await peer.close()

    peer = await target.peer(checks.revision).open()
    await peer.send("tools/list")
    watch = await peer.watch({"toolsListChanged": True}) if peer.is_modern else None
    code = await peer.end("terminate")
    checks.ours("the process ends when it is told to", code in (0, -15, 143), code)
    if watch:
        await peer.reader
        reply = watch.under_way.reply
        result = (reply.result().result or {}) if reply.done() and not reply.cancelled() and not reply.exception() else {}
        tag = (result.get("_meta") or {}).get("io.modelcontextprotocol/subscriptionId")
        checks.should("a subscription that the server ends has a result, with its tag", result.get("resultType") == "complete"
                      and tag == watch.id, result)
    await peer.close()


async def before_the_handshake(checks, target):
    peer = await target.peer(checks.revision).launch()
    reply = await peer.send("ping")
    checks.must("ping is answered before the handshake", reply.result == {}, reply)
    reply = await peer.send("tools/list")
    checks.should("other requests are refused before the handshake", reply.error is not None, reply)
    await peer.notify("notifications/initialized")
    await peer.notify("notifications/cancelled", {"requestId": 1})
    reply = await peer.send("ping")
    checks.must("notifications before the handshake do no harm", reply.result == {}, reply)
    await peer.close()


async def quiet(checks, target):
    """The process says nothing on its own."""
    peer = await target.peer(checks.revision).launch()
    reply = await (peer.send("server/discover") if peer.is_modern else peer.send("ping"))
    checks.must("nothing comes before the first answer", len(peer.lines) == 1 and reply.result is not None, peer.lines[:3])
    await peer.close()


ALL = [lines, duplicates, ends, quiet]
