"""What both transports share: messages, replies, and a client that can be asked."""

import asyncio
import copy
import itertools
from dataclasses import dataclass, field

from .wire import MODERN, Wire

TIMEOUT_SECONDS = 15
K = "io.modelcontextprotocol/"
ABILITIES = {"elicitation": {}, "sampling": {}, "roots": {"listChanged": True}}
CLIENT = {"name": "conformance", "version": "1.0"}
IDS = itertools.count(1000)


class _Automatic:
    pass


AUTOMATIC = _Automatic()


@dataclass
class Reply:
    """All that came back for one message."""

    status: int | None = None
    headers: dict = field(default_factory=dict)
    #: Notifications and requests of the server, in the order they came, before the response.
    before: list = field(default_factory=list)
    response: dict | None = None
    #: What came on the same stream after the response.
    after: list = field(default_factory=list)
    #: Server-sent events, when it was a stream.
    events: list | None = None
    text: str = ""

    @property
    def result(self):
        return (self.response or {}).get("result")

    @property
    def error(self):
        return (self.response or {}).get("error")

    @property
    def code(self):
        return (self.error or {}).get("code")

    @property
    def is_failed_tool(self):
        return self.result is not None and self.result.get("isError") is True

    @property
    def is_stream(self):
        return self.events is not None

    def notifications(self, method):
        return [message for message in self.before if message.get("method") == method]

    @property
    def requests(self):
        return [message for message in self.before if "method" in message and "id" in message]

    def __str__(self):
        head = f"HTTP {self.status} " if self.status is not None else ""
        return f"{head}{self.response if self.response is not None else self.text!r} after {self.before}"


def text_of(reply):
    """The texts of a tool's result, joined."""
    blocks = (reply.result or {}).get("content") or []
    return "\n".join(block.get("text", "") for block in blocks if block.get("type") == "text")


def accepting(**content):
    return lambda params: {"action": "accept", "content": content}


def declining(params):
    return {"action": "decline"}


def cancelling(params):
    return {"action": "cancel"}


def sampled(params):
    return {"role": "assistant", "content": {"type": "text", "text": "A sampled text."}, "model": "test-model",
            "stopReason": "endTurn"}


def rooted(params):
    return {"roots": [{"uri": "file:///test/root", "name": "Test root"}]}


ANSWERS = {"elicitation/create": accepting(name="Alice", username="alice", email="alice@example.com", ok=True,
                                           color="blue", context="tests", text="Sunny."),
           "sampling/createMessage": sampled, "roots/list": rooted, "ping": lambda params: {}}


class Refusal(Exception):
    """An answer of the client that is an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Peer:
    """One client that talks to the server at one revision.

    A subclass gives `start(message)`, which sends and returns what is under way, `notify`, `watch` and `close`.
    """

    transport = ""

    def __init__(self, revision, abilities=None, answers=None):
        self.revision = revision
        self.abilities = copy.deepcopy(ABILITIES if abilities is None else abilities)
        self.answers = {**ANSWERS, **(answers or {})}
        self.wire = Wire(revision)
        #: Requests of the server, each with what was answered.
        self.asked = []
        #: The reply to `initialize`, or at a revision without one to `server/discover` when it was asked.
        self.opening = None

    @property
    def is_modern(self):
        return self.revision == MODERN

    def meta(self, **more):
        """What every request of the newest revision carries."""
        return {K + "protocolVersion": self.revision, K + "clientCapabilities": self.abilities,
                K + "clientInfo": CLIENT, **more}

    def request(self, method, params=None, id=AUTOMATIC, meta=AUTOMATIC):
        """- meta: members to add to `_meta`; None for a request without any."""
        params = copy.deepcopy(params) if params is not None else None
        more = {} if meta is AUTOMATIC or meta is None else meta
        if self.is_modern and meta is not None:
            params = {**(params or {}), "_meta": self.meta(**more)}
        elif more:
            params = {**(params or {}), "_meta": more}
        message = {"jsonrpc": "2.0", "id": next(IDS) if id is AUTOMATIC else id, "method": method}
        if params is not None:
            message["params"] = params
        return message

    async def send(self, method, params=None, id=AUTOMATIC, meta=AUTOMATIC, **options):
        """One request and all that comes of it."""
        under_way = await self.start(self.request(method, params, id, meta), **options)
        return await asyncio.wait_for(under_way.reply, TIMEOUT_SECONDS)

    async def call(self, tool, arguments=None, **options):
        params = {"name": tool}
        if arguments is not None:
            params["arguments"] = arguments
        return await self.send("tools/call", params, **options)

    async def settle(self, method, params, answers=None, **options):
        """One request with all questions answered, whichever way the revision asks them."""
        answers = {**self.answers, **(answers or {})}
        before, self.answers = self.answers, answers
        try:
            reply = await self.send(method, params, **options)
            for _ in range(8):
                result = reply.result or {}
                if result.get("resultType") != "input_required":
                    break
                more = {"inputResponses": self.respond(result.get("inputRequests") or {})}
                if "requestState" in result:
                    more["requestState"] = result["requestState"]
                reply = await self.send(method, {**params, **more}, **options)
            return reply
        finally:
            self.answers = before

    async def settle_call(self, tool, arguments=None, answers=None, **options):
        return await self.settle("tools/call", {"name": tool, "arguments": arguments or {}}, answers, **options)

    def respond(self, questions):
        """Answers to questions that came as a result."""
        responses = {}
        for key, question in questions.items():
            responses[key] = self.answers[question["method"]](question.get("params"))
            self.asked.append(question)
        return responses

    def answer(self, request):
        """The response to a request of the server."""
        self.asked.append(request)
        envelope = {"jsonrpc": "2.0", "id": request["id"]}
        answer = self.answers.get(request["method"])
        if answer is None:
            return {**envelope, "error": {"code": -32601, "message": "no such method"}}
        try:
            return {**envelope, "result": answer(request.get("params"))}
        except Refusal as refusal:
            return {**envelope, "error": {"code": refusal.code, "message": str(refusal)}}


async def eventually(condition, seconds=8):
    """Asks again and again, until it holds or time is up; the last answer."""
    for _ in range(int(seconds / 0.05)):
        found = await condition()
        if found:
            return found
        await asyncio.sleep(0.05)
    return await condition()
