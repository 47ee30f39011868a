"""A strict Gemini on this machine, for tests: it refuses what Google refuses, and misbehaves on demand.

    gemini_server.py [SECONDS]

listens on 127.0.0.1, prints `{"port": N}` on the first line of standard output, and ends when standard input ends, at the
latest after SECONDS (300). The key is `test-key-of-a-scripted-gemini`.

The model's name says how it answers: `gemini-3-case-NAME_SUFFIX` is scenario NAME of gemini_scenarios.py (the suffix
keeps the counters of tests apart), `gemini-embedding-001-case-NAME_SUFFIX` one of embedding. Every request is checked
by gemini_strict.py first, every well-formed reply against the types of the official client. `GET /_log?model=M` tells what
came for a model: requests, refusals, tokens as sent, connections that the client closed early.
"""

import asyncio
import gzip
import json
import re
import sys
import urllib.parse

import gemini_embeddings
import gemini_scenarios
from gemini_strict import Checker, Refused

KEY = "test-key-of-a-scripted-gemini"
VERSIONS = ("v1", "v1beta")
LISTED = ["gemini-3.7-flash", "gemini-2.5-pro", "gemini-embedding-001", "gemini-embedding-2", "gemini-flash-latest"]
INT64_AS_TEXT = "1048576"


class Log:
    def __init__(self):
        self.requests, self.refusals, self.usage, self.closed, self.bodies = 0, [], {}, 0, []
        self.lookups = 0

    def add_usage(self, usage):
        for name, count in usage.items():
            self.usage[name] = self.usage.get(name, 0) + count


class Exchange:
    """One request and the way its reply is written; what scenarios work with."""

    def __init__(self, server, reader, writer, method, path, headers, body):
        self.server, self.reader, self.writer = server, reader, writer
        self.method, self.headers, self.raw = method, headers, body
        split = urllib.parse.urlsplit(path)
        self.path, self.query = split.path, urllib.parse.parse_qs(split.query, keep_blank_values=True)
        self.model, self.attempt, self.body, self.is_stream = "", 1, {}, False
        self.is_chunked, self.must_close = True, False

    @property
    def log(self):
        return self.server.logs.setdefault(self.model, Log())

    async def head(self, status=200, content_type="text/event-stream", length=None, extra=()):
        """Chunked, of a length, or until the connection closes (length < 0)."""
        lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}"]
        self.is_chunked = length is None
        if length is None:
            lines.append("transfer-encoding: chunked")
        elif length >= 0:
            lines.append(f"content-length: {length}")
        else:
            lines.append("connection: close")
            self.must_close = True
        lines += [f"{name}: {value}" for name, value in extra]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def send(self, data):
        """One piece of the body, on the wire before this returns."""
        if not data:
            return
        if self.is_chunked:
            data = f"{len(data):x}\r\n".encode() + data + b"\r\n"
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)

    async def end(self):
        if self.is_chunked:
            self.writer.write(b"0\r\n\r\n")
            await self.writer.drain()

    async def json(self, value, status=200, extra=()):
        data = json.dumps(value).encode()
        await self.head(status, "application/json; charset=UTF-8", len(data), extra)
        await self.send(data)

    async def refuse(self, refused, extra=()):
        body = refused.body()
        await self.json([body] if self.is_stream and "alt" not in self.query else body, refused.code, extra)

    async def text(self, text, status=200, content_type="text/html"):
        await self.head(status, content_type, len(text.encode()))
        await self.send(text.encode())

    async def gzipped(self, data):
        data = gzip.compress(data)
        await self.head(200, "text/event-stream", len(data), [("content-encoding", "gzip")])
        await self.send(data)

    def reset(self):
        """Ends the connection with RST."""
        self.writer.transport.abort()
        self.must_close = True

    def close(self):
        """Ends the connection, whatever was promised."""
        self.must_close = True

    async def until_closed(self, seconds=20):
        """Says nothing more until the client goes away."""
        self.must_close = True
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(1024):
                    pass
            self.log.closed += 1
        except (TimeoutError, ConnectionError):
            if isinstance(sys.exception(), ConnectionError):
                self.log.closed += 1


