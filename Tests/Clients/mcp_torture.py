"""Tortures an MCP server of ours over real data: endless lines and bodies, garbage, ids used twice, clients that vanish.

    mcp_torture.py [--only PART,...] stdio COMMAND...
    mcp_torture.py [--only PART,...] http URL KEY PID
    mcp_torture.py forgotten URL PID SESSIONS KEY...

After each the server must answer as before, and hold no more memory than `product.torture` allows. PID is the server's, whose
memory is read from the kernel. `forgotten` opens SESSIONS sessions with these keys and never ends them. Prints one JSON object a
check, as `mcp_conformance.py` does, and memory in KiB as {"event": "memory", …}. Exit code 1 when anything is not `pass`.
"""

import argparse
import asyncio
import sys

from conformance.http import HTTPTarget
from conformance.report import Report
from conformance.stdio import StdioTarget
from product import forgotten, torture


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("mode", choices=["stdio", "http", "forgotten"])
    parser.add_argument("words", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    report, words = Report([part for part in arguments.only.split(",") if part]), arguments.words
    if arguments.mode == "stdio":
        await torture.all_of_it(report, StdioTarget(words))
    elif arguments.mode == "http":
        await torture.all_of_it(report, HTTPTarget(words[0] + "/mcp", words[1]), int(words[2]))
    else:
        await forgotten.all_of_it(report, words[0] + "/mcp", int(words[1]), int(words[2]), words[3:])
    report.emit(event="done", **report.counts)
    return 0 if report.counts["fail"] == report.counts["warn"] == 0 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
