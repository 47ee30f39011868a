"""Talks to our MCP server over HTTP through the official Python SDK (PyPI `mcp`, 2.x).

    mcp_http.py URL KEY QUERY...

connects to `URL/mcp` with KEY, lists the tools, searches for each query with `search_records`, and prints one JSON
object a line:

    {"event": "initialized", "mode", "protocolVersion", "server", "version"}
    {"event": "tools", "names"}
    {"event": "hits", "query", "hits", "text"}
    {"event": "refused", "what", "status"}
    {"event": "done"}

Everything the SDK does is done twice: as it does by default, which takes the revision without a handshake,
and with the handshake at once. The SDK checks each answer against its own types. What it would never send
(no key, a wrong one, a foreign Origin, an unknown session) is sent by hand. Any surprise ends the program with exit
code 1 and a line on stderr.
"""

import asyncio
import logging
import sys

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from mcp_stdio import (CONCURRENT_SEARCHES, TIMEOUT_SECONDS, Complaints, check_refusals, check_search, check_tools,
                       emit, expect, first_cause)

HANDSHAKE = {"jsonrpc": "2.0", "id": 0, "method": "initialize",
             "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
BOTH = "application/json, text/event-stream"


def http_client(key, **headers):
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)


async def converse(url, key, queries, mode):
    async with http_client(key) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS) as client:
            info = client.server_info
            expect(info and info.name and info.version, "the server does not say who it is")
            expect(client.server_capabilities.tools is not None, "the server declares no tools")
            emit("initialized", mode=mode, protocolVersion=client.protocol_version, server=info.name,
                 version=info.version)
            await check_tools(client)
            await check_search(client, queries)
            await check_refusals(client)
            # A call that is given up tells the server so, and the session goes on.
            calls = [asyncio.create_task(client.call_tool("search_records", {"query": queries[0]}))
                     for _ in range(CONCURRENT_SEARCHES)]
            await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            expect((await client.list_tools()).tools, "the session ended with the calls that were given up")


async def post(url, message, key, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http_client(key) as http:
        return await http.post(f"{url}/mcp", json=message, headers={"Accept": BOTH, **headers})


async def check_status(what, wanted, response):
    expect(response.status_code == wanted, f"{what}: {response.status_code} {response.text}")
    emit("refused", what=what, status=response.status_code)
    return response


async def check_by_hand(url, key):
    for what, wrong in (("no key", None), ("wrong key", "pat_live_wrong")):
        response = await check_status(what, 401, await post(url, HANDSHAKE, wrong))
        expect(response.headers["www-authenticate"].startswith("Bearer"), f"{what}: no challenge")
    await check_status("foreign Origin", 403, await post(url, HANDSHAKE, key, Origin="http://evil.example"))
    await check_status("no session", 400, await post(url, PING, key))
    await check_status("unknown session", 404, await post(url, PING, key, Mcp_Session_Id="0" * 64))
    await check_status("unknown version", 400, await post(url, HANDSHAKE, key, MCP_Protocol_Version="1999-12-31"))

    # A whole session by hand: it works, it is ended, it is gone.
    opened = await post(url, HANDSHAKE, key)
    session = opened.headers["mcp-session-id"]
    expect(len(session) >= 32, "the session's id can be guessed")
    headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25", "Accept": BOTH}
    async with http_client(key, **headers) as http:
        expect((await http.post(f"{url}/mcp", json=PING)).json()["result"] == {}, "no pong")
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        noted = await http.post(f"{url}/mcp", json=note)
        expect(noted.status_code == 202 and not noted.content, f"a notification got {noted.status_code}")
        events = await http.post(f"{url}/mcp", json=PING, headers={"Accept": "text/event-stream"})
        expect(events.headers["content-type"].startswith("text/event-stream"), "no event stream")
        expect(events.text.startswith("event: message\ndata: {"), f"no event: {events.text}")
        async with http.stream("GET", f"{url}/mcp", headers={"Accept": "text/event-stream"}) as listening:
            expect(listening.status_code == 200, f"listening: {listening.status_code}")
            expect((await http.delete(f"{url}/mcp")).status_code == 204, "the session can't be ended")
            async for _ in listening.aiter_bytes():
                pass
        await check_status("session gone", 404, await http.post(f"{url}/mcp", json=PING))


async def check_session_gone(url, key):
    """The SDK tells its user when the session has ended under it."""
    async with http_client(key) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http, terminate_on_close=False)
        async with Client(transport, mode="legacy", read_timeout_seconds=TIMEOUT_SECONDS) as client:
            await client.list_tools()
            async with http_client(key) as other:
                ended = await other.delete(f"{url}/mcp", headers={"Mcp-Session-Id": SESSIONS[-1]})
                expect(ended.status_code == 204, f"ending the session: {ended.status_code}")
            try:
                await client.call_tool("list_bases", {})
            except MCPError as error:
                expect(error.code == -32600, f"a session that is gone: code {error.code}")
            else:
                raise AssertionError("a session that is gone was served")


# Ids of the sessions that were opened, as they went over the wire.
SESSIONS = []


def watch_sessions():
    original = httpx2.AsyncClient.send

    async def send(self, request, **options):
        response = await original(self, request, **options)
        if "mcp-session-id" in response.headers:
            SESSIONS.append(response.headers["mcp-session-id"])
        return response

    httpx2.AsyncClient.send = send


async def main(url, key, queries):
    watch_sessions()
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        for mode in ("auto", "legacy"):
            await converse(url, key, queries, mode)
        expect(len(set(SESSIONS)) == 1, f"the conversation with a handshake opened {len(set(SESSIONS))} sessions")
        await check_by_hand(url, key)
        await check_session_gone(url, key)
    expect(not complaints.messages, f"the SDK complained: {complaints.messages}")
    emit("done")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: mcp_http.py URL KEY QUERY...", file=sys.stderr)
        sys.exit(2)
    try:
        asyncio.run(main(sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3:]))
    except Exception as error:  # every kind of it is a surprise
        cause = first_cause(error)
        print(f"mcp_http.py: {type(cause).__name__}: {cause}", file=sys.stderr)
        sys.exit(1)
