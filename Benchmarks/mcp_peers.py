#!/usr/bin/env python3
"""Measures our MCP server beside two in Python, in one run and by one driver (`pyairtable-ai bench mcp`).

    Benchmarks/mcp_peers.py BINARY [--keep DIR] [--rows 60000] [--rounds 7] [--small]

Makes a virtual environment with the two libraries, a data directory with the demo base and one with made-up records (both
indexed with the local model: minutes), and prints one JSON object. `--keep` keeps them for the next run; `--small` leaves the
records out. Run it from the repository, on a quiet machine; figures go to docs/performance.md with their conditions.

    mcp_peers.py serve sdk|fastmcp stdio|http

is what the driver starts: a server with one tool, `list_bases`, that answers with one base. It is as fast as its library lets it
be: answers are plain JSON, nothing is logged, nothing is looked up.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

REQUIREMENTS = ["fastmcp==4.1.6", "mcp==2.3.0"]
BASES = {"bases": [{"id": "appAAAAAAAAAAAAAA", "name": "Periodic table", "createdTime": "2026-01-01T00:00:00.000Z"}]}


def fastmcp_server():
    from fastmcp import FastMCP

    server = FastMCP("peer")

    @server.tool
    def list_bases() -> dict:
        """Lists every base you may see."""
        return BASES

    return server, server.http_app(json_response=True), server.run_stdio_async(show_banner=False)


def sdk_server():
    import mcp_types as types
    from mcp.server.lowlevel.server import Server
    from mcp.server.stdio import stdio_server

    async def list_tools(context, params):
        schema = {"type": "object", "properties": {}, "additionalProperties": False}
        return types.ListToolsResult(tools=[types.Tool(name="list_bases", description="Lists bases.", input_schema=schema)])

    async def call_tool(context, params):
        text = types.TextContent(type="text", text="Periodic table (appAAAAAAAAAAAAAA)")
        return types.CallToolResult(content=[text], structured_content=BASES)

    server = Server("peer", version="1", on_list_tools=list_tools, on_call_tool=call_tool)

    async def stdio():
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    return server, server.streamable_http_app(json_response=True), stdio()


def serve(library, transport):
    import asyncio
    import logging

    logging.disable(logging.CRITICAL)
    _, application, stdio = {"sdk": sdk_server, "fastmcp": fastmcp_server}[library]()
    if transport == "stdio":
        asyncio.run(stdio)
        return
    import uvicorn

    stdio.close()
    # With the protocol named: asyncio looks at it to know that small answers must not wait.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
    config = uvicorn.Config(application, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


def environment(folder):
    """The Python of a virtual environment that has the libraries."""
    python = f"{folder}/venv/bin/python"
    if not os.path.exists(f"{folder}/venv/ready"):
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        open(f"{folder}/venv/ready", "w", encoding="ascii").close()
    return python


def data(binary, folder, rows):
    """A data directory with the demo base and nothing else, and one with many records; both indexed."""
    import product

    demo, records = f"{folder}/demo", f"{folder}/records"
    if not os.path.exists(f"{demo}.ready"):
        subprocess.run([binary, "import", "--data", demo, "--if-absent", "--quiet", "Examples/periodic-table"], check=True)
        subprocess.run([binary, "index", "--data", demo], check=True, stdout=subprocess.DEVNULL)
        open(f"{demo}.ready", "w", encoding="ascii").close()
    if rows and not os.path.exists(f"{records}.ready"):
        shutil.rmtree(records, ignore_errors=True)
        table = product.write_rows(f"{folder}/Tickets.csv", rows, product.row)
        subprocess.run([binary, "import", "--data", records, "--quiet", table], check=True)
        subprocess.run([binary, "index", "--data", records], check=True, stdout=subprocess.DEVNULL)
        open(f"{records}.ready", "w", encoding="ascii").close()
    return demo, records if rows else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--keep", help="work here and leave everything, so that a second run goes on")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="without the search of many records")
    arguments = parser.parse_args()
    folder = os.path.abspath(arguments.keep or tempfile.mkdtemp(prefix="pyairtable-bench-"))
    os.makedirs(folder, exist_ok=True)
    try:
        python = environment(folder)
        demo, records = data(arguments.binary, folder, 0 if arguments.small else arguments.rows)
        command = [arguments.binary, "bench", "mcp", "--demo", demo, "--rounds", str(arguments.rounds)]
        for library in ("sdk", "fastmcp"):
            command += ["--peer", f"{library}={python} {os.path.abspath(__file__)} serve {library}"]
        if records:
            command += ["--records", records]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
        print(json.dumps({"cpus": os.cpu_count(), **report}, indent=1))
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
    else:
        main()
