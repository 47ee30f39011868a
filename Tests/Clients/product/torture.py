"""What no client should send, and clients that go when they should not, over a real base: the server answers as before."""

import asyncio
import contextlib
import json
import socket
from urllib.parse import urlsplit

import httpx2
from conformance.peer import accepting, text_of
from conformance.wire import MODERN

from .tools import FIELDS
from .world import eventually, new_name

ABILITIES = {"elicitation": {}}
ANSWERS = {"elicitation/create": accepting(confirm=True)}
RECORDS = 40
LONG = 64 << 20
#: What memory may grow by: while long messages come, half of one; of everything here, what caches and pools keep.
ONE_MESSAGE_KIB = 32 * 1024
ALTOGETHER_KIB = 96 * 1024


class Memory:
    """Resident memory of a process, in KiB, as the kernel has it."""

    def __init__(self, pid):
        self.place = f"/proc/{pid}"

    def _read(self, name):
        with open(f"{self.place}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))

    @property
    def now(self):
        return self._read("VmRSS")

    @property
    def peak(self):
        return self._read("VmHWM")

    def forget_peak(self):
        with open(f"{self.place}/clear_refs", "w") as file:
            file.write("5")


class World:
    """A base of forty records that nothing here changes, a table to write to, and the way to both."""

    def __init__(self, target, revision):
        self.target, self.revision = target, revision

    def open(self):
        return self.target.open(self.revision, ABILITIES, ANSWERS)

    async def make(self):
        async with self.open() as peer:
            name = new_name("Torture")
            await done(peer, "create_base", name=name, tables=[{"name": "Fixed", "fields": FIELDS[:2]},
                                                               {"name": "Written", "fields": FIELDS[:1]}])
            rows = [{"Name": f"Row {number}", "Notes": "n" * 100} for number in range(RECORDS)]
            self.fixed, self.written = {"base": name, "table": "Fixed"}, {"base": name, "table": "Written"}
            made = await done(peer, "create_records", **self.fixed, records=rows)
            self.records = [record["id"] for record in made["records"]]
            self.expected = await self.state(peer)
        return self

    async def state(self, peer):
        return await done(peer, "list_records", **self.fixed, limit=RECORDS)

    async def written_count(self, peer):
        return (await done(peer, "aggregate_records", **self.written))["recordCount"]

    async def as_before(self, checks, what, peer):
        found = await self.state(peer)
        checks.must(f"{what}: the server answers as before", found == self.expected and len(found["records"]) == RECORDS, found)

    def many(self, count, **more):
        return {**self.written, "records": [{"Name": f"w{number}"} for number in range(count)], **more}

    async def one(self, peer, record, id):
        """Whether a call under this id answers with this record, and no other."""
        found = await peer.send("tools/call", call("get_record", **self.fixed, recordId=record), id=id,
                                headers=base_header(peer, self.fixed))
        return found.response.get("id") == id and found.result["structuredContent"]["record"]["id"] == record


def call(tool, **arguments):
    return {"name": tool, "arguments": arguments}


def base_header(peer, arguments):
    """What the newest revision wants repeated over HTTP."""
    return {"Mcp-Param-Airtable-Base": arguments["base"]} if peer.is_modern and "base" in arguments else {}


async def done(peer, tool, **arguments):
    """The structured content of a call that must succeed."""
    options = {"headers": base_header(peer, arguments)}
    reply = await peer.settle("tools/call", call(tool, **arguments), **options)
    if reply.result is None or reply.result.get("isError"):
        raise AssertionError(f"{tool}: {reply}")
    return reply.result["structuredContent"]


# stdio

async def long_lines(checks, world):
    async with world.open() as peer:
        await world.as_before(checks, "at first", peer)
        memory = Memory(peer.process.pid)
        memory.forget_peak()
        before = memory.now
        big = json.dumps(peer.request("tools/call", call("list_bases", question="a" * LONG), id="big")).encode()
        reply = await peer.refused(big, "big")
        checks.must("a line of 64 MiB is refused", reply.code == -32600, reply)
        await world.as_before(checks, "a line of 64 MiB", peer)
        reply = await peer.refused(b"\xfe[{" * (LONG // 3))
        checks.must("a line of 64 MiB of garbage is refused", reply.code in (-32600, -32700), reply)
        await world.as_before(checks, "a line of 64 MiB of garbage", peer)
        checks.report.emit(event="memory", what="lines of 64 MiB", beforeKiB=before, peakKiB=memory.peak, afterKiB=memory.now)
        checks.ours("a long line is not held", memory.peak - before < ONE_MESSAGE_KIB, (before, memory.peak))
        for line in (b"\x00" * 1000, b"[" * 100_000, b'{"jsonrpc":"2.0","id":', b"\xff\xfe", b'{"a":1,"a":1}', b"null", b"[]"):
            reply = await peer.refused(line)
            checks.must("garbage is refused", reply.code in (-32600, -32700), (line[:20], reply))
        await world.as_before(checks, "garbage", peer)
        checks.must("nothing else was said", not peer.strays and not peer.garbage, peer.strays or peer.garbage)


async def half_a_line(checks, world):
    async with world.open() as peer:
        under_way = await peer.start(peer.request("tools/call", call("create_records", **world.many(1_000), dryRun=True)))
        peer.process.stdin.write(b'{"jsonrpc":"2.0","id":7,"method":"tools/ca')
        await peer.process.stdin.drain()
        code = await peer.end()
        checks.must("the end in the middle of a line ends the process", code == 0, code)
        reply = await under_way.reply
        checks.must("and what was asked before is answered", reply.result or reply.code == -32603, reply)
    async with world.open() as peer:
        await world.as_before(checks, "half a line", peer)


async def duplicates_on_a_pipe(checks, world):
    async with world.open() as peer:
        slow = peer.request("tools/call", call("create_records", **world.many(3_000), dryRun=True), id="twice")
        quick = peer.request("tools/call", call("list_bases"), id="twice")
        # In one piece, so that both are read before either is answered.
        lines = b"\n".join(json.dumps(message).encode() for message in (slow, quick))
        second = await peer.start(quick, body=lines)
        refused = await asyncio.wait_for(second.reply, 30)
        checks.must("an id that is in flight is refused", refused.code == -32600, refused)
        await eventually(lambda: one_stray(peer))
        answer = peer.strays[0]
        checks.must("and the first call has its answer", answer["id"] == "twice"
                    and answer["result"]["structuredContent"]["proposal"]["created"] == 3_000, answer)
        again = await peer.send("tools/call", call("list_bases"), id="twice")
        checks.must("an id that was answered can be used again", again.result, again)
        await world.as_before(checks, "duplicate ids", peer)


async def one_stray(peer):
    return peer.strays


async def vanishing_program(checks, world):
    async with world.open() as peer:
        await peer.start(peer.request("tools/call", call("create_records", **world.many(5_000), dryRun=True)))
        peer.process._transport.get_pipe_transport(1).close()
        code = await peer.end()
        checks.must("a process that nobody reads from ends by itself", code is not None, code)
    async with world.open() as peer:
        await world.as_before(checks, "a client that vanished", peer)


# HTTP

async def long_bodies(checks, world):
    memory = Memory(world.pid)
    async with world.open() as peer:
        await world.as_before(checks, "at first", peer)
        memory.forget_peak()
        before = memory.now
        message = peer.request("tools/call", call("list_bases", question="a" * LONG), id="big")
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            answer = await http.post(peer.url, json=message, headers=peer.standard_headers(message))
        checks.must("a body of 64 MiB is refused", answer.status_code == 413 and "4194304 bytes" in answer.text, answer.text)
        status = await chunked(peer, message)
        checks.must("a body of 64 MiB in pieces is refused", status == 413, status)
        for framing in ({"Transfer-Encoding": "chunked"}, {"Content-Length": str(LONG)}):
            found = [await asyncio.to_thread(sent_first, peer, message, framing) for _ in range(8)]
            checks.must("who sends all of it before reading, and closes then, has the answer", found == [413] * 8, (framing, found))
        await world.as_before(checks, "bodies of 64 MiB", peer)
        checks.report.emit(event="memory", what="bodies of 64 MiB", beforeKiB=before, peakKiB=memory.peak, afterKiB=memory.now)
        checks.ours("a long body is not held", memory.peak - before < ONE_MESSAGE_KIB, (before, memory.peak))
        for body in (b"\x00" * 1000, b"[" * 100_000, b'{"jsonrpc":"2.0","id":', b"\xff\xfe", b'{"a":1,"a":1}', b"null", b"[]"):
            reply = await peer.read(await peer.post(peer.request("tools/list"), body=body), None)
            checks.must("garbage is refused", reply.status == 400 and reply.code in (-32600, -32700), (body[:20], reply))
        await world.as_before(checks, "garbage", peer)


async def chunked(peer, message):
    """The status for a body without a length. The server need not read it all."""
    parts = urlsplit(peer.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head(peer, message, {"Transfer-Encoding": "chunked"}))
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"

    async def send():
        with contextlib.suppress(ConnectionError):
            for _ in range(LONG // 65_536):
                writer.write(piece)
                await writer.drain()

    sending = asyncio.ensure_future(send())
    try:
        status = await asyncio.wait_for(reader.readline(), 30)
        return int(status.split()[1])
    finally:
        sending.cancel()
        writer.close()


def head(peer, message, fields):
    parts = urlsplit(peer.url)
    headers = {**peer.standard_headers(message), "Host": parts.netloc, **fields}
    return (f"POST {parts.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            + "\r\n").encode()


def sent_first(peer, message, framing):
    """The status for a long body of a client that reads when it has sent everything, as simple ones do; or what stopped it."""
    parts = urlsplit(peer.url)
    piece = b" " * 65_536
    if "Transfer-Encoding" in framing:
        piece = b"10000\r\n" + piece + b"\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        try:
            connection.sendall(head(peer, message, {"Connection": "close", **framing}))
            for _ in range(LONG // 65_536):
                connection.sendall(piece)
            return int(connection.recv(100).split()[1])
        except OSError as error:
            return repr(error)


async def duplicates_on_streams(checks, world):
    async with world.open() as peer:
        headers = base_header(peer, world.written)
        slow = await peer.start(peer.request("tools/call", call("create_records", **world.many(3_000), dryRun=True), id="twice"),
                                headers=headers)
        quick = await peer.start(peer.request("tools/call", call("list_bases"), id="twice"))
        second, first = await quick.reply, await slow.reply
        checks.must("each of two bodies with one id has its own answer", "bases" in second.result["structuredContent"]
                    and first.result["structuredContent"]["proposal"]["created"] == 3_000, (text_of(first)[:200], text_of(second)[:200]))
        await world.as_before(checks, "duplicate ids", peer)


async def vanishing_clients(checks, world):
    """Gone while it is written: without a session that cancels, in a session it does not."""
    async with world.open() as peer:
        params = call("create_records", **world.many(500))
        headers = base_header(peer, world.written)
        if peer.is_modern:
            asked = (await peer.send("tools/call", params, headers=headers)).result
            params |= {"inputResponses": peer.respond(asked["inputRequests"]), "requestState": asked["requestState"]}
        answer = await peer.post(peer.request("tools/call", params, meta={"progressToken": "p"}), headers)
        async for event in answer.events():
            message = json.loads(event["data"]) if event.get("data") else {}
            if "id" in message and "method" in message:
                await peer.tell(peer.answer(message))
            if message.get("method") == "notifications/progress":
                break
        answer.close()
        if peer.is_modern:
            # The writer takes its turn before this one.
            await done(peer, "create_records", **world.many(1))
            count = await world.written_count(peer)
            checks.must("who goes without a session: all or nothing", count in (1, 501), count)
        else:
            found = await eventually(lambda: has_written(world, peer, 500))
            checks.must("who goes in a session: it is done all the same", found)
        await world.as_before(checks, "a client that vanished", peer)
    for number in range(50):
        async with world.open() as peer:
            under_way = await peer.start(peer.request("tools/call", call("list_records", **world.fixed)),
                                         headers=base_header(peer, world.fixed))
            if number % 2:
                await asyncio.sleep(0)
            under_way.abort()
    async with world.open() as peer:
        await world.as_before(checks, "fifty clients that vanished", peer)


async def has_written(world, peer, count):
    return await world.written_count(peer) == count


# Both

async def many_at_once(checks, world):
    async with world.open() as peer:
        slow = [peer.send("tools/call", call("create_records", **world.many(100 + number), dryRun=True),
                          headers=base_header(peer, world.written)) for number in range(8)]
        quick = [world.one(peer, record, id=number) for number, record in enumerate(world.records[8:])]
        answers = await asyncio.gather(*slow, *quick)
        created = [answer.result["structuredContent"]["proposal"]["created"] for answer in answers[:8]]
        checks.must("forty calls at once: each has its own answer", created == list(range(100, 108)) and all(answers[8:])
                    and len(answers) == RECORDS, created)
        await world.as_before(checks, "forty calls at once", peer)


async def same_ids(checks, world):
    """Two clients number their calls alike, and ask at the same time for different records."""
    async with world.open() as left, world.open() as right:
        pairs = [(left, record, number) for number, record in enumerate(world.records)]
        pairs += [(right, record, number) for number, record in enumerate(reversed(world.records))]
        pairs.sort(key=lambda pair: pair[2])
        answers = await asyncio.gather(*(world.one(*pair) for pair in pairs))
        checks.must("two clients with the same ids get their own answers", all(answers) and len(answers) == 2 * RECORDS, answers)
        await world.as_before(checks, "two clients at once", left)


STDIO = [long_lines, half_a_line, duplicates_on_a_pipe, vanishing_program, many_at_once, same_ids]
HTTP = [long_bodies, duplicates_on_streams, vanishing_clients, many_at_once, same_ids]


async def all_of_it(report, target, pid=None):
    memory = Memory(pid) if pid else None
    before = memory.now if memory else None
    for revision in (MODERN, "2025-11-25"):
        world = await World(target, revision).make()
        world.pid = pid
        checks = report.at(target.transport, revision)
        for scenario in HTTP if pid else STDIO:
            await checks.scenario(scenario, world)
    if memory:
        report.emit(event="memory", what="all of it", beforeKiB=before, afterKiB=memory.now)
        checks.ours("the server has kept little of all this", memory.now - before < ALTOGETHER_KIB, (before, memory.now))
