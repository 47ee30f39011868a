"""Streamable HTTP itself: statuses, headers, sessions, streams."""

import asyncio
import base64
import json
from urllib.parse import urlsplit

from .http import BOTH, JSON, STREAM, exchange
from .features import everything, waiting
from .peer import K, eventually, text_of
from .wire import MODERN


# Both eras

async def bodies(checks, target):
    """Bodies that are no message, and those too large to be one."""
    async with target.open(checks.revision) as peer:
        ping = peer.request("tools/list")
        for what, body, code in (("garbage", b"{not json", -32700), ("nothing", b"", -32700),
                                 ("half a message", json.dumps(ping).encode()[:-1], -32700),
                                 ("no UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', -32700),
                                 ("a number", b"5", -32600), ("null", b"null", -32600), ("a text", b'"ping"', -32600)):
            reply = await (await peer.start(ping, body=body)).reply
            checks.must(f"a body of {what} is 400 with {code}", reply.status == 400 and reply.code == code, reply)
            checks.must(f"the answer to {what} has no id", (reply.response or {}).get("id") is None, reply)
        for what, change in {"no jsonrpc": {"jsonrpc": None}, "jsonrpc 1.0": {"jsonrpc": "1.0"}, "null as id": {"id": ()},
                             "a broken number as id": {"id": 1.5}, "true as id": {"id": True}, "a list as id": {"id": []},
                             "a number as method": {"method": 5}, "no method": {"method": None},
                             "a text as params": {"params": "x"}}.items():
            message = {**ping, **{key: None if value == () else value for key, value in change.items()}}
            for key, value in change.items():
                if value is None:
                    del message[key]
            options = {"headers": {"Mcp-Method": ping["method"]}} if peer.is_modern else {}
            reply = await (await peer.start(message, **options)).reply
            wanted = (-32600, -32602) if what == "a text as params" else (-32600, -32020) if what == "a number as method" else (-32600,)
            checks.must(f"a message with {what} is {wanted[0]}", reply.code in wanted and reply.status in (200, 400), reply)
        reply = await (await peer.start(ping, headers={"Content-Type": "text/plain"})).reply
        checks.ours("a body that is not called JSON is 415 or 400", reply.status in (400, 415), reply)
        reply = await (await peer.start(ping, headers={"Content-Type": "application/json; charset=utf-8"})).reply
        checks.must("a media type may have parameters", reply.status == 200, reply)
        reply = await peer.call("test_custom_header", {"note": "x" * 1_500_000})
        checks.ours("a message of 1.5 MB is taken", reply.result is not None and not reply.is_failed_tool, str(reply)[:300])
        answer = await peer.post(ping, body=b'{"a":"', claimed_length=64 * 1_024 * 1_024)
        checks.ours("a body of 64 MB is 413 before it is sent", answer.status == 413, answer.status)
        answer.close()
        for wanted, accept in (((200,), "application/json"), ((200,), "*/*"), ((200,), None), ((406,), "text/html")):
            reply = await (await peer.start(peer.request("tools/list"), headers={"Accept": accept})).reply
            checks.ours(f"Accept {accept} is {wanted[0]}", reply.status in wanted, reply)
        reply = await (await peer.start(ping, headers={"Accept": BOTH})).reply
        checks.ours("what needs no stream is plain JSON", reply.headers.get("content-type", "").startswith(JSON), reply.headers)
        for method in ("PUT", "PATCH"):
            answer = await peer.post(ping, method=method)
            checks.ours(f"{method} is 405", answer.status == 405, answer.status)
            checks.must(f"the refusal of {method} says what is allowed", "POST" in answer.headers.get("allow", ""), answer.headers)
            answer.close()


async def rebinding(checks, target):
    """Requests that a page of somebody else's has made a browser send."""
    host = urlsplit(target.url).netloc
    async with target.open(checks.revision) as peer:
        ping = peer.request("tools/list")
        for origin in ("http://evil.example", "null", "https://evil.example:443", f"http://{host}.evil.example",
                       "http://localhost.evil.example"):
            reply = await (await peer.start(ping, headers={"Origin": origin})).reply
            checks.must(f"Origin {origin} is 403".replace(host, "HOST"), reply.status == 403, reply)
        evil = {"Host": "evil.example.com", "Origin": "http://evil.example.com"}
        reply = await (await peer.start(ping, headers=evil)).reply
        checks.must("a foreign Host and Origin are refused", 400 <= reply.status < 500, reply)
        reply = await (await peer.start(ping, headers={"Host": "evil.example.com"})).reply
        checks.ours("a foreign Host alone is refused", 400 <= reply.status < 500, reply)
        for headers in ({"Host": host, "Origin": f"http://{host}"}, {"Host": host}):
            reply = await (await peer.start(ping, headers=headers)).reply
            checks.must(f"the server's own {' and '.join(headers)} are served", reply.status == 200, reply)
        if not peer.is_modern:
            answer = await peer.get({"Origin": "http://evil.example"})
            checks.must("a GET with a foreign Origin is 403", answer.status == 403, answer.status)
            answer.close()
            reply = await peer.delete({"Origin": "http://evil.example"})
            checks.must("a DELETE with a foreign Origin is 403", reply.status == 403, reply)


async def streams(checks, target):
    """Answers that come as a stream."""
    async with target.open(checks.revision) as peer:
        reply = await peer.call("test_tool_with_progress", {}, meta={"progressToken": 1})
        checks.must("what comes before the result makes the answer a stream", reply.is_stream, reply.headers)
        checks.must("a stream closes after its response", not any("open" in event for event in reply.events), reply.events)
        checks.should("a stream is not held back by proxies", reply.headers.get("x-accel-buffering") == "no", reply.headers)
        checks.should("a stream is not kept by caches", "no-cache" in reply.headers.get("cache-control", "")
                      or "no-store" in reply.headers.get("cache-control", ""), reply.headers)
        reply = await peer.send("tools/list", headers={"Accept": STREAM})
        checks.ours("who takes only streams gets one", reply.is_stream and reply.result, reply)

        async def one(number):
            return await peer.call("test_tool_with_progress", {}, meta={"progressToken": f"p{number}"}, id=f"stream-{number}")

        replies = await asyncio.gather(*[one(number) for number in range(5)])
        tokens = [{note["params"]["progressToken"] for note in reply.before} for reply in replies]
        checks.must("five streams at once each carry their own", tokens == [{f"p{number}"} for number in range(5)]
                    and all(reply.response["id"] == f"stream-{number}" for number, reply in enumerate(replies)), tokens)
        for tool, meta in (("test_tool_with_progress", {"progressToken": 2}), ("test_tool_with_logging", {K + "logLevel": "debug"}),
                           ("test_logging_tool", {K + "logLevel": "debug"}), ("test_reconnection", {})):
            reply = await peer.call(tool, {}, meta=meta, headers={"Accept": JSON})
            checks.ours(f"who takes JSON alone gets the answer of {tool} as such", reply.status == 200 and not reply.is_stream
                        and reply.result is not None and not reply.is_failed_tool, reply)
        reply = await peer.call("test_sampling", {"prompt": "x"}, headers={"Accept": JSON})
        checks.must("who takes JSON alone is answered when there is something to ask", reply.status == 200 and reply.result, reply)
        lists = await asyncio.gather(*[peer.send("tools/list", headers={"Accept": f"{STREAM}, {JSON}"}) for _ in range(3)])
        checks.must("three requests at once are served", all(reply.status == 200 and reply.result for reply in lists), lists)


# Handshake revisions

async def sessions(checks, target):
    async with target.open(checks.revision) as peer:
        opened = peer.opening
        checks.must("initialize is 200", opened.status == 200, opened)
        session = peer.session or ""
        checks.must("the session's id is of visible ASCII", bool(session) and all(0x21 <= ord(one) <= 0x7E for one in session), session)
        checks.should("the session's id cannot be guessed", len(session) >= 22, session)
        checks.must("notifications/initialized is 202 without a body", peer.initialized.status == 202 and not peer.initialized.text,
                    peer.initialized)
        reply = await peer.tell({"jsonrpc": "2.0", "id": "never-asked", "result": {}})
        checks.must("a response that nobody waits for is taken or refused, never answered", reply.response is None
                    or reply.status >= 400, reply)
        async with target.open(checks.revision) as other:
            checks.must("another session has another id", other.session != session, session)
            mine = await peer.start(peer.request("tools/call", {"name": "test_custom_header", "arguments": {"note": "mine"}}, id=1))
            theirs = await other.start(other.request("tools/call", {"name": "test_custom_header", "arguments": {"note": "theirs"}}, id=1))
            texts = text_of(await mine.reply), text_of(await theirs.reply)
            checks.must("two sessions may use the same ids", '"mine"' in texts[0] and '"theirs"' in texts[1], texts)
        ping = peer.request("ping")
        reply = await (await peer.start(ping, headers={"Mcp-Session-Id": None})).reply
        checks.should("a request without session is 400", reply.status == 400, reply)
        reply = await (await peer.start(ping, headers={"Mcp-Session-Id": "0" * 64})).reply
        checks.must("a session that never was is 404", reply.status == 404, reply)
        if checks.revision >= "2025-06-18":
            for version in ("1999-12-31", "garbage"):
                reply = await (await peer.start(ping, headers={"MCP-Protocol-Version": version})).reply
                checks.must(f"the revision {version} in the header is 400", reply.status == 400, reply)
        for what, headers in {"without session": {"Mcp-Session-Id": None}, "of no session": {"Mcp-Session-Id": "0" * 64},
                              "of no revision": {"MCP-Protocol-Version": "1999-12-31"},
                              "that takes no answer": {"Accept": "text/html"}}.items():
            reply = await (await peer.start(ping, headers=headers)).reply
            checks.must(f"the refusal of a request {what} has its id", (reply.response or {}).get("id") == ping["id"], reply)
        reply = await (await peer.start(ping, headers={"MCP-Protocol-Version": None})).reply
        checks.should("a request without the header of the revision is served", reply.status == 200, reply)
        answer = await peer.get({"Accept": JSON})
        checks.must("a GET that takes no stream is refused", 400 <= answer.status < 500, answer.status)
        answer.close()
        answer = await peer.get({"Mcp-Session-Id": "0" * 64})
        checks.must("a GET of a session that never was is 404", answer.status == 404, answer.status)
        answer.close()
        answer = await peer.get({"Mcp-Session-Id": None})
        checks.must("a GET without session is refused", 400 <= answer.status < 500, answer.status)
        answer.close()
        reply = await peer.delete({"Mcp-Session-Id": None})
        checks.must("a DELETE without session is refused", 400 <= reply.status < 500, reply)

        reply = await peer.delete()
        checks.should("a session can be ended", 200 <= reply.status < 300, reply)
        reply = await peer.send("tools/list")
        checks.must("a session that was ended is 404", reply.status == 404, reply)
        reply = await peer.notify("notifications/initialized")
        checks.must("a notification to a session that was ended is 404", reply.status == 404, reply)
        answer = await peer.get()
        checks.must("a GET of a session that was ended is 404", answer.status == 404, answer.status)
        answer.close()
        peer.session = None


async def listening(checks, target):
    """The stream of a GET."""
    async with target.open(checks.revision) as peer:
        watch = await peer.watch()
        checks.must("a GET gives a stream", watch.status == 200 and watch.answer.headers.get("content-type", "").startswith(STREAM),
                    watch.answer.headers)
        second = await peer.watch()
        streams = [one for one in (watch, second) if one.status == 200]
        await peer.call("test_trigger_tool_change", {})
        await peer.call("test_trigger_tool_change", {})
        notes = [note for one in streams for note in [await one.next(2), await one.next(1)] if note]
        checks.must("what is told is told on one stream, not on all", 1 <= len(notes) <= 2, notes)
        await peer.call("test_tool_with_progress", {}, meta={"progressToken": "elsewhere"})
        stray = [note for one in streams if (note := await one.next(0.5))]
        checks.must("what belongs to a call does not come on the stream of a GET", not stray, stray)
        if second.status == 200:
            await second.close()

            async def heard():
                await peer.call("test_trigger_tool_change", {})
                return await watch.next(0.5)

            # That a connection has gone is known when something is written to it.
            checks.ours("one that listens goes on when another leaves", await eventually(heard), watch.events)
        answer = await exchange(target.url, "HEAD", peer.merged(peer.standard_headers(None), {"Accept": STREAM, "Content-Type": None,
                                                                                              "Mcp-Session-Id": peer.session}))
        answer.close()
        await peer.call("test_trigger_prompt_change", {})
        notes = [await watch.next(2)]
        while notes[-1] and notes[-1].get("method") != "notifications/prompts/list_changed":
            notes.append(await watch.next(2))
        checks.ours("a HEAD takes nothing from who listens", notes[-1] is not None, notes)
        await peer.call("test_trigger_prompt_change", {})
    async with target.open(checks.revision) as peer:
        watch = await peer.watch()
        await peer.delete()
        checks.ours("the stream ends with its session", await watch.next(5) is None and watch.reader.done(), watch.events)
        peer.session = None


async def resumption(checks, target):
    """Streams that broke off, or that the server let go of."""
    async with target.open(checks.revision) as peer:
        if checks.revision >= "2025-11-25":
            await _let_go(checks, peer)
        else:
            reply = await peer.call("test_reconnection", {})
            checks.must("a call that would let go is answered all the same", "Reconnection" in text_of(reply), reply)

        # A stream that breaks off on its way, and is taken up from there, with another beside it.
        message = peer.request("tools/call", {"name": "test_tool_with_progress", "arguments": {}}, meta={"progressToken": "broken"})
        answer = await peer.post(message)
        events = []
        async for event in answer.events():
            events.append(event)
            if event.get("data"):
                break
        answer.close()
        noise = await peer.call("test_tool_with_logging", {}, meta={"progressToken": "noise"})
        ids = [event["id"] for event in events if "id" in event]
        if checks.revision >= "2025-11-25":
            checks.should("a stream begins with an id and no data", not events[0].get("data", "").strip() and "id" in events[0], events)
            checks.ours("every event of a stream can be come back to", len(ids) == len(events), events)
        else:
            checks.should("no event is empty, which older clients cannot read", all(event.get("data", "x").strip() for event in events), events)
        if ids:
            answer = await peer.get({"Last-Event-ID": ids[-1]})
            checks.must("a stream that broke can be taken up", answer.status == 200, answer.status)
            found = []
            async for event in answer.events():
                found.append(event)
                if '"result"' in event.get("data", ""):
                    break
            answer.close()
            later = [json.loads(event["data"]) for event in found if event.get("data")]
            told = [one["params"]["progress"] for one in later if one.get("method") == "notifications/progress"]
            checks.must("it goes on after the last event that was seen, and ends with the response", told == [50, 100]
                        and later[-1].get("id") == message["id"] and len(later) == 3, [events, found])
            again = [event["id"] for event in found if "id" in event and event.get("data")]
            checks.must("no two events have the same id", len(set(ids + again)) == len(ids + again), ids + again)
            others = {event.get("id") for event in noise.events or []} - {None}
            checks.must("ids of two streams differ", not others & set(ids + again), [ids, again, others])
        answer = await peer.get({"Last-Event-ID": "no-such-event"})
        checks.ours("an event that never was is refused", 400 <= answer.status < 500, answer.status)
        checks.ours("it is not refused as a session that has ended is", answer.status != 404, answer.status)
        answer.close()
        async with target.open(checks.revision) as other:
            if ids:
                answer = await other.get({"Last-Event-ID": ids[0]})
                found = b"" if answer.status >= 400 else b"replayed"
                if not 400 <= answer.status < 500:
                    # An id means something only within its session: nothing may come of another's.
                    try:
                        found = await asyncio.wait_for(anext(answer.chunks()), 0.5)
                    except (TimeoutError, StopAsyncIteration):
                        found = b""
                checks.must("another session's events are not shown", b"broken" not in found, found)
                answer.close()


async def _let_go(checks, peer):
    """The server ends the stream of a call before the response, and the client comes back for it."""
    message = peer.request("tools/call", {"name": "test_reconnection", "arguments": {}})
    answer = await peer.post(message, {"Accept": f"{STREAM}, {JSON}"})
    checks.must("the call that lets go is answered by a stream", answer.headers.get("content-type", "").startswith(STREAM), answer.headers)
    events = [event async for event in answer.events()]
    answer.close()
    first = events[0] if events else {}
    checks.should("the stream of a call that lets go begins with an id and no data", bool(first.get("id"))
                  and not first.get("data", "").strip(), events)
    checks.should("a stream says when to come back", any(event.get("retry", "").isdigit() for event in events), events)
    checks.ours("a stream that is let go ends before the response", not any('"result"' in event.get("data", "") for event in events), events)
    ids = [event["id"] for event in events if "id" in event]
    answer = await peer.get({"Last-Event-ID": ids[-1] if ids else "none"})
    checks.must("who comes back is let in", answer.status == 200, answer.status)
    later = []
    async for event in answer.events():
        later.append(event)
        if '"result"' in event.get("data", ""):
            break
    answer.close()
    response = next((json.loads(event["data"]) for event in later if event.get("data")), {})
    checks.must("who comes back gets the response", response.get("id") == message["id"] and "Reconnection" in json.dumps(response), later)


async def disconnecting(checks, target):
    """With a session, who goes away has not cancelled."""
    async with target.open(checks.revision) as peer:
        async def waits():
            return await waiting(peer)

        before = await waits()
        under_way = await peer.start(peer.request("tools/call", {"name": "test_wait", "arguments": {"milliseconds": 1500}}))

        async def runs():
            return (await waits())["running"] == before["running"] + 1

        checks.must("a call that waits is under way", await eventually(runs))
        under_way.abort()

        async def ended():
            return (await waits())["running"] == before["running"]

        await eventually(ended)
        checks.must("a call whose client went away runs to its end", await waits() == before, await waits())


# The newest revision

async def modern_headers(checks, target):
    async with target.open() as peer:
        def mismatch(name, reply, level=None):
            (level or checks.must)(f"{name} is 400 with -32020", reply.status == 400 and reply.code == -32020, reply)

        async def listing(headers, **more):
            return await (await peer.start(peer.request("tools/list", **more), headers=headers)).reply

        async def calling(headers, tool="test_simple_text"):
            return await (await peer.start(peer.request("tools/call", {"name": tool, "arguments": {}}), headers=headers)).reply

        mismatch("another Mcp-Method", await listing({"Mcp-Method": "prompts/list"}))
        mismatch("no Mcp-Method", await listing({"Mcp-Method": None}))
        mismatch("Mcp-Method in capitals", await listing({"Mcp-Method": "TOOLS/LIST"}))
        mismatch("an empty Mcp-Method", await listing({"Mcp-Method": ""}))
        mismatch("another Mcp-Name", await calling({"Mcp-Name": "wrong_tool_name"}))
        mismatch("no Mcp-Name", await calling({"Mcp-Name": None}))
        mismatch("Mcp-Name in capitals", await calling({"Mcp-Name": "TEST_SIMPLE_TEXT"}))
        mismatch("no MCP-Protocol-Version", await listing({"MCP-Protocol-Version": None}))
        mismatch("an older MCP-Protocol-Version", await listing({"MCP-Protocol-Version": "2025-11-25"}))
        message = peer.request("server/discover")
        message["params"]["_meta"][K + "protocolVersion"] = "v999.0.0"
        mismatch("_meta of another revision than the header", await (await peer.start(message, headers={"MCP-Protocol-Version": MODERN})).reply)
        reply = await (await peer.start(peer.request("prompts/get", {"name": "test_simple_prompt"}), headers={"Mcp-Name": "other"})).reply
        mismatch("another Mcp-Name of a prompt", reply)
        reply = await (await peer.start(peer.request("resources/read", {"uri": "test://static-text"}), headers={"Mcp-Name": None})).reply
        mismatch("no Mcp-Name of a resource", reply)
        for name in ("mcp-method", "MCP-METHOD", "mCp-MeThOd"):
            reply = await listing({name: "tools/list"})
            checks.must(f"the header may be written {name}", reply.status == 200 and reply.result, reply)
        reply = await calling({"Mcp-Name": "  test_simple_text \t"})
        checks.must("white space around a header's value is left out", reply.status == 200 and reply.result, reply)
        encoded = base64.b64encode(b"test_simple_text").decode()
        reply = await calling({"Mcp-Name": f"=?base64?{encoded}?="})
        checks.must("Mcp-Name may be in base64", reply.status == 200 and reply.result, reply)
        mismatch("Mcp-Name in broken base64", await calling({"Mcp-Name": f"=?base64?{encoded[:-2]}?="}))
        mismatch("Mcp-Name with BASE64 in capitals, which is a literal", await calling({"Mcp-Name": f"=?BASE64?{encoded}?="}))
        reply = await (await peer.start({**peer.request("tools/list", meta=None)})).reply
        checks.must("a header of this revision without _meta is 400 with -32602", reply.status == 400 and reply.code == -32602, reply)
        for name, value in (("Mcp-Session-Id", "0" * 64), ("Last-Event-ID", "1")):
            reply = await listing({name: value})
            checks.must(f"{name} is not looked at", reply.status == 200 and reply.result, reply)
        message = peer.request("tools/list")
        message["params"]["_meta"][K + "protocolVersion"] = "2030-01-01"
        reply = await (await peer.start(message, headers={"MCP-Protocol-Version": "2030-01-01", "Mcp-Method": None})).reply
        checks.must("an unknown revision is -32022 whatever headers it has", reply.status == 400 and reply.code == -32022, reply)
        reply = await listing({})
        checks.must("no session is made", "mcp-session-id" not in reply.headers, reply.headers)
        for method in ("GET", "DELETE"):
            pairs = peer.merged(peer.standard_headers(None), {"Accept": STREAM, "Content-Type": None})
            answer = await exchange(target.url, method, pairs)
            checks.must(f"{method} is 405", answer.status == 405, answer.status)
            answer.close()
        reply = await peer.notify("notifications/initialized")
        checks.should("a notification gets no result", reply.result is None and (reply.status == 202 or reply.status >= 400), reply)
        reply = await peer.tell({"jsonrpc": "2.0", "id": 1, "result": {}})
        checks.must("a response, which nobody can have asked for, gets no result", reply.result is None, reply)


async def mirrored_arguments(checks, target):
    """Arguments that stand in headers as well."""
    async with target.open() as peer:
        tools, _ = await everything(peer, "tools/list", "tools")
        schema = next(tool for tool in tools if tool["name"] == "test_custom_header")["inputSchema"]
        checks.must("x-mcp-header is kept in the schema", schema["properties"]["region"].get("x-mcp-header") == "Region", schema)

        async def call(arguments, **headers):
            message = peer.request("tools/call", {"name": "test_custom_header", "arguments": arguments})
            named = {f"Mcp-Param-{name}": value for name, value in headers.items()}
            return await (await peer.start(message, headers=named)).reply

        hello = base64.b64encode(b"Hello").decode()
        umlaut = base64.b64encode("Zürich ✓".encode()).decode()
        taken = {"a literal": ({"region": "Hello"}, {"Region": "Hello"}), "base64": ({"region": "Hello"}, {"Region": f"=?base64?{hello}?="}),
                 "base64 of what ASCII lacks": ({"region": "Zürich ✓"}, {"Region": f"=?base64?{umlaut}?="}),
                 "base64 without its beginning, a literal": ({"region": hello}, {"Region": hello}),
                 "base64 without its end, a literal": ({"region": f"=?base64?{hello}"}, {"Region": f"=?base64?{hello}"}),
                 "another case of the name": ({"region": "Hello"}, {"rEGION": "Hello"}),
                 "white space around": ({"region": "Hello"}, {"Region": " Hello  "}),
                 "a whole number": ({"priority": 42}, {"Priority": "42"}), "true": ({"urgent": True}, {"Urgent": "true"}),
                 "a place further in": ({"place": {"city": "Bern"}}, {"City": "Bern"}),
                 "several": ({"region": "r", "priority": 0, "urgent": False}, {"Region": "r", "Priority": "0", "Urgent": "false"}),
                 "nothing for nothing": ({"note": "only this"}, {})}
        for what, (arguments, headers) in taken.items():
            reply = await call(arguments, **headers)
            checks.must(f"{what} is taken", reply.status == 200 and reply.result and not reply.is_failed_tool, reply)
        refused = {"no header": ({"region": "Hello"}, {}), "another value": ({"region": "Hello"}, {"Region": "World"}),
                   "another case of the value": ({"region": "Hello"}, {"Region": "hello"}),
                   "base64 with broken padding": ({"region": "Hello"}, {"Region": "=?base64?SGVsbG8?="}),
                   "base64 with foreign letters": ({"region": "Hello"}, {"Region": "=?base64?SGVs!!!bG8=?="}),
                   "base64 of something else": ({"region": "Hello"}, {"Region": f"=?base64?{umlaut}?="}),
                   "another number": ({"priority": 42}, {"Priority": "43"}), "no number": ({"priority": 42}, {"Priority": "many"}),
                   "another truth": ({"urgent": True}, {"Urgent": "false"}), "one of two missing": ({"region": "r", "priority": 1}, {"Region": "r"}),
                   "a number in hexadecimal": ({"priority": 42}, {"Priority": "0x2A"}),
                   "a number with leading zeros": ({"priority": 42}, {"Priority": "042"}),
                   "another long number": ({"priority": 2**53}, {"Priority": str(2**53 + 1)}),
                   "no header for a place further in": ({"place": {"city": "Bern"}}, {})}
        for what, (arguments, headers) in refused.items():
            reply = await call(arguments, **headers)
            checks.must(f"{what} is 400 with -32020", reply.status == 400 and reply.code == -32020, reply)


async def closing(checks, target):
    """A subscription ends when its stream is closed, and others don't notice."""
    async with target.open() as peer:
        watch = await peer.watch({"toolsListChanged": True})
        checks.must("a subscription is a stream", watch.status == 200 and watch.answer.headers.get("content-type", "").startswith(STREAM),
                    watch.answer.headers)
        checks.must("events of a subscription have no ids", not any("id" in event for event in watch.events), watch.events)
        watches = [await peer.watch({"toolsListChanged": True}) for _ in range(20)]
        for one in watches[::2]:
            await one.close()
        await peer.call("test_trigger_tool_change", {})
        notes = [await one.next() for one in watches[1::2]]
        checks.ours("of 20 subscriptions the 10 that are left are told", all(notes), notes)
        await peer.call("test_trigger_tool_change", {})


async def authorization(checks, target):
    """With a key: nobody comes in without, and who is turned away learns where to go."""
    parts = urlsplit(target.url)
    root = f"{parts.scheme}://{parts.netloc}"
    async with target.open(checks.revision) as peer:
        message = peer.request("tools/list")
        for what, headers in {"no key": {"Authorization": None}, "a wrong key": {"Authorization": "Bearer pat_live_wrong"},
                              "another scheme": {"Authorization": "Basic dTpw"}, "an empty key": {"Authorization": "Bearer "}}.items():
            reply = await (await peer.start(message, headers=headers)).reply
            challenge = reply.headers.get("www-authenticate", "")
            checks.must(f"{what} is 401", reply.status == 401, reply)
            checks.must(f"{what} is told where to go", challenge.startswith("Bearer") and "resource_metadata=" in challenge, challenge)
            checks.ours(f"{what} is told what to ask for", "scope=" in challenge, challenge)
            if what == "a wrong key":
                checks.must("a wrong key is called invalid", 'error="invalid_token"' in challenge, challenge)
        query = f"{target.url}?access_token={target.key}"
        pairs = peer.merged(peer.standard_headers(message), {"Authorization": None})
        answer = await exchange(query, "POST", pairs, json.dumps(message).encode())
        checks.must("a key in the address is not looked at", answer.status in (401, 404), answer.status)
        answer.close()
        for path in (f"/.well-known/oauth-protected-resource{parts.path}", "/.well-known/oauth-protected-resource"):
            answer = await exchange(root + path, "GET", [("Accept", JSON)])
            body = await answer.body()
            document = json.loads(body) if answer.status == 200 else {}
            checks.must(f"{path} is there for everybody", answer.status == 200, answer.status)
            checks.must(f"{path} names the resource", document.get("resource", "").endswith(parts.path), document)
            checks.must(f"{path} names who issues tokens", bool(document.get("authorization_servers")), document)
            checks.must(f"{path} lists scopes, without offline_access", bool(document.get("scopes_supported"))
                        and "offline_access" not in document["scopes_supported"], document)
            checks.ours(f"{path} takes tokens in the header", document.get("bearer_methods_supported") == ["header"], document)
            answer.close()
        if not peer.is_modern:
            answer = await peer.get({"Authorization": None})
            checks.must("listening without a key is 401", answer.status == 401, answer.status)
            answer.close()
            reply = await peer.delete({"Authorization": None})
            checks.must("ending without a key is 401", reply.status == 401, reply)


BOTH_ERAS = [bodies, rebinding, streams]
HANDSHAKE = [sessions, listening, resumption, disconnecting]
NEWEST = [modern_headers, mirrored_arguments, closing]
