"""2026-07-28: no handshake, every request complete in itself."""

import asyncio

from . import features
from .legacy import LEVELS
from .peer import ABILITIES, K, text_of
from .wire import HANDSHAKES, MODERN

ALLOWED_CODES = {-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022}
REMOVED = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]


def is_bad(peer, reply, code, status=400):
    """Refused with this code, and over HTTP with this status."""
    return reply.code == code and reply.status in (None, status)


async def discovery(checks, target):
    async with target.open() as peer:
        reply = await peer.send("server/discover")
        result = reply.result or {}
        versions = result.get("supportedVersions") or []
        checks.must("server/discover lists the revision it was asked at", MODERN in versions, reply)
        checks.ours("server/discover lists every revision there is", set(versions) >= {MODERN, *HANDSHAKES}, reply)
        can = result.get("capabilities") or {}
        for name in ("tools", "resources", "prompts", "completions"):
            checks.must(f"the capability {name} is declared", isinstance(can.get(name), dict), can)
        for name in ("tools", "prompts", "resources"):
            checks.must(f"changes of the list of {name} are declared", can.get(name, {}).get("listChanged") is True, can)
        checks.must("watching resources is declared", can.get("resources", {}).get("subscribe") is True, can)
        info = (result.get("_meta") or {}).get(K + "serverInfo") or {}
        checks.should("server/discover says who the server is", bool(info.get("name") and info.get("version")), reply)
        checks.ours("server/discover says how to begin", bool(result.get("instructions")), reply)
        without = {key: value for key, value in peer.meta().items() if key != K + "clientInfo"}
        reply = await peer.start({**peer.request("server/discover"), "params": {"_meta": without}})
        reply = await reply.reply
        checks.must("a request without clientInfo is served", reply.result is not None and reply.status in (None, 200), reply)


async def cold(checks, target):
    async with target.open() as peer:
        reply = await peer.send("tools/list")
        checks.must("the first request needs nothing before it", bool((reply.result or {}).get("tools")), reply)
    async with target.open(abilities=ABILITIES) as peer:
        await peer.send("server/discover")
        peer.abilities = {}
        reply = await peer.call("test_missing_capability", {})
        checks.must("what an earlier request declared does not hold for this one", reply.code == -32021, reply)


async def envelope(checks, target):
    async with target.open() as peer:
        whole = peer.meta()
        cases = {"no _meta": None, "an empty _meta": {},
                 "no protocolVersion": {key: value for key, value in whole.items() if key != K + "protocolVersion"},
                 "no clientCapabilities": {key: value for key, value in whole.items() if key != K + "clientCapabilities"},
                 "a list as clientCapabilities": {**whole, K + "clientCapabilities": []},
                 "a number as protocolVersion": {**whole, K + "protocolVersion": 20260728}}
        for what, meta in cases.items():
            for method, params in (("server/discover", {}), ("tools/list", {}), ("tools/call", {"name": "test_simple_text"})):
                message = peer.request(method, params)
                message["params"] = {**params, **({} if meta is None else {"_meta": meta})}
                reply = await (await peer.start(message)).reply
                wanted = (-32602, -32020) if what == "a number as protocolVersion" else (-32602,)
                checks.must(f"{method} with {what} is -32602", reply.code in wanted and reply.status in (None, 400), reply)
                checks.must(f"the refusal of {method} with {what} carries its id",
                            (reply.response or {}).get("id") == message["id"], reply)


async def revisions(checks, target):
    async with target.open() as peer:
        for version in ("1900-01-01", "v999.0.0", "2030-01-01"):
            message = peer.request("server/discover")
            message["params"]["_meta"][K + "protocolVersion"] = version
            options = {"headers": {"MCP-Protocol-Version": version}} if target.transport == "http" else {}
            reply = await (await peer.start(message, **options)).reply
            data = (reply.error or {}).get("data") or {}
            checks.must(f"the unknown revision {version} is -32022", is_bad(peer, reply, -32022), reply)
            checks.must(f"the refusal of {version} names what is supported and what was requested",
                        MODERN in data.get("supported", []) and data.get("requested") == version, reply)


async def removed(checks, target):
    async with target.open() as peer:
        for method in REMOVED + ["unknown/method", "tasks/list", "tasks/result", "roots/list"]:
            params = {"uri": "test://watched-resource"} if "resources/" in method else {"level": "info"} if "logging" in method else {}
            reply = await peer.send(method, params)
            if target.transport == "stdio" and method == "initialize":
                checks.must("initialize with _meta of this revision is an error", reply.error is not None, reply)
            else:
                checks.must(f"{method} is -32601", is_bad(peer, reply, -32601, 404), reply)
        reply = await peer.send("tools/list")
        checks.must("the connection goes on after unknown methods", reply.result is not None, reply)


