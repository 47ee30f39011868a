"""Keeps a server at saturation with many connections, some of them hostile, and says how the honest ones fared.

    siege.py load URL KEY PID SECONDS [CONNECTIONS]    prints a JSON object; acknowledged records go to stderr, one a line
    siege.py check URL KEY                             reads those lines on stdin; ends with 1 when a record is not there

Honest clients keep their connection, ask one thing after the other, and wait as long as a 503 or 429 tells them to. One in twenty is
hostile: it sends heads byte by byte, bodies without end, garbage, or connects and leaves. With SECONDS over, the hostile ones go, and
lone requests tell how fast the server comes back to what it was before.
"""

import asyncio
import json
import random
import statistics
import sys
import time
from urllib.parse import urlsplit

import requests


class Honest(asyncio.Protocol):
    """One kept connection, and one request on it at a time."""

    def __init__(self):
        self.buffer, self.waiter, self.need = bytearray(), None, None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        if self.waiter and not self.waiter.done():
            self.waiter.set_exception(ConnectionError("closed"))

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        place = head.find(b"content-length:")
        length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        if self.waiter and not self.waiter.done():
            self.waiter.set_result((int(head[9:12]), head, body))

    async def ask(self, data):
        self.waiter = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return await asyncio.wait_for(self.waiter, 60)


