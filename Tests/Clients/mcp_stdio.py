"""Talks to our MCP server over stdio through the official Python SDK (PyPI `mcp`, 2.x).

    mcp_stdio.py PROGRAM DATA QUERY...

starts `PROGRAM mcp --data DATA`, initializes, lists the tools, searches for each query with `search_records`, and
prints one JSON object a line:

    {"event": "initialized", "mode", "protocolVersion", "server", "version", "instructions"}
    {"event": "tools", "names", "bytes"}
    {"event": "hits", "query", "hits", "text", "milliseconds"}
    {"event": "done"}

Everything is done twice: once as the SDK does by default, which takes the revision without a handshake,
and once with the handshake at once. The SDK checks each answer against its own types and each structured
result against the tool's output schema. Any surprise ends the program with exit code 1 and a line on stderr.
"""

import asyncio
import json
import logging
import os
import sys
import time

import anyio
from mcp import Client, MCPError, StdioServerParameters

TIMEOUT_SECONDS = 120
TOOL_NAME_LENGTH_MAX = 64
CONCURRENT_SEARCHES = 16


class Surprise(Exception):
    """Something is not as this program expects it."""


class Complaints(logging.Handler):
    """Collects what the SDK only logs, such as a line on stdout that is no message."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        # A message that comes while the client itself closes: the SDK takes its own closed stream for a parse error.
        if record.exc_info and isinstance(record.exc_info[1], (anyio.ClosedResourceError, anyio.BrokenResourceError)):
            return
        cause = f" ({record.exc_info[1]!r})" if record.exc_info else ""
        self.messages.append(f"{record.name}: {record.getMessage()}{cause}")


def expect(condition, message):
    if not condition:
        raise Surprise(message)


def emit(event, **members):
    print(json.dumps({"event": event, **members}, ensure_ascii=False), flush=True)


async def check_tools(client):
    """Lists all pages and checks what every tool of ours must have."""
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    names = [tool.name for tool in tools]
    expect(names, "no tools")
    expect(len(set(names)) == len(names), f"a tool is listed twice: {names}")
    expect("search_records" in names, f"no search_records among {names}")
    for tool in tools:
        expect(len(tool.name) <= TOOL_NAME_LENGTH_MAX, f"{tool.name}: name too long")
        expect(tool.title and tool.description, f"{tool.name}: no title or description")
        expect(tool.input_schema.get("type") == "object", f"{tool.name}: input schema is no object's")
        expect(tool.output_schema and tool.output_schema.get("type") == "object", f"{tool.name}: no output schema")
        expect(tool.annotations and tool.annotations.read_only_hint is not None, f"{tool.name}: no readOnlyHint")
    emit("tools", names=names, bytes=sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in tools))


async def search(client, query):
    start = time.monotonic()
    result = await client.call_tool("search_records", {"query": query})
    milliseconds = (time.monotonic() - start) * 1000
    text = "".join(block.text for block in result.content if block.type == "text")
    expect(not result.is_error, f"search_records failed: {text}")
    expect(text, "search_records gave no text")
    expect(isinstance(result.structured_content, dict), "search_records gave no structured content")
    hits = result.structured_content.get("hits")
    expect(isinstance(hits, list), "the structured content has no list of hits")
    return {"query": query, "hits": hits, "text": text, "milliseconds": round(milliseconds, 3)}


async def check_search(client, queries):
    found = [await search(client, query) for query in queries]
    for answer in found:
        emit("hits", **answer)
    # Many at once on one session: each gets its own answer, the same as alone.
    repeated = [index % len(queries) for index in range(CONCURRENT_SEARCHES)]
    answers = await asyncio.gather(*(search(client, queries[index]) for index in repeated))
    for index, answer in zip(repeated, answers):
        expect(
            [hit.get("recordId") for hit in answer["hits"]] == [hit.get("recordId") for hit in found[index]["hits"]],
            f"'{queries[index]}' found something else among {CONCURRENT_SEARCHES} searches at once",
        )


async def check_refusals(client):
    """A tool that does not exist breaks the protocol; arguments that don't validate are a result to read."""
    try:
        await client.call_tool("no_such_tool", {})
    except MCPError as error:
        expect(error.code == -32602, f"unknown tool: code {error.code}")
    else:
        raise Surprise("an unknown tool was called")
    result = await client.call_tool("search_records", {})
    expect(result.is_error, "search_records without a query did not fail")
    expect(result.content and result.content[0].text, "the failed call says nothing")


async def converse(program, data, queries, mode):
    # The SDK passes only a few variables on; our settings are among the rest.
    passed_on = ("PYAIRTABLE_", "LD_", "ASAN_")
    environment = {name: value for name, value in os.environ.items() if name.startswith(passed_on)}
    server = StdioServerParameters(command=program, args=["mcp", "--data", data], env=environment)
    async with Client(server, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS) as client:
        info = client.server_info
        expect(info and info.name and info.version, "the server does not say who it is")
        expect(client.server_capabilities.tools is not None, "the server declares no tools")
        emit(
            "initialized",
            mode=mode,
            protocolVersion=client.protocol_version,
            server=info.name,
            version=info.version,
            instructions=client.instructions,
        )
        await check_tools(client)
        await check_search(client, queries)
        await check_refusals(client)


async def main(program, data, queries):
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        for mode in ("auto", "legacy"):
            await converse(program, data, queries, mode)
    expect(not complaints.messages, f"the SDK complained: {complaints.messages}")
    emit("done")


def first_cause(error):
    """The SDK's task groups wrap what went wrong."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: mcp_stdio.py PROGRAM DATA QUERY...", file=sys.stderr)
        sys.exit(2)
    try:
        asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except Exception as error:  # every kind of it is a surprise
        cause = first_cause(error)
        print(f"mcp_stdio.py: {type(cause).__name__}: {cause}", file=sys.stderr)
        sys.exit(1)