async def results(checks, target):
    """What every result has, and what those that can be cached have."""
    async with target.open() as peer:
        cacheable = [("server/discover", {}), ("tools/list", {}), ("prompts/list", {}), ("resources/list", {}),
                     ("resources/templates/list", {}), ("resources/read", {"uri": "test://static-text"})]
        others = [("tools/call", {"name": "test_simple_text", "arguments": {}}), ("prompts/get", {"name": "test_simple_prompt"}),
                  ("completion/complete", {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
                                           "argument": {"name": "arg1", "value": ""}})]
        for method, params in cacheable + others:
            reply = await peer.send(method, params)
            result = reply.result or {}
            checks.must(f"the result of {method} is complete", result.get("resultType") == "complete", reply)
            info = (result.get("_meta") or {}).get(K + "serverInfo") or {}
            checks.should(f"the result of {method} says who the server is", bool(info.get("name") and info.get("version")), reply)
            if (method, params) in cacheable:
                ttl = result.get("ttlMs")
                checks.must(f"the result of {method} says how long it keeps", type(ttl) is int and ttl >= 0, reply)
                checks.must(f"the result of {method} says for whom", result.get("cacheScope") in ("public", "private"), reply)
        for method, member in (("tools/list", "tools"), ("resources/list", "resources"), ("prompts/list", "prompts")):
            _, replies = await features.everything(peer, method, member)
            scopes = {reply.result.get("cacheScope") for reply in replies}
            checks.must(f"all pages of {method} are for the same", len(scopes) == 1, scopes)
        reply = await peer.call("test_input_required_result_elicitation", {})
        checks.must("a question carries no caching hints", not {"ttlMs", "cacheScope"} & set(reply.result or {}), reply)


async def capabilities(checks, target):
    async with target.open() as peer:
        for tool, arguments, ability, other in (
                ("test_missing_capability", {}, "sampling", {"elicitation": {}}), ("test_sampling", {"prompt": "x"}, "sampling", {}),
                ("test_elicitation", {"message": "x"}, "elicitation", {"sampling": {}}),
                ("test_input_required_result_list_roots", {}, "roots", {"sampling": {}}),
                ("test_elicitation", {"message": "y"}, "elicitation", {"elicitation": {"url": {}}})):
            peer.abilities = other
            reply = await peer.call(tool, arguments)
            needed = ((reply.error or {}).get("data") or {}).get("requiredCapabilities")
            checks.must(f"{tool} of a client with {other} is -32021", is_bad(peer, reply, -32021), reply)
            checks.must(f"the refusal of {tool} with {other} names {ability} as an object",
                        isinstance(needed, dict) and isinstance(needed.get(ability), dict), reply)
        peer.abilities = {"elicitation": {"form": {}}}
        reply = await peer.call("test_elicitation", {"message": "x"})
        checks.must("a client that declares forms is asked with one", (reply.result or {}).get("resultType") == "input_required", reply)
        for abilities, keys in (({"sampling": {}}, {"sample_input"}), ({"elicitation": {}}, {"elicit_input"}),
                                ({"elicitation": {}, "sampling": {}}, {"sample_input", "elicit_input"})):
            peer.abilities = abilities
            reply = await peer.call("test_input_required_result_capabilities", {})
            found = set((reply.result or {}).get("inputRequests") or {})
            checks.must(f"a client with {sorted(abilities)} is asked only that", found == keys, reply)
        peer.abilities = {}
        reply = await peer.call("test_input_required_result_capabilities", {})
        checks.must("a client that can nothing is asked nothing", (reply.result or {}).get("resultType") == "complete", reply)


