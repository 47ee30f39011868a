"""stdio: one process, one message a line."""

import asyncio
import contextlib
import json
import os
import signal
import tempfile

from .peer import CLIENT, Peer, Reply, TIMEOUT_SECONDS
from .wire import MODERN


class UnderWay:
    def __init__(self, id, reply, abort):
        self.id, self.reply, self.abort = id, reply, abort


class StdioPeer(Peer):
    """One client and the process it has started.

    `lines` are all lines that the process wrote; `strays` messages that nobody waited for.
    """

    transport = "stdio"

    def __init__(self, command, revision, abilities=None, answers=None):
        super().__init__(revision, abilities, answers)
        self.command = command
        self.waiting = {}
        self.lines, self.strays, self.garbage = [], [], []
        self.changes = asyncio.Queue()
        self.watches = {}

    async def launch(self):
        self.errors = tempfile.TemporaryFile()
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self.errors,
            limit=1 << 26, env=os.environ)
        self.reader = asyncio.ensure_future(self._read())
        return self

    async def _read(self):
        with contextlib.suppress(ConnectionError):
            while line := await self.process.stdout.readline():
                self.lines.append(line)
                try:
                    message = json.loads(line.decode())
                except ValueError:
                    self.garbage.append(line)
                    continue
                for one in message if isinstance(message, list) else [message]:
                    await self._take(one)
        for future, _, _ in self.waiting.values():
            if not future.done():
                future.set_exception(EOFError("the process has ended"))
                future.exception()

    async def _take(self, message):
        if "method" in message:
            self.wire.read(message)
            for _, reply, _ in self.waiting.values():
                reply.before.append(message)
            if "id" in message:
                await self.write(self.answer(message))
                return
            tag = ((message.get("params") or {}).get("_meta") or {}).get("io.modelcontextprotocol/subscriptionId")
            if tag is not None and repr(tag) in self.watches:
                self.watches[repr(tag)].put_nowait(message)
            else:
                self.changes.put_nowait(message)
            return
        entry = self.waiting.pop(repr(message.get("id")), None)
        self.wire.read(message, entry[2] if entry else None)
        if entry is None:
            self.strays.append(message)
        else:
            future, reply, _ = entry
            reply.response = message
            if not future.done():
                future.set_result(reply)

    async def write(self, message):
        await self.write_line(json.dumps(message, ensure_ascii=False).encode())

    async def write_line(self, line):
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def start(self, message, headers=None, body=None):
        future = asyncio.get_running_loop().create_future()
        key = repr(message.get("id"))
        self.waiting[key] = (future, Reply(), message.get("method"))
        await self.write_line(body) if body is not None else await self.write(message)

        def abort():
            self.waiting.pop(key, None)
            future.cancel()

        return UnderWay(message.get("id"), future, abort)

    async def refused(self, line, id=None):
        """Sends what is wrong and waits for the answer, which carries the id where it could be read, or none."""
        future = asyncio.get_running_loop().create_future()
        for key in {repr(id), "None"}:
            self.waiting[key] = (future, Reply(), None)
        await self.write_line(line)
        try:
            return await asyncio.wait_for(future, TIMEOUT_SECONDS)
        finally:
            for key in {repr(id), "None"}:
                self.waiting.pop(key, None)

    async def send_in_pieces(self, message, *places):
        """Sends a line cut at these places."""
        future = asyncio.get_running_loop().create_future()
        self.waiting[repr(message["id"])] = (future, Reply(), message["method"])
        line = json.dumps(message).encode() + b"\n"
        for start, end in zip((0, *places), (*places, len(line))):
            self.process.stdin.write(line[start:end])
            await self.process.stdin.drain()
            await asyncio.sleep(0)
        return await asyncio.wait_for(future, TIMEOUT_SECONDS)

    async def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        await self.write(message)
        return Reply()

    async def open(self, complete=True):
        await self.launch()
        if self.is_modern:
            return self
        params = {"protocolVersion": self.revision, "capabilities": self.abilities, "clientInfo": CLIENT}
        self.opening = await self.send("initialize", params)
        if complete:
            await self.notify("notifications/initialized")
        return self

    async def watch(self, filter=None, id=None):
        if not self.is_modern:
            while not self.changes.empty():
                self.changes.get_nowait()
            return StdioWatch(self, self.changes, None)
        message = self.request("subscriptions/listen", {"notifications": filter or {}}, **({"id": id} if id else {}))
        queue = self.watches[repr(message["id"])] = asyncio.Queue()
        watch = StdioWatch(self, queue, message["id"])
        watch.under_way = await self.start(message)
        watch.ack = await watch.next()
        return watch

    async def end(self, how="eof"):
        """Ends the process; its exit code, or None when it had to be killed."""
        if how == "eof":
            self.process.stdin.close()
        else:
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            return None

    async def close(self):
        if self.process.returncode is None:
            self.exit_code = await self.end()
        await self.reader
        self.errors.close()


class StdioWatch:
    status = None

    def __init__(self, peer, queue, id):
        self.peer, self.queue, self.id = peer, queue, id
        self.ack = None
        self.under_way = None

    async def next(self, seconds=8):
        try:
            return await asyncio.wait_for(self.queue.get(), seconds)
        except TimeoutError:
            return None

    async def close(self):
        if self.id is not None:
            self.under_way.abort()
            await self.peer.notify("notifications/cancelled", {"requestId": self.id})


class StdioTarget:
    """A server to be started."""

    transport = "stdio"

    def __init__(self, command):
        self.command = command

    def peer(self, revision, abilities=None, answers=None):
        return StdioPeer(self.command, revision, abilities, answers)

    @contextlib.asynccontextmanager
    async def open(self, revision=MODERN, abilities=None, answers=None, complete=True):
        peer = await self.peer(revision, abilities, answers).open(complete)
        try:
            yield peer
        finally:
            await peer.close()
