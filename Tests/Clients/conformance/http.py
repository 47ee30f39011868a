"""Streamable HTTP, byte by byte: a client that hides nothing, and the peers that talk through it."""

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

from .peer import CLIENT, TIMEOUT_SECONDS, Peer, Reply
from .wire import MODERN

JSON = "application/json"
STREAM = "text/event-stream"
BOTH = f"{JSON}, {STREAM}"
#: How long a stream may stay open after the response has come on it.
CLOSING_SECONDS = 2


class Answer:
    """The head of a response, and its body as it comes."""

    def __init__(self, reader, writer, status, headers):
        self.reader, self.writer, self.status, self.headers = reader, writer, status, headers

    async def chunks(self):
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int((await self.reader.readline()).split(b";")[0] or b"0", 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
        elif "content-length" in self.headers:
            yield await self.reader.readexactly(int(self.headers["content-length"]))
        elif self.status not in (202, 204):
            while piece := await self.reader.read(65_536):
                yield piece

    async def body(self):
        return b"".join([piece async for piece in self.chunks()])

    async def events(self):
        """Events of the stream as dictionaries of their fields; comments are left out."""
        buffer = b""
        async for piece in self.chunks():
            buffer = (buffer + piece).replace(b"\r\n", b"\n")
            while b"\n\n" in buffer:
                block, _, buffer = buffer.partition(b"\n\n")
                event = {}
                for line in block.decode().split("\n"):
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if name == "data" and "data" in event:
                        event["data"] += "\n" + value
                    elif name:
                        event[name] = value
                if event:
                    yield event

    def close(self):
        with contextlib.suppress(Exception):
            self.writer.close()


async def exchange(url, method, headers, body=b"", claimed_length=None):
    """Sends one request on a connection of its own and reads the response's head.

    - headers: list of pairs, sent as they are.
    - claimed_length: a Content-Length other than the body's.
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=1 << 24)
    try:
        return await _converse(reader, writer, parts, method, headers, body, claimed_length)
    except BaseException:
        # Who gives up leaves no connection behind: that it ends is what tells the server.
        writer.close()
        raise


async def _converse(reader, writer, parts, method, headers, body, claimed_length):
    lines = [f"{method} {parts.path or '/'} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(f"Host: {parts.netloc}")
    lines += [f"{name}: {value}" for name, value in headers] + ["Connection: close"]
    if method not in ("GET", "DELETE", "OPTIONS"):
        lines.append(f"Content-Length: {len(body) if claimed_length is None else claimed_length}")
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    status = (await reader.readline()).split(b" ")
    found = {}
    while (line := (await reader.readline()).strip()):
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
    if len(status) < 2:
        raise ConnectionError("the server closed the connection without a response")
    return Answer(reader, writer, int(status[1]), found)


class UnderWay:
    """A request that has been sent."""

    def __init__(self, id, reply, abort):
        self.id, self.reply, self.abort = id, reply, abort


class HTTPPeer(Peer):
    transport = "http"

    def __init__(self, url, key, revision, abilities=None, answers=None):
        super().__init__(revision, abilities, answers)
        self.url, self.key = url, key
        self.session = None
        self.watches = []

    # Headers

    def standard_headers(self, message):
        headers = {"Content-Type": JSON, "Accept": BOTH}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if self.is_modern:
            headers["MCP-Protocol-Version"] = self.revision
            if isinstance(message, dict) and "method" in message:
                headers["Mcp-Method"] = message["method"]
                params = message.get("params")
                params = params if isinstance(params, dict) else {}
                name = params.get("uri") if message["method"] == "resources/read" else params.get("name")
                if message["method"] in ("tools/call", "prompts/get", "resources/read") and isinstance(name, str):
                    headers["Mcp-Name"] = name
        else:
            if self.session:
                headers["Mcp-Session-Id"] = self.session
            if self.opening and self.revision >= "2025-06-18":
                headers["MCP-Protocol-Version"] = self.revision
        return headers

    @staticmethod
    def merged(headers, changes):
        """Changes win whatever their case; None takes a header away."""
        kept = {name: value for name, value in headers.items()
                if name.lower() not in {changed.lower() for changed in changes}}
        kept |= {name: value for name, value in changes.items() if value is not None}
        return list(kept.items())

    # Sending

    async def post(self, message, headers=None, body=None, method="POST", claimed_length=None):
        """- body: bytes to send in place of the message."""
        pairs = self.merged(self.standard_headers(message), headers or {})
        if body is None:
            body = json.dumps(message, ensure_ascii=False).encode()
        return await exchange(self.url, method, pairs, body, claimed_length)

    async def start(self, message, headers=None, body=None):
        opened = asyncio.ensure_future(self.post(message, headers, body))

        async def read():
            return await self.read(await opened, message)

        reply = asyncio.ensure_future(read())

        def abort():
            if opened.done() and not opened.cancelled() and opened.exception() is None:
                opened.result().close()
            opened.cancel()
            reply.cancel()

        await asyncio.sleep(0)
        return UnderWay(message.get("id") if isinstance(message, dict) else None, reply, abort)

    async def read(self, answer, message):
        """The whole reply to `message`, with the server's questions answered on the way."""
        reply = Reply(status=answer.status, headers=answer.headers)
        id, method = (message.get("id"), message.get("method")) if isinstance(message, dict) else (None, None)
        try:
            if answer.headers.get("content-type", "").startswith(STREAM):
                reply.events = []
                await self._read_stream(answer, reply, id, method)
            else:
                reply.text = (await answer.body()).decode(errors="replace")
                if answer.headers.get("content-type", "").startswith(JSON) and reply.text:
                    reply.response = json.loads(reply.text)
                    for one in reply.response if isinstance(reply.response, list) else [reply.response]:
                        self.wire.read(one, method)
        finally:
            answer.close()
        return reply

    async def _read_stream(self, answer, reply, id, method):
        events = answer.events().__aiter__()
        while True:
            seconds = TIMEOUT_SECONDS if reply.response is None else CLOSING_SECONDS
            try:
                event = await asyncio.wait_for(events.__anext__(), seconds)
            except (StopAsyncIteration, asyncio.IncompleteReadError):
                return
            except TimeoutError:
                if reply.response is None:
                    raise
                reply.events.append({"open": "the stream stayed open after the response"})
                return
            reply.events.append(event)
            if not event.get("data"):
                continue
            message = json.loads(event["data"])
            is_response = "method" not in message
            self.wire.read(message, method if is_response else None)
            if is_response and message.get("id") == id:
                reply.response = message
            elif reply.response is not None:
                reply.after.append(message)
            else:
                reply.before.append(message)
                if "method" in message and "id" in message:
                    await self.tell(self.answer(message))

    async def tell(self, message):
        """Sends a notification or a response; the reply is an empty one."""
        return await self.read(await self.post(message), message)

    async def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        return await self.tell(message)

    # Sessions

    async def open(self, complete=True):
        """The handshake; at the newest revision there is none."""
        if self.is_modern:
            return self
        params = {"protocolVersion": self.revision, "capabilities": self.abilities, "clientInfo": CLIENT}
        reply = await self.send("initialize", params)
        self.opening = reply
        self.session = reply.headers.get("mcp-session-id")
        if complete:
            self.initialized = await self.notify("notifications/initialized")
        return self

    async def delete(self, headers=None):
        pairs = self.merged(self.standard_headers(None), headers or {})
        answer = await exchange(self.url, "DELETE", pairs)
        return await self.read(answer, None)

    async def get(self, headers=None):
        """The head of the answer to a GET; whoever asks closes it."""
        base = {name: value for name, value in self.standard_headers(None).items() if name != "Content-Type"}
        return await exchange(self.url, "GET", self.merged({**base, "Accept": STREAM}, headers or {}))

    async def watch(self, filter=None, id=None):
        """Changes from now on. Handshake revisions are told of everything, the newest of what it asks for."""
        if self.is_modern:
            message = self.request("subscriptions/listen", {"notifications": filter or {}}, **({"id": id} if id else {}))
            watch = Watch(self, await self.post(message), message["id"])
        else:
            watch = Watch(self, await self.get(), None)
        self.watches.append(watch)
        if self.is_modern:
            watch.ack = await watch.next()
        return watch

    async def close(self):
        for watch in self.watches:
            await watch.close()
        if self.session:
            await self.delete()


class Watch:
    """A stream of changes, read in the background."""

    def __init__(self, peer, answer, id):
        self.peer, self.answer, self.id = peer, answer, id
        self.ack = None
        self.events = []
        self.queue = asyncio.Queue()
        self.reader = asyncio.ensure_future(self._read())

    @property
    def status(self):
        return self.answer.status

    async def _read(self):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async for event in self.answer.events():
                self.events.append(event)
                if not event.get("data"):
                    continue
                message = json.loads(event["data"])
                self.peer.wire.read(message, "subscriptions/listen")
                if "method" in message and "id" in message:
                    await self.peer.tell(self.peer.answer(message))
                self.queue.put_nowait(message)
        self.queue.put_nowait(None)

    async def next(self, seconds=8):
        """The next message; None when the stream has ended or nothing came in time."""
        try:
            return await asyncio.wait_for(self.queue.get(), seconds)
        except TimeoutError:
            return None

    async def close(self):
        self.answer.close()
        self.reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self.reader


class HTTPTarget:
    """A server to be reached by its address."""

    transport = "http"

    def __init__(self, url, key=None):
        self.url, self.key = url, key

    def peer(self, revision, abilities=None, answers=None):
        return HTTPPeer(self.url, self.key, revision, abilities, answers)

    @contextlib.asynccontextmanager
    async def open(self, revision=MODERN, abilities=None, answers=None, complete=True):
        peer = await self.peer(revision, abilities, answers).open(complete)
        try:
            yield peer
        finally:
            await peer.close()