async def rounds(checks, target):
    """Questions as results, answers in the next request."""
    async with target.open() as peer:
        async def ask(tool, arguments=None, **more):
            return await peer.send("tools/call", {"name": tool, "arguments": arguments or {}, **more})

        first = await ask("test_input_required_result_elicitation")
        result = first.result or {}
        checks.must("a question is a result of its own type", result.get("resultType") == "input_required", first)
        checks.must("a question stands under its key, with its method", (result.get("inputRequests") or {}).get("user_name", {})
                    .get("method") == "elicitation/create", first)
        checks.must("a question is no tool result", "content" not in result, first)
        alice = {"user_name": {"action": "accept", "content": {"name": "Alice"}}}
        state = {"requestState": result["requestState"]} if "requestState" in result else {}
        reply = await ask("test_input_required_result_elicitation", inputResponses=alice, **state)
        checks.must("the answer completes the call", text_of(reply) == "Hello, Alice!", reply)

        wrong = {"wrong_key": {"action": "accept", "content": {"data": "wrong"}}}
        reply = await ask("test_input_required_result_elicitation", inputResponses=wrong)
        checks.should("an answer under another key is asked for again", (reply.result or {}).get("resultType") == "input_required", reply)
        more = {**alice, "unknown_extra_key": {"action": "accept", "content": {"foo": "bar"}}}
        reply = await ask("test_input_required_result_elicitation", inputResponses=more)
        checks.should("unknown answers beside the right one are ignored", text_of(reply) == "Hello, Alice!", reply)
        for what, responses in {"null": None, "a list": [], "a number": 5, "a number as answer": {"user_name": 12345}}.items():
            reply = await ask("test_input_required_result_elicitation", inputResponses=responses)
            checks.should(f"inputResponses that are {what} are -32602", is_bad(peer, reply, -32602), reply)
        for what, answer in {"of the wrong type": {"action": "accept", "content": {"name": 5}}, "without content": {"action": "accept"},
                             "of an unknown action": {"action": "maybe"}}.items():
            reply = await ask("test_input_required_result_elicitation", inputResponses={"user_name": answer})
            checks.should(f"an answer {what} does not complete the call", (reply.result or {}).get("resultType") != "complete"
                          or reply.is_failed_tool, reply)
        reply = await ask("test_input_required_result_elicitation", inputResponses={"user_name": {"action": "decline"}})
        checks.must("a no completes the call", (reply.result or {}).get("resultType") == "complete", reply)

        first = await ask("test_input_required_result_multiple_inputs")
        questions = (first.result or {}).get("inputRequests") or {}
        checks.must("three questions come at once", {one["method"] for one in questions.values()} == {
            "elicitation/create", "sampling/createMessage", "roots/list"}, first)
        checks.must("what is kept comes as text", isinstance((first.result or {}).get("requestState"), str), first)
        responses = peer.respond(questions)
        partial = {"user_name": responses["user_name"]}
        reply = await ask("test_input_required_result_multiple_inputs", inputResponses=partial,
                          requestState=first.result["requestState"])
        checks.should("a question left open is asked again", (reply.result or {}).get("resultType") == "input_required", reply)

        first = await ask("test_input_required_result_multi_round")
        state1 = (first.result or {}).get("requestState")
        second = await ask("test_input_required_result_multi_round", requestState=state1,
                           inputResponses={"step1": {"action": "accept", "content": {"name": "Alice"}}})
        state2 = (second.result or {}).get("requestState")
        checks.must("a second round asks something else", set((second.result or {}).get("inputRequests") or {}) == {"step2"}, second)
        checks.must("a second round keeps something else", state1 and state2 and state1 != state2, [state1, state2])
        third = await ask("test_input_required_result_multi_round", requestState=state2,
                          inputResponses={"step2": {"action": "accept", "content": {"color": "blue"}}})
        checks.must("the last round knows the answers of both", text_of(third) == "Alice likes blue; rounds 1 and 2", third)

        for method in ("tools/list", "prompts/list", "resources/list", "server/discover"):
            reply = await peer.send(method)
            checks.must(f"{method} never asks", (reply.result or {}).get("resultType") == "complete", reply)
        reply = await peer.send("prompts/get", {"name": "test_input_required_result_prompt"})
        checks.must("a prompt asks as well", "user_context" in ((reply.result or {}).get("inputRequests") or {}), reply)
        reply = await peer.send("resources/read", {"uri": "test://asking/parks"})
        checks.must("a resource asks as well", "words" in ((reply.result or {}).get("inputRequests") or {}), reply)


