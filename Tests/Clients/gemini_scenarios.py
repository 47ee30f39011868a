"""How gemini_server.py generates: well behaved, and in every bad way that has been seen or can be thought of.

A scenario is a coroutine named after what follows `-case-` in the model's name, with `_` for `-`; it gets the exchange,
whose request has been checked already. Well-formed frames are checked against the official client's types before they
are sent. Usage is what the last frame of each request says, and is added up for `/_log`.
"""

import asyncio
import base64
import json
import random

from google.genai import types

from gemini_strict import Refused, expect, family

TEXT = ["Grüße ", "aus der ", "Küche: ", "😀 und ", "漢字", "."]
LINE_SEPARATORS = "one\u2028two\u2029three\u0085four"
INT64_MAX = 2**63 - 1
HUGE_PIECES, HUGE_PIECE = 300, "0123456789abcdef" * 1024
SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__.strip("_").replace("_", "-")] = function
    return function


def tokens(value):
    return max(1, len(json.dumps(value)) // 4)


class Turn:
    """One reply: builds its frames, and remembers what they say was used."""

    def __init__(self, exchange):
        self.exchange, self.usage, self.written, self.eol = exchange, None, 0, b"\r\n"

    def count(self, thoughts=0):
        prompt = tokens(self.exchange.body["contents"])
        self.usage = {
            "promptTokenCount": prompt, "cachedContentTokenCount": min(3, prompt), "candidatesTokenCount": self.written,
            "thoughtsTokenCount": thoughts, "totalTokenCount": prompt + self.written + thoughts,
        }
        return self.usage

    def reply(self, parts=None, finish=None, usage=True, thoughts=0, candidate=None, **members):
        """One response object; with parts None it has no content."""
        candidate = dict(candidate or {}, index=0)
        if parts is not None:
            candidate["content"] = {"role": "model", "parts": parts}
            self.written += sum(tokens(part) for part in parts)
        if finish:
            candidate["finishReason"] = finish
        reply = {"candidates": [candidate], "modelVersion": "gemini-3-flash-001", "responseId": "r1", **members}
        if usage:
            reply["usageMetadata"] = self.count(thoughts)
        types.GenerateContentResponse.model_validate(reply)
        return reply

    def sse(self, reply):
        return b"data: " + json.dumps(reply, ensure_ascii=False).encode() + self.eol + self.eol

    async def send(self, *arguments, **members):
        await self.exchange.send(self.sse(self.reply(*arguments, **members)))

    async def say(self, pieces=TEXT, finish="STOP"):
        for place, piece in enumerate(pieces):
            await self.send([{"text": piece}], finish=finish if place == len(pieces) - 1 else None)

    def signed(self, part, name):
        """A part with a signature of this family, to be seen again unchanged."""
        value = f"{family(self.exchange.model)[0]}/{self.exchange.model}/{self.exchange.attempt}/{name}"
        part = {**part, "thoughtSignature": base64.b64encode(value.encode()).decode()}
        self.exchange.server.checker.issue(self.exchange.model, part)
        return part


def call(name, args=None, id=None):
    function = {"name": name, "args": args if args is not None else {}}
    if id is not None:
        function["id"] = id
    return {"functionCall": function}


def answers(exchange):
    """Of the last content: what tools answered."""
    return [part["functionResponse"] for part in exchange.body["contents"][-1]["parts"] if "functionResponse" in part]


def transient(code, status, delay=None, details=()):
    details = list(details)
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return Refused("The model is overloaded. Please try again later.", code, status, details)


def quota(kind):
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": "m", "quotaId": f"GenerateRequestsPer{kind}PerProjectPerModel-FreeTier",
                        "quotaDimensions": {"model": "x"}, "quotaValue": "20"}],
    }