class Server:
    def __init__(self):
        self.logs, self.checker = {}, Checker()

    async def serve(self, reader, writer):
        try:
            while await self.serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def serve_one(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, value in (l.split(":", 1) for l in lines[1:] if l)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        exchange = Exchange(self, reader, writer, method, path, headers, body)
        try:
            await self.answer(exchange)
        except Refused as refused:
            exchange.log.refusals.append(refused.message)
            await exchange.refuse(refused)
        except (ConnectionError, asyncio.CancelledError):
            exchange.log.closed += 1
            raise
        return not exchange.must_close

    async def answer(self, exchange):
        if exchange.path == "/_log":
            model = exchange.query["model"][0]
            log = self.logs.setdefault(model, Log())
            return await exchange.json(log.__dict__)
        match = re.match(r"/(\w+)/(models)(?:/([A-Za-z0-9._-]+))?(?::(\w+))?\Z", exchange.path)
        if not match or match[1] not in VERSIONS:
            raise Refused("Requested entity was not found.", 404, "NOT_FOUND")
        exchange.model, method = match[3] or "", match[4]
        exchange.is_stream = method == "streamGenerateContent"
        self.authenticate(exchange)
        if exchange.method == "GET":
            return await self.models(exchange)
        exchange.log.requests += 1
        exchange.attempt = exchange.log.requests
        if exchange.headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refused("Invalid content type")
        exchange.body = self.parse(exchange)
        exchange.log.bodies.append(exchange.body)
        if exchange.model.endswith("-latest") and match[1] == "v1":
            raise Refused(f"models/{exchange.model} is not found for API version v1", 404, "NOT_FOUND")
        if method in ("generateContent", "streamGenerateContent"):
            if exchange.is_stream and exchange.query.get("alt") != ["sse"]:
                raise Refused("this server streams with alt=sse only")
            self.checker.generate(exchange.model, exchange.body)
            return await gemini_scenarios.run(exchange)
        if method == "countTokens":
            contents = self.checker.count(exchange.model, exchange.body)
            return await exchange.json({"totalTokens": gemini_scenarios.tokens(contents)})
        if method in ("embedContent", "batchEmbedContents"):
            return await gemini_embeddings.run(exchange, method == "batchEmbedContents")
        raise Refused("Requested entity was not found.", 404, "NOT_FOUND")

    def authenticate(self, exchange):
        if "key" in exchange.query:
            raise Refused("this server takes keys in the header only", 403, "PERMISSION_DENIED")
        if "authorization" in exchange.headers:
            raise Refused("Request had invalid authentication credentials.", 401, "UNAUTHENTICATED")
        key = exchange.headers.get("x-goog-api-key")
        if key is None:
            raise Refused("Method doesn't allow unregistered callers.", 403, "PERMISSION_DENIED")
        if key != KEY:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise Refused(f"API key not valid: {key}. Please pass a valid API key.", details=[info])

    def parse(self, exchange):
        def no_doubles(pairs):
            names = [name for name, _ in pairs]
            if len(set(names)) != len(names):
                raise Refused("Invalid JSON payload received. A member is there twice.")
            return dict(pairs)

        try:
            return json.loads(exchange.raw.decode("utf-8"), object_pairs_hook=no_doubles)
        except ValueError as error:
            raise Refused(f"Invalid JSON payload received. {error}")

    async def models(self, exchange):
        def info(name):
            methods = ["embedContent"] if "embedding" in name else ["generateContent", "countTokens"]
            return {
                "name": f"models/{name}", "displayName": name, "version": "001",
                "inputTokenLimit": 2048 if "embedding" in name else INT64_AS_TEXT, "outputTokenLimit": 32768,
                "supportedGenerationMethods": methods, "memberOfTomorrow": {"deep": [1]},
            }

        if exchange.model:
            exchange.log.lookups += 1
            if exchange.model not in LISTED and "-case-" not in exchange.model and not exchange.model.endswith("-listed"):
                raise Refused(f"models/{exchange.model} is not found for API version v1beta", 404, "NOT_FOUND")
            return await exchange.json(info(exchange.model))
        if int(exchange.query.get("pageSize", ["50"])[0]) > 1000:
            raise Refused("page_size is too large")
        start = int(exchange.query.get("pageToken", ["p/+=0"])[0].removeprefix("p/+="))
        page = {"models": [info(name) for name in LISTED[start : start + 2]]}
        if start + 2 < len(LISTED):
            page["nextPageToken"] = f"p/+={start + 2}"
        return await exchange.json(page)


async def main(seconds):
    server = await asyncio.start_server(Server().serve, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await asyncio.wait([ended], timeout=seconds)
    # Not waiting for connections, nor for a thread that still reads: the process ends.
    sys.stdout.flush()
    import os

    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300))