async def states(checks, target):
    """What was kept can be neither changed nor used for something else."""
    async with target.open() as peer:
        yes = {"confirm": {"action": "accept", "content": {"ok": True}}}

        async def ask(tool, arguments=None, **more):
            return await peer.send("tools/call", {"name": tool, "arguments": arguments or {}, **more})

        async def fresh(tool="test_input_required_result_tampered_state", arguments=None):
            return (await ask(tool, arguments)).result["requestState"]

        state = await fresh()
        middle = len(state) // 2
        flipped = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1:]
        first = ("A" if state[0] != "A" else "B") + state[1:]
        for what, changed in {"with something added": state + "-TAMPERED", "with a letter changed": flipped,
                              "with its first letter changed": first, "cut short": state[:-3], "empty": "",
                              "made up": "eyJhIjoxfQ", "very long": state + "A" * 100_000}.items():
            reply = await ask("test_input_required_result_tampered_state", inputResponses=yes, requestState=changed)
            checks.must(f"a state {what} is refused", is_bad(peer, reply, -32602), reply)
        for what, changed in {"a number": 5, "null": None, "an object": {}}.items():
            reply = await ask("test_input_required_result_tampered_state", inputResponses=yes, requestState=changed)
            checks.must(f"a state that is {what} is refused or asked for again", reply.error is not None
                        or (reply.result or {}).get("resultType") == "input_required", reply)
        reply = await ask("test_input_required_result_request_state", inputResponses=yes, requestState=await fresh())
        checks.ours("the state of another tool is refused", is_bad(peer, reply, -32602), reply)
        form = {"user_response": {"action": "accept", "content": {"username": "a", "email": "b"}}}
        other = (await ask("test_elicitation", {"message": "one"})).result.get("requestState")
        if other is not None:
            reply = await ask("test_elicitation", {"message": "two"}, inputResponses=form, requestState=other)
            checks.ours("the state of other arguments is refused", is_bad(peer, reply, -32602), reply)
        words = {"words": {"action": "accept", "content": {"text": "Sunny."}}}
        other = (await peer.send("resources/read", {"uri": "test://asking/parks"})).result.get("requestState")
        if other is not None:
            reply = await peer.send("resources/read", {"uri": "test://asking/weather", "inputResponses": words, "requestState": other})
            checks.ours("the state of another resource is refused", is_bad(peer, reply, -32602), reply)
        reply = await peer.send("prompts/get", {"name": "test_input_required_result_prompt", "requestState": await fresh(),
                                                "inputResponses": {"user_context": {"action": "accept", "content": {"context": "x"}}}})
        checks.ours("the state of another method is refused", is_bad(peer, reply, -32602), reply)
        state = await fresh()
        reply = await ask("test_input_required_result_tampered_state", inputResponses=yes, requestState=state)
        checks.must("a state as it was given is taken", text_of(reply).startswith("integrity-ok"), reply)
        reply = await ask("test_input_required_result_tampered_state", inputResponses=yes, requestState=state)
        checks.ours("a state is good once", is_bad(peer, reply, -32602), reply)
        reply = await ask("test_input_required_result_tampered_state", inputResponses=yes)
        checks.must("an answer without the state that goes with it does not complete the call",
                    reply.error is not None or (reply.result or {}).get("resultType") == "input_required", reply)
        reply = await ask("test_input_required_result_tampered_state", requestState=await fresh())
        checks.should("a state without answers asks again", (reply.result or {}).get("resultType") == "input_required", reply)
        states = {await fresh() for _ in range(5)}
        checks.ours("no two states are the same", len(states) == 5, states)


async def logging(checks, target):
    """Only for a request that wants it, and only with that request."""
    async with target.open() as peer:
        for tool in ("test_logging_tool", "test_tool_with_logging"):
            reply = await peer.call(tool, {})
            checks.must(f"{tool} logs nothing that was not asked for", reply.result is not None
                        and not reply.notifications("notifications/message"), reply)
        for level in ("debug", "warning", "emergency"):
            reply = await peer.call("test_logging_tool", {}, meta={K + "logLevel": level})
            found = [note["params"]["level"] for note in reply.notifications("notifications/message")]
            checks.must(f"a request with logLevel {level} is told what matters as much", found == LEVELS[LEVELS.index(level):], reply)
        quiet = asyncio.ensure_future(peer.call("test_tool_with_progress", {}))
        loud = await peer.call("test_logging_tool", {}, meta={K + "logLevel": "debug"})
        reply = await quiet
        if target.transport == "http":
            checks.must("what one request logs does not reach another", loud.notifications("notifications/message")
                        and not reply.notifications("notifications/message"), reply)


async def one_way(checks, target):
    """The server sends results and notifications, never a request of its own."""
    async with target.open() as peer:
        for tool in ("test_streaming_elicitation", "test_input_required_result_multiple_inputs"):
            reply = await peer.call(tool, {}, meta={"progressToken": "one-way"})
            checks.must(f"{tool} sends no request", not reply.requests and reply.result is not None, reply)
        reply = await peer.call("test_streaming_elicitation", {}, meta={"progressToken": "before"})
        checks.must("progress may come before a question", len(reply.notifications("notifications/progress")) == 1
                    and reply.result.get("resultType") == "input_required", reply)
        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b", "baggage": "c=d"}
        reply = await peer.call("test_simple_text", {}, meta=trace)
        checks.must("a trace context is taken", reply.result is not None, reply)