async def run(exchange):
    name = exchange.model.partition("-case-")[2].partition("_")[0] or "plain"
    turn = Turn(exchange)
    try:
        if name.startswith("finish-"):
            return await finish(exchange, turn, name.removeprefix("finish-"))
        if name.startswith("block-"):
            return await block(exchange, turn, name.removeprefix("block-"))
        if name not in SCENARIOS:
            raise Refused(f"models/{exchange.model} is not found for API version v1beta", 404, "NOT_FOUND")
        await SCENARIOS[name](exchange, turn)
    finally:
        if turn.usage:
            exchange.log.add_usage(turn.usage)


async def finish(exchange, turn, reason):
    await exchange.head()
    await turn.send([{"text": "A beginning"}])
    reply = turn.reply(None, usage=True)
    reply["candidates"][0]["finishReason"] = reason.replace("-", "_")
    reply["candidates"][0]["finishMessage"] = "as it happens"
    await exchange.send(turn.sse(reply))
    await exchange.end()


async def block(exchange, turn, reason):
    await exchange.head()
    reply = {"promptFeedback": {"blockReason": reason.replace("-", "_")}, "usageMetadata": turn.count()}
    await exchange.send(turn.sse(reply))
    await exchange.end()


# Well behaved


@scenario
async def plain(exchange, turn):
    if not exchange.is_stream:
        return await exchange.json(turn.reply([{"text": "".join(TEXT)}], "STOP"))
    await exchange.head()
    await turn.say()
    await exchange.end()


@scenario
async def agent(exchange, turn):
    """Two steps: two calls at once, then one, then an answer made of what the tools said."""
    await exchange.head()
    given = answers(exchange)
    earlier = sum("functionResponse" in part for content in exchange.body["contents"] for part in content["parts"])
    if not given:
        await turn.send([{"text": "Let me think", "thought": True}], thoughts=5)
        await turn.send([{"text": "I look."}])
        await turn.send([turn.signed(call("search_records", {"query": "x"}, "c1"), "a"), call("get_record", {"id": 1.50}, "c2")])
    elif earlier == 2:
        await turn.send([turn.signed(call("search_records", {"query": "y"}, "c3"), "b")])
    else:
        said = [str(answer["response"].get("output", answer["response"].get("error"))) for answer in given]
        await turn.send([{"text": "So: " + ", ".join(said)}])
        await turn.send([turn.signed({"text": ""}, "end")])
    await turn.send([], finish="STOP")
    await exchange.end()


@scenario
async def no_calls_allowed(exchange, turn):
    """Shows the mode that came back."""
    mode = exchange.body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode", "AUTO")
    await exchange.head()
    await turn.say([mode])
    await exchange.end()


@scenario
async def names(exchange, turn):
    """Calls every function that is offered, by the name it came with."""
    await exchange.head()
    if answers(exchange):
        await turn.say(["done"])
    else:
        declared = [f["name"] for tool in exchange.body["tools"] for f in tool["functionDeclarations"]]
        parts = [call(name, {}, f"n{place}") for place, name in enumerate(declared)]
        parts[0] = turn.signed(parts[0], "first")
        await turn.send(parts, finish="STOP")
    await exchange.end()


@scenario
async def schema(exchange, turn):
    expect(exchange.body["generationConfig"].get("responseJsonSchema"), "no schema came")
    await exchange.head()
    await turn.say(['{"answer":', "42}"])
    await exchange.end()


# The stream's bytes


@scenario
async def lf(exchange, turn):
    turn.eol = b"\n"
    await plain(exchange, turn)


@scenario
async def cr(exchange, turn):
    turn.eol = b"\r"
    await plain(exchange, turn)


async def whole(turn, pieces=TEXT):
    frames = [turn.sse(turn.reply([{"text": piece}])) for piece in pieces[:-1]]
    return b"".join(frames) + turn.sse(turn.reply([{"text": pieces[-1]}], "STOP"))


@scenario
async def byte_by_byte(exchange, turn):
    await exchange.head()
    for byte in await whole(turn):
        await exchange.send(bytes([byte]))
    await exchange.end()


@scenario
async def random_pieces(exchange, turn):
    generator = random.Random(exchange.model)
    await exchange.head()
    data = await whole(turn)
    while data:
        size = generator.randint(1, 40)
        await exchange.send(data[:size])
        data = data[size:]
    await exchange.end()


