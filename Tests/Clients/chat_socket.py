"""Drives chat's WebSocket with the `websockets` package: ask, follow, be cut off, come back, cancel, break the rules.

Usage: chat_socket.py WS_URL KEY CONVERSATION EVENTS

The server plays an answer of EVENTS events to every question. Prints one line of JSON when all is well; fails with a
traceback when not.
"""

import asyncio
import json
import sys

import websockets
from websockets.asyncio.client import connect


def opened(url, key, **options):
    return connect(url, additional_headers={"Authorization": f"Bearer {key}"}, **options)


async def message(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 20))


async def raw_events(socket, count):
    return [await asyncio.wait_for(socket.recv(), 20) for _ in range(count)]


async def ask(socket, conversation, name):
    await socket.send(
        json.dumps({"type": "message.send", "id": name, "conversationId": conversation, "content": "What is helium?"})
    )
    accepted = await message(socket)
    assert accepted["type"] == "message.accepted" and accepted["id"] == name, accepted
    return accepted["runId"]


async def follow(socket, run, after):
    await socket.send(json.dumps({"type": "run.follow", "runId": run, "after": after}))
    following = await message(socket)
    assert following["type"] == "run.following" and following["after"] == after, following


async def whole(url, key, conversation, count):
    async with opened(url, key) as socket:
        run = await ask(socket, conversation, "q1")
        events = await raw_events(socket, count)
        parsed = [json.loads(event) for event in events]
        assert [event["seq"] for event in parsed] == list(range(1, count + 1)), parsed
        assert parsed[0]["type"] == "run.started" and parsed[-1]["type"] == "run.completed"
        assert all(event["runId"] == run for event in parsed)
        latency = await asyncio.wait_for(await socket.ping(b"protocol"), 20)
        assert latency >= 0
        return run, events


async def resumed(url, key, run, events):
    """After every event in turn: the connection is cut without a word, and another one takes over."""
    for position in range(len(events)):
        socket = await opened(url, key)
        await follow(socket, run, 0)
        first = await raw_events(socket, position)
        socket.transport.abort()
        async with opened(url, key) as second:
            await follow(second, run, position)
            rest = await raw_events(second, len(events) - position)
        assert first + rest == events, position


async def refused(url, key, run):
    for headers, status in [
        ({}, 403),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": f"Bearer {key}", "Origin": "https://evil.example"}, 403),
    ]:
        try:
            await connect(url, additional_headers=headers)
            raise AssertionError(f"{headers} was let in")
        except websockets.exceptions.InvalidStatus as error:
            assert error.response.status_code == status, error.response
            assert json.loads(error.response.body)["status"] == status
    for data, code in [(b"binary", 1003), ("x" * 70_000, 1009)]:
        async with opened(url, key) as socket:
            await socket.send(data)
            try:
                await asyncio.wait_for(socket.recv(), 20)
                raise AssertionError("not closed")
            except websockets.exceptions.ConnectionClosed as closed:
                assert closed.rcvd.code == code, closed
    async with opened(url, key) as socket:
        await socket.send(["{\"type\":", "\"ping\",", "\"id\":\"pieces\"}"])
        assert (await message(socket)) == {"type": "pong", "id": "pieces"}
        await socket.send(json.dumps({"type": "run.cancel", "runId": run}))
        assert (await message(socket))["type"] == "run.cancelling"
        await socket.send("nonsense")
        assert (await message(socket))["type"] == "error"


async def main():
    url, key, conversation, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    run, events = await whole(url, key, conversation, count)
    await resumed(url, key, run, events)
    await refused(url, key, run)
    print(json.dumps({"run": run, "events": len(events), "resumed": len(events)}))


asyncio.run(main())