class Siege:
    def __init__(self, url, key, pid):
        parts = urlsplit(url)
        self.host, self.port, self.key, self.pid = parts.hostname, parts.port, key, pid
        self.statuses, self.times, self.unfit, self.shed, self.acknowledged = {}, [], [], 0, 0
        self.stop, self.ends = False, 0
        self.base, self.table, self.record = self._table(url)

    def _table(self, url):
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.key}"
        fields = [{"name": "Name", "type": "singleLineText"}, {"name": "Note", "type": "multilineText"}]
        workspace = session.get(f"{url}/api/v1/workspaces").json()["workspaces"][0]["id"]
        body = {"name": f"Siege {time.time()}", "workspaceId": workspace, "tables": [{"name": "T", "fields": fields}]}
        made = session.post(f"{url}/v0/meta/bases", json=body)
        made.raise_for_status()
        base, table = made.json()["id"], made.json()["tables"][0]["id"]
        rows = [{"fields": {"Name": f"row {n}", "Note": "some words to read " * 10}} for n in range(10)]
        records = session.post(f"{url}/v0/{base}/{table}", json={"records": rows}).json()["records"]
        return base, table, records[0]["id"]

    def request(self):
        chance = random.random()
        if chance < 0.5:
            return "GET", "/v0/meta/whoami", b""
        if chance < 0.75:
            return "GET", f"/v0/{self.base}/{self.table}/{self.record}", b""
        if chance < 0.9:
            return "GET", f"/v0/{self.base}/{self.table}?pageSize=20", b""
        if chance < 0.95:
            return "POST", "/api/v1/search", b'{"query":"words to read","limit":3}'
        return "POST", f"/v0/{self.base}/{self.table}", b'{"fields":{"Name":"siege"}}'

    def bytes_of(self, method, path, body):
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.key}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    async def honest(self):
        loop = asyncio.get_running_loop()
        protocol = None
        while not self.stop:
            try:
                if protocol is None or protocol.transport.is_closing():
                    _, protocol = await loop.create_connection(Honest, self.host, self.port)
                method, path, body = self.request()
                started = time.perf_counter()
                status, head, answer = await protocol.ask(self.bytes_of(method, path, body))
                self.times.append(time.perf_counter() - started)
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status in (429, 503):
                    self.shed += 1
                    if b"retry-after:" not in head:
                        self.unfit.append(f"{status} without Retry-After on {path}")
                    await asyncio.sleep(random.uniform(0.5, 1.5))
                elif status != 200:
                    self.unfit.append(f"{status} on {method} {path}: {answer[:200]}")
                elif method == "POST" and path.startswith("/v0"):
                    self.acknowledged += 1
                    sys.stderr.write(json.dumps({"base": self.base, "table": self.table, "id": json.loads(answer)["id"]}) + "\n")
            except (OSError, ConnectionError, TimeoutError) as error:
                # A server may close a kept connection; it may not leave a request without an answer again and again.
                self.ends += 1
                protocol = None
                self.statuses[type(error).__name__] = self.statuses.get(type(error).__name__, 0) + 1
                await asyncio.sleep(0.2)

    async def hostile(self, number):
        garbage = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 5_000, b"GET /" + b"a" * 100_000, b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"]
        while not self.stop:
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
                kind = number % 4
                if kind == 0:
                    writer.write(b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: ")
                    while not self.stop and not reader.at_eof():
                        writer.write(b"a")
                        await writer.drain()
                        await asyncio.sleep(0.5)
                elif kind == 1:
                    head = f"POST /v0/{self.base}/{self.table} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.key}\r\nContent-Type: application/json\r\nContent-Length: 900000000\r\n\r\n"
                    writer.write(head.encode())
                    for _ in range(200):
                        writer.write(b"[" * 65_536)
                        await asyncio.wait_for(writer.drain(), 5)
                elif kind == 2:
                    writer.write(random.choice(garbage))
                    await asyncio.wait_for(reader.read(1000), 2)
                else:
                    writer.write(self.bytes_of(*self.request()))
                writer.transport.abort()
                await asyncio.sleep(0.05)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.2)

    def memory(self):
        with open(f"/proc/{self.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024

    async def alone(self, count):
        """The 99th percentile of requests that have the server to themselves."""
        times = []
        _, protocol = await asyncio.get_running_loop().create_connection(Honest, self.host, self.port)
        for _ in range(count):
            started = time.perf_counter()
            status, _, _ = await protocol.ask(self.bytes_of("GET", "/v0/meta/whoami", b""))
            if status == 200:
                times.append(time.perf_counter() - started)
            await asyncio.sleep(0.002)
        protocol.transport.close()
        return statistics.quantiles(times, n=100)[98]

    async def run(self, seconds, connections):
        before = await self.alone(500)
        hostile = connections // 20
        tasks = [asyncio.create_task(self.hostile(number)) for number in range(hostile)]
        tasks += [asyncio.create_task(self.honest()) for _ in range(connections - hostile)]
        memory, started = [], time.monotonic()
        while time.monotonic() - started < seconds:
            await asyncio.sleep(1)
            memory.append(self.memory())
        self.stop = True
        await asyncio.wait(tasks, timeout=10)
        [task.cancel() for task in tasks]
        await asyncio.sleep(5)
        after = await self.alone(500)
        times = statistics.quantiles(self.times, n=100)
        third = max(1, len(memory) // 3)
        return {
            "requests": len(self.times), "perSecond": round(len(self.times) / seconds), "statuses": {str(k): v for k, v in self.statuses.items()},
            "unfit": self.unfit[:20], "unfitCount": len(self.unfit), "shed": self.shed, "acknowledged": self.acknowledged, "broken": self.ends,
            "medianMilliseconds": round(times[49] * 1e3, 1), "p99Milliseconds": round(times[98] * 1e3, 1),
            "memoryMegabytes": {"first": round(max(memory[:third]), 1), "last": round(max(memory[-third:]), 1), "most": round(max(memory), 1)},
            "aloneP99Milliseconds": {"before": round(before * 1e3, 2), "fiveSecondsAfter": round(after * 1e3, 2)},
        }


def check(url, key):
    session, gone, count = requests.Session(), [], 0
    session.headers["Authorization"] = f"Bearer {key}"
    for line in sys.stdin:
        if not line.startswith("{"):
            continue
        told = json.loads(line)
        count += 1
        reply = session.get(f"{url}/v0/{told['base']}/{told['table']}/{told['id']}")
        if reply.status_code != 200:
            gone.append(told["id"])
    print(json.dumps({"checked": count, "gone": gone[:20]}))
    return 1 if gone or not count else 0


if __name__ == "__main__":
    if sys.argv[1] == "check":
        sys.exit(check(*sys.argv[2:4]))
    url, key, pid, seconds, *more = sys.argv[2:]
    print(json.dumps(asyncio.run(Siege(url, key, int(pid)).run(float(seconds), int(more[0]) if more else 1_000))))