@scenario
async def split_at_line_ends(exchange, turn):
    await exchange.head()
    for piece in (await whole(turn)).split(b"\n"):
        await exchange.send(piece)
        await asyncio.sleep(0.002)
        await exchange.send(b"\n")
    await exchange.end()


@scenario
async def line_separators(exchange, turn):
    await exchange.head()
    await turn.say([LINE_SEPARATORS[:5], LINE_SEPARATORS[5:]])
    await exchange.end()


@scenario
async def comments_and_bom(exchange, turn):
    await exchange.head()
    await exchange.send(b"\xef\xbb\xbf: hello\r\n\r\n:\r\nretry: 5\r\nevent: message\r\nid: 4\r\n")
    data = (await whole(turn)).replace(b"data: ", b"data:")
    await exchange.send(data.replace(b"\r\n\r\n", b"\r\n\r\n: ping\r\n\r\n\r\n"))
    await exchange.end()


@scenario
async def done_at_the_end(exchange, turn):
    await exchange.head()
    await exchange.send(await whole(turn) + b"data: [DONE]\r\n\r\n")
    await exchange.end()


@scenario
async def no_blank_line_at_the_end(exchange, turn):
    await exchange.head()
    await exchange.send((await whole(turn)).rstrip(b"\r\n"))
    await exchange.end()


@scenario
async def until_close(exchange, turn):
    await exchange.head(length=-1)
    await exchange.send(await whole(turn))


@scenario
async def with_length(exchange, turn):
    data = await whole(turn)
    await exchange.head(length=len(data))
    await exchange.send(data)


@scenario
async def array_instead_of_events(exchange, turn):
    """As without alt=sse: some proxies lose the query."""
    replies = [turn.reply([{"text": piece}]) for piece in TEXT[:-1]] + [turn.reply([{"text": TEXT[-1]}], "STOP")]
    await exchange.head(content_type="application/json")
    await exchange.send(json.dumps(replies, indent=2, ensure_ascii=False).encode())
    await exchange.end()


@scenario
async def huge(exchange, turn):
    await exchange.head()
    await turn.say([HUGE_PIECE] * HUGE_PIECES)
    await exchange.end()


@scenario
async def too_huge(exchange, turn):
    await exchange.head()
    while True:
        await exchange.send(turn.sse(turn.reply([{"text": HUGE_PIECE * 8}])))


@scenario
async def gzipped(exchange, turn):
    await exchange.gzipped(await whole(turn))


# What frames hold