async def subscriptions(checks, target):
    async with target.open() as peer:
        for id in ("listen-1", 77):
            watch = await peer.watch({"toolsListChanged": True}, id=id)
            ack = watch.ack or {}
            params = ack.get("params") or {}
            checks.must(f"the first message to {id!r} is the acknowledgment",
                        ack.get("method") == "notifications/subscriptions/acknowledged", ack)
            checks.must(f"the acknowledgment repeats what {id!r} is told of", params.get("notifications") == {"toolsListChanged": True}, ack)
            tag = (params.get("_meta") or {}).get(K + "subscriptionId")
            checks.must(f"the acknowledgment is tagged {id!r}", tag == id and type(tag) is type(id), ack)
            # What was not asked for happens first: had it been told, it would come first.
            for trigger in ("prompt_change", "resource_list_change", "resource_change", "tool_change"):
                await peer.call(f"test_trigger_{trigger}", {})
            note = await watch.next() or {}
            tag = ((note.get("params") or {}).get("_meta") or {}).get(K + "subscriptionId")
            checks.must(f"{id!r} is told of what it asked for and of nothing else",
                        note.get("method") == "notifications/tools/list_changed", note)
            checks.must(f"what {id!r} is told is tagged", tag == id and type(tag) is type(id), note)
            await watch.close()

        uri = "test://watched-resource"
        all = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True, "resourceSubscriptions": [uri]}
        watch, other = await peer.watch(all), await peer.watch({"resourceSubscriptions": [uri]})
        checks.must("everything can be asked for at once", ((watch.ack or {}).get("params") or {}).get("notifications") == all, watch.ack)
        for trigger, method in (("tool_change", "tools/list_changed"), ("prompt_change", "prompts/list_changed"),
                                ("resource_list_change", "resources/list_changed"), ("resource_change", "resources/updated")):
            await peer.call(f"test_trigger_{trigger}", {})
            note = await watch.next() or {}
            checks.must(f"{method} is told", note.get("method") == f"notifications/{method}", note)
        checks.must("a changed resource is named", (note.get("params") or {}).get("uri") == uri, note)
        note = await other.next() or {}
        checks.must("a second subscription is told at the same time, of its own alone",
                    note.get("method") == "notifications/resources/updated", note)
        tag = ((note.get("params") or {}).get("_meta") or {}).get(K + "subscriptionId")
        checks.must("each subscription has its own tag", tag == other.id, note)
        await watch.close()
        await peer.call("test_trigger_resource_change", {})
        note = await other.next() or {}
        checks.must("one subscription goes on when another ends", note.get("method") == "notifications/resources/updated", note)
        await other.close()

        watch = await peer.watch({"promptsListChanged": True, "resourceSubscriptions": ["test://nothing", uri], "unknownThing": True})
        honoured = ((watch.ack or {}).get("params") or {}).get("notifications") or {}
        checks.ours("what cannot be watched is not acknowledged", honoured == {"promptsListChanged": True, "resourceSubscriptions": [uri]},
                    watch.ack)
        await watch.close()
        for trigger in ("prompt_change", "resource_list_change"):
            await peer.call(f"test_trigger_{trigger}", {})
        for what, notifications in {"no filter": None, "a list as filter": [], "a text in the filter": {"toolsListChanged": "yes"},
                                    "a text as resources": {"resourceSubscriptions": "test://static-text"}}.items():
            params = {} if notifications is None else {"notifications": notifications}
            under_way = await peer.start(peer.request("subscriptions/listen", params))
            try:
                reply = await asyncio.wait_for(asyncio.shield(under_way.reply), 5)
                checks.must(f"subscriptions/listen with {what} is -32602", is_bad(peer, reply, -32602), reply)
            except TimeoutError:
                checks.must(f"subscriptions/listen with {what} is -32602", False, "it was taken")
                under_way.abort()


async def both_eras(checks, target):
    """A handshake session and requests without one, side by side."""
    async with target.open("2025-06-18") as peer:
        old = await peer.call("test_simple_text")
        revision, peer.revision, peer.wire.revision = peer.revision, MODERN, MODERN
        session = getattr(peer, "session", None)
        if session:
            peer.session = None
        new = await peer.call("test_simple_text")
        checks.ours("a request of the newest revision is served beside a session", (new.result or {}).get("resultType") == "complete", new)
        peer.revision = peer.wire.revision = revision
        if session:
            peer.session = session
        again = await peer.call("test_simple_text")
        checks.ours("the session goes on in its own way", old.result and again.result == old.result, again)
        checks.ours("results of a session have no members of the newest revision", "resultType" not in (again.result or {}), again)


ALL = [discovery, cold, envelope, revisions, removed, results, capabilities, rounds, states, logging, one_way, subscriptions]
