"""Thousands of clients that come, ask and never say goodbye."""

import asyncio
import json
import time
from urllib.parse import urlsplit

from conformance.http import HTTPTarget
from conformance.peer import CLIENT

from .torture import Memory, World

#: Sessions that one key may have, as `Limits.mcpSessionsPerKey`; the one unused longest makes room.
PER_KEY = 256
#: What the second half may add to memory, in which each session that comes makes another one go: less than half of what the
#: first half took, of which every session that is there counts. The rest is what an allocator does.
GROWTH_KIB = 4 * 1024
INITIALIZE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


class Line:
    """One kept connection. Its sessions are forgotten, not its socket, or the machine would run out of ports."""

    def __init__(self, url, key):
        self.key, self.parts, self.opened = key, urlsplit(url), []

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.parts.hostname, self.parts.port)
        return self

    def head(self, method, session=None, length=None):
        lines = [f"{method} {self.parts.path} HTTP/1.1", f"Host: {self.parts.netloc}", f"Authorization: Bearer {self.key}",
                 "Accept: text/event-stream" if method == "GET" else "Accept: application/json, text/event-stream"]
        if session:
            lines += [f"Mcp-Session-Id: {session}", "MCP-Protocol-Version: 2025-11-25"]
        if length is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {length}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def post(self, message, session=None):
        """The status, and the session that it names."""
        body = json.dumps(message).encode()
        self.writer.write(self.head("POST", session, len(body)) + body)
        return await self.answer()

    async def delete(self, session):
        self.writer.write(self.head("DELETE", session))
        return await self.answer()

    async def status(self, message, session):
        return (await self.post(message, session))[0]

    async def answer(self):
        status = int((await self.reader.readline()).split()[1])
        headers = {}
        while line := (await self.reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        await self.reader.readexactly(int(headers.get("content-length", 0)))
        return status, headers.get("mcp-session-id")

    async def session(self):
        status, session = await self.post(INITIALIZE)
        if status != 200:
            raise AssertionError(f"initialize: {status}")
        await self.post(INITIALIZED, session)
        return session

    async def listen_and_vanish(self, session):
        """A stream of its own connection that is opened, seen to be open, and dropped without a word."""
        reader, writer = await asyncio.open_connection(self.parts.hostname, self.parts.port)
        writer.write(self.head("GET", session))
        status = int((await reader.readline()).split()[1])
        while (await reader.readline()).strip():
            pass
        writer.transport.abort()
        return status


async def forget(line, count):
    """Opens sessions one after the other; each tenth asks something, each twentieth listens and vanishes."""
    for number in range(count):
        session = await line.session()
        line.opened.append(session)
        if number % 10 == 0 and (await line.post(LIST, session))[0] != 200:
            raise AssertionError("a new session is not served")
        if number % 20 == 0 and await line.listen_and_vanish(session) != 200:
            raise AssertionError("a new session cannot listen")


async def all_of_it(report, url, pid, count, keys):
    checks, memory = report.at("http", "2025-11-25"), Memory(pid)
    target = HTTPTarget(url, keys[0])
    world = await World(target, "2025-11-25").make()
    lines = [await Line(url, key).open() for key in keys]
    each = count // len(lines) // 2
    checks.ours("half of them are more than there may be", each > PER_KEY, each)
    before, started = memory.now, time.monotonic()
    memory.forget_peak()
    figures = []
    for _ in range(2):
        await asyncio.gather(*(forget(line, each) for line in lines))
        figures.append(memory.now)
    seconds, peak = time.monotonic() - started, memory.peak
    opened = [session for line in lines for session in line.opened]
    checks.must("every session has an id of its own", len(set(opened)) == len(opened) == 2 * each * len(lines))
    growth, bound = figures[1] - figures[0], (figures[0] - before) / 2 + GROWTH_KIB
    checks.ours("sessions that are forgotten leave nothing behind", growth < bound, (before, figures))
    for line in lines:
        gone = [await line.status(LIST, session) for session in line.opened[:each]]
        checks.must("the oldest are gone", set(gone) == {404}, set(gone))
        kept = [await line.status(LIST, session) for session in line.opened[-PER_KEY // 2:]]
        checks.must("the newest are not", set(kept) == {200}, set(kept))
    async with world.open() as peer:
        await world.as_before(checks, "forgotten sessions", peer)
    for line in lines:
        for session in line.opened[-PER_KEY:]:
            await line.delete(session)
        line.writer.close()
    report.emit(event="memory", sessions=len(opened), held=PER_KEY * len(lines), seconds=round(seconds, 1), beforeKiB=before,
                halfKiB=figures[0], afterKiB=figures[1], peakKiB=peak, endedKiB=memory.now)