@scenario
async def tomorrow(exchange, turn):
    """Members and words that nobody knows yet."""
    await exchange.head()
    reply = turn.reply([{"text": "new"}])
    reply["somethingNew"] = {"a": [1, {"b": None}]}
    reply["candidates"][0]["content"]["parts"][0]["partOfTomorrow"] = 7
    reply["candidates"][0]["safetyRatings"] = [{"category": "HARM_CATEGORY_NEW", "probability": "QUITE"}]
    reply["usageMetadata"]["promptTokensDetails"] = [{"modality": "SMELL", "tokenCount": "12"}]
    reply["usageMetadata"]["promptTokenCount"] = str(reply["usageMetadata"]["promptTokenCount"])
    await exchange.send(turn.sse(reply))
    await turn.send([{"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "er"}])
    await turn.send([], finish="STOP")
    await exchange.end()
    turn.count()


@scenario
async def bare_frames(exchange, turn):
    """No parts, no content, no candidates, usage alone."""
    await exchange.head()
    await exchange.send(turn.sse({"usageMetadata": turn.count()}))
    await turn.send([])
    await turn.send(None)
    await exchange.send(turn.sse({"candidates": [], "modelVersion": "gemini-3-flash-001"}))
    await turn.say()
    await exchange.send(turn.sse({"usageMetadata": turn.count(thoughts=9)}))
    await exchange.end()


@scenario
async def second_candidate(exchange, turn):
    await exchange.head()
    reply = turn.reply([{"text": "right"}], "STOP")
    reply["candidates"].insert(0, {"index": 1, "content": {"role": "model", "parts": [{"text": "wrong"}]}})
    await exchange.send(turn.sse(reply))
    await exchange.end()


@scenario
async def deprecated(exchange, turn):
    await exchange.head()
    await turn.send([{"text": "old"}], finish="STOP", modelStatus={"modelStage": "DEPRECATED"})
    await exchange.end()


async def calls_then_done(exchange, turn, frames):
    await exchange.head()
    if answers(exchange):
        await turn.say(["done"])
    else:
        for parts in frames:
            await turn.send(parts)
        await turn.send([], finish="STOP")
    await exchange.end()


@scenario
async def calls_in_one_frame(exchange, turn):
    await calls_then_done(exchange, turn, [[turn.signed(call("a", {"x": 1}, "i1"), 1), call("b", {}, "i2"), call("a", {}, "i3")]])


@scenario
async def calls_over_frames(exchange, turn):
    await calls_then_done(exchange, turn, [[turn.signed(call("a", {}, "i1"), 1)], [call("b", {}, "i2")], [call("a", {}, "i3")]])


@scenario
async def calls_without_ids(exchange, turn):
    await calls_then_done(exchange, turn, [[turn.signed(call("a"), 1), call("b"), call("a")]])


@scenario
async def calls_with_one_id(exchange, turn):
    await calls_then_done(exchange, turn, [[turn.signed(call("a", {}, "same"), 1), call("a", {}, "same")]])


@scenario
async def calls_without_arguments(exchange, turn):
    await calls_then_done(exchange, turn, [[turn.signed({"functionCall": {"name": "a", "id": "i1"}}, 1)]])


@scenario
async def calls_without_signature(exchange, turn):
    await calls_then_done(exchange, turn, [[call("a", {}, "i1")]])


@scenario
async def signature_on_empty_text(exchange, turn):
    await calls_then_done(exchange, turn, [[{"text": "x"}], [turn.signed({"text": ""}, 0)], [turn.signed(call("a", {}, "i1"), 1)]])


@scenario
async def signature_on_last_text(exchange, turn):
    await exchange.head()
    await turn.send([{"text": "signed "}])
    await turn.send([turn.signed({"text": "text"}, exchange.attempt)], finish="STOP")
    await exchange.end()


@scenario
async def calls_beyond_the_bound(exchange, turn):
    await exchange.head()
    await turn.send([{"text": "I call"}])
    await turn.send([turn.signed(call("a", {}, "i1"), 1)], finish="MAX_TOKENS")
    await exchange.end()


@scenario
async def calls_with_odd_arguments(exchange, turn):
    """No object: neither the client's types nor the API take that back."""
    await exchange.head()
    if answers(exchange):
        await turn.say(["done"])
    else:
        reply = turn.reply([turn.signed(call("a", {}, "i1"), 1), call("a", {}, "i2"), call("b", {}, "i3")], "STOP")
        parts = reply["candidates"][0]["content"]["parts"]
        parts[1]["functionCall"]["args"], parts[2]["functionCall"]["args"] = '{"n": 1}', [1]
        await exchange.send(turn.sse(reply))
    await exchange.end()


@scenario
async def parts_of_nothing(exchange, turn):
    nothing = [{}, {"text": None}, {"thought": True}, {"partMetadata": {}}]
    await calls_then_done(exchange, turn, [nothing, [turn.signed(call("a", {}, "i1"), 1), {}]])


@scenario
async def many_calls(exchange, turn):
    parts = [call("a", {"n": n}, f"i{n}") for n in range(40)]
    parts[0] = turn.signed(parts[0], 1)
    await calls_then_done(exchange, turn, [parts])


# Continuation


@scenario
async def continuation(exchange, turn):
    token = exchange.body.get("continuationToken")
    expect(token == {1: None, 2: "dG9rZW4x", 3: "dG9rZW4y"}[exchange.attempt], f"token {token} at {exchange.attempt}")
    await exchange.head()
    await turn.say([f"part {exchange.attempt}; "], finish=None)
    if exchange.attempt < 3:
        token = f"dG9rZW4{'xy'[exchange.attempt - 1]}"
        await turn.send(None, finish="CONTINUATION", candidate={"continuationToken": token})
    else:
        await turn.send([], finish="STOP")
    await exchange.end()


@scenario
async def counts_beyond_reason(exchange, turn):
    """The largest numbers there are, twice: their sum must not be more than a program can take."""
    count = {"promptTokenCount": INT64_MAX, "toolUsePromptTokenCount": str(INT64_MAX), "candidatesTokenCount": INT64_MAX,
             "cachedContentTokenCount": INT64_MAX, "thoughtsTokenCount": str(INT64_MAX), "totalTokenCount": INT64_MAX}
    await exchange.head()
    if exchange.attempt == 1:
        reply = turn.reply([{"text": "one "}], "CONTINUATION", False, candidate={"continuationToken": "dDE="})
    else:
        reply = turn.reply([{"text": "two"}], "STOP", False)
    await exchange.send(turn.sse({**reply, "usageMetadata": count}))
    await exchange.end()


@scenario
async def continuation_without_end(exchange, turn):
    """The same token again: there is no progress."""
    await exchange.head()
    await turn.send([{"text": "more "}], finish="CONTINUATION", candidate={"continuationToken": "c2FtZQ=="})
    await exchange.end()


@scenario
async def continuation_torn(exchange, turn):
    """Torn right after a token: that is where it goes on."""
    await exchange.head()
    if exchange.attempt == 1:
        await turn.send([{"text": "one "}])
        await turn.send([{"text": "two "}], candidate={"continuationToken": "Y2hlY2s="})
        await asyncio.sleep(0.05)  # a reset overtakes what is on its way
        return exchange.reset()
    expect(exchange.body.get("continuationToken") == "Y2hlY2s=", "goes on from nowhere")
    await turn.say(["three"])
    await exchange.end()


@scenario
async def continuation_hiccup(exchange, turn):
    """The second request fails before it says anything, and may be made again: nothing is said twice."""
    if exchange.attempt == 2:
        raise transient(503, "UNAVAILABLE")
    await exchange.head()
    if exchange.attempt == 1:
        await turn.send([{"text": "one "}], finish="CONTINUATION", candidate={"continuationToken": "dDE="})
    else:
        await turn.say(["two"])
    await exchange.end()


@scenario
async def continuation_of_thoughts(exchange, turn):
    """The second request thinks aloud and is torn: the text of the first stays."""
    await exchange.head()
    if exchange.attempt == 1:
        return await end_with(exchange, turn, [{"text": "one "}], "CONTINUATION", {"continuationToken": "dDE="})
    await turn.send([{"text": "Hm. ", "thought": True}], thoughts=1)
    if exchange.attempt == 2:
        return exchange.close()
    await end_with(exchange, turn, [{"text": "two"}], "STOP", None)


async def end_with(exchange, turn, parts, reason, candidate):
    await turn.send(parts, finish=reason, candidate=candidate)
    await exchange.end()


# Failures before anything was said


async def fail_first(exchange, turn, times, failure):
    if exchange.attempt <= times:
        return await failure()
    await plain(exchange, turn)


@scenario
async def retry_info(exchange, turn):
    if exchange.attempt == 1:
        raise transient(429, "RESOURCE_EXHAUSTED", "0.040s", [quota("Minute")])
    await plain(exchange, turn)


@scenario
async def retry_after(exchange, turn):
    if exchange.attempt == 1:
        return await exchange.refuse(transient(429, "RESOURCE_EXHAUSTED"), [("retry-after", "0.04")])
    await plain(exchange, turn)


@scenario
async def quota_in_ages(exchange, turn):
    raise transient(429, "RESOURCE_EXHAUSTED", "99999999999999999999s", [quota("Minute")])


@scenario
async def quota_of_day(exchange, turn):
    raise transient(429, "RESOURCE_EXHAUSTED", "0.01s", [quota("Minute"), quota("Day")])


@scenario
async def quota_far_away(exchange, turn):
    raise transient(429, "RESOURCE_EXHAUSTED", "3600s", [quota("Minute")])


@scenario
async def overloaded_twice(exchange, turn):
    if exchange.attempt <= 2:
        raise transient((503, 504)[exchange.attempt - 1], "UNAVAILABLE")
    await plain(exchange, turn)


@scenario
async def overloaded_for_ever(exchange, turn):
    raise transient(500, "INTERNAL")


@scenario
async def request_timeout(exchange, turn):
    await fail_first(exchange, turn, 1, lambda: exchange.text("", 408))


@scenario
async def page_502(exchange, turn):
    await fail_first(exchange, turn, 1, lambda: exchange.text("<html><h1>502 Bad Gateway</h1></html>", 502))


@scenario
async def page_200(exchange, turn):
    await fail_first(exchange, turn, 1, lambda: exchange.text("<!DOCTYPE html>\n<p>Please log in</p>"))


@scenario
async def page_403(exchange, turn):
    await exchange.text("<html>Forbidden by the proxy</html>", 403)


@scenario
async def nothing_at_all(exchange, turn):
    if exchange.attempt == 1:
        return exchange.reset()
    await plain(exchange, turn)


@scenario
async def empty_body(exchange, turn):
    if exchange.attempt == 1:
        await exchange.head()
        return await exchange.end()
    await plain(exchange, turn)


@scenario
async def slow_first_byte(exchange, turn):
    await asyncio.sleep(0.3)
    await plain(exchange, turn)


@scenario
async def no_first_byte(exchange, turn):
    await exchange.until_closed()


@scenario
async def error_frame_first(exchange, turn):
    if exchange.attempt == 1:
        await exchange.head()
        await exchange.send(turn.sse(transient(503, "UNAVAILABLE").body()))
        return await exchange.end()
    await plain(exchange, turn)


@scenario
async def broken_frame_first(exchange, turn):
    if exchange.attempt == 1:
        await exchange.head()
        await exchange.send(b'data: {"candidates": [{"content": {"parts": [{"text"\r\n\r\n')
        return await exchange.end()
    await plain(exchange, turn)


@scenario
async def cut_while_thinking(exchange, turn):
    if exchange.attempt == 1:
        await exchange.head()
        await turn.send([{"text": "Hm, ", "thought": True}], thoughts=2)
        return exchange.close()
    await exchange.head()
    await turn.send([{"text": "Aha. ", "thought": True}], thoughts=2)
    await turn.say()
    await exchange.end()


@scenario
async def precondition(exchange, turn):
    raise Refused("User location is not supported for the API use.", 400, "FAILED_PRECONDITION")


@scenario
async def forbidden(exchange, turn):
    raise Refused("The caller does not have permission", 403, "PERMISSION_DENIED")


@scenario
async def signature_missed(exchange, turn):
    raise Refused("Function call is missing a thought_signature in functionCall parts.")


@scenario
async def too_long(exchange, turn):
    raise Refused("The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).")


@scenario
async def wrapped_error(exchange, turn):
    await exchange.json([Refused("Bad thing.").body()], 400)


@scenario
async def echoes_key(exchange, turn):
    raise Refused(f"You sent {exchange.headers['x-goog-api-key']}, which is odd.")


# Failures after something was said


async def begin(exchange, turn):
    await exchange.head()
    await turn.send([{"text": "Half an "}])


@scenario
async def cut_after_text(exchange, turn):
    await begin(exchange, turn)
    await exchange.end()


@scenario
async def closed_after_text(exchange, turn):
    await begin(exchange, turn)
    exchange.close()


@scenario
async def reset_after_text(exchange, turn):
    await begin(exchange, turn)
    await asyncio.sleep(0.05)
    exchange.reset()


@scenario
async def cut_inside_a_frame(exchange, turn):
    await begin(exchange, turn)
    frame = turn.sse(turn.reply([{"text": "ansẅer"}], "STOP"))
    await exchange.send(frame[: random.Random(exchange.model).randint(10, len(frame) - 8)])
    exchange.close()


@scenario
async def stall_after_text(exchange, turn):
    await begin(exchange, turn)
    await exchange.until_closed()


@scenario
async def error_frame(exchange, turn):
    await begin(exchange, turn)
    await exchange.send(turn.sse(transient(503, "UNAVAILABLE").body()))
    await exchange.end()


@scenario
async def error_over_lines(exchange, turn):
    await begin(exchange, turn)
    await exchange.send(json.dumps(transient(503, "UNAVAILABLE").body(), indent=2).encode() + b"\n")
    await exchange.end()


@scenario
async def error_in_a_line(exchange, turn):
    await begin(exchange, turn)
    await exchange.send(json.dumps(transient(429, "RESOURCE_EXHAUSTED", details=[quota("Day")]).body()).encode())
    await exchange.end()


@scenario
async def broken_frame(exchange, turn):
    await begin(exchange, turn)
    await exchange.send(b"data: {nonsense}\r\n\r\n")
    await turn.say(["never"])
    await exchange.end()


@scenario
async def trickle(exchange, turn):
    """A word now and then, for ever: only the deadline of the whole ends it."""
    await exchange.head()
    while True:
        await turn.send([{"text": "drip "}])
        await asyncio.sleep(0.05)


@scenario
async def reset_after_the_end(exchange, turn):
    await exchange.head()
    await turn.say()
    await asyncio.sleep(0.05)
    exchange.reset()


@scenario
async def error_after_the_end(exchange, turn):
    await exchange.head()
    await turn.say()
    await exchange.send(turn.sse({"usageMetadata": {"totalTokenCount": 1}}))
    await exchange.send(turn.sse(transient(500, "INTERNAL").body()))
    await exchange.end()


@scenario
async def stall_after_the_end(exchange, turn):
    await exchange.head()
    await turn.say()
    await exchange.until_closed()


# Turns that are no answer


@scenario
async def empty_once(exchange, turn):
    if exchange.attempt > 1:
        return await plain(exchange, turn)
    await exchange.head()
    await turn.send(None, finish="STOP")
    await exchange.end()


@scenario
async def empty(exchange, turn):
    await exchange.head()
    await turn.send([{"text": ""}], finish="STOP")
    await exchange.end()


@scenario
async def malformed_call_once(exchange, turn):
    if exchange.attempt > 1:
        mode = exchange.body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode")
        expect(mode == "VALIDATED", f"asked again in mode {mode}")
        return await plain(exchange, turn)
    await exchange.head()
    await turn.send(None, finish="MALFORMED_FUNCTION_CALL", candidate={"finishMessage": "Malformed function call: a("})
    await exchange.end()


@scenario
async def malformed_call(exchange, turn):
    await exchange.head()
    await turn.send(None, finish="MALFORMED_FUNCTION_CALL")
    await exchange.end()


@scenario
async def nameless_call(exchange, turn):
    await exchange.head()
    await turn.send([{"functionCall": {"args": {}}}], finish="STOP")
    await exchange.end()


@scenario
async def misnamed_call(exchange, turn):
    """A name that the API itself takes back in no history."""
    await exchange.head()
    await turn.send([call("9 bad name!", {}, "i1")], finish="STOP")
    await exchange.end()


@scenario
async def misnamed_call_after_text(exchange, turn):
    await exchange.head()
    await turn.send([{"text": "I call "}])
    await turn.send([call("n" * 129)], finish="STOP")
    await exchange.end()


@scenario
async def recitation_once(exchange, turn):
    if exchange.attempt > 1:
        return await plain(exchange, turn)
    await exchange.head()
    await turn.send(None, finish="RECITATION")
    await exchange.end()


@scenario
async def recitation(exchange, turn):
    await exchange.head()
    await turn.send(None, finish="RECITATION")
    await exchange.end()
