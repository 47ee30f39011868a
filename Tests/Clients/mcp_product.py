"""Checks every feature of our MCP server over real data through the official Python SDK (PyPI `mcp`, 2.x).

    mcp_product.py [--only PART,...] features stdio COMMAND...
    mcp_product.py [--only PART,...] features http URL KEY
    mcp_product.py [--only PART,...] features bridge URL KEY COMMAND...

COMMAND serves on stdin and stdout, URL is a server's; both over a data directory with the demo base, to which bases are
added. Each part is done in both eras of the protocol, with what the SDK does by default and with a handshake. The SDK checks
each answer against its own types; arguments and structured results are held against the schemas that tools declare.

Prints one JSON object a check, as `mcp_conformance.py` does, and at the end {"event": "done", "pass", "warn", "fail"}. Exit
code 1 when anything is not `pass`. `--only` runs what has one of the parts in its name (`module.function`).
"""

import argparse
import asyncio
import logging
import sys
import warnings

from conformance.report import Report
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_stdio import Complaints
from product import offers, running, tools
from product.world import ERAS, Target

# The SDK warns of what the newest revision has left behind, which is a part of what is to be checked.
warnings.filterwarnings("ignore", category=MCPDeprecationWarning)


def target_of(transport, words):
    if transport == "stdio":
        return Target(transport, command=words)
    return Target(transport, url=words[0].rstrip("/"), key=words[1], command=words[2:])


async def features(report, target):
    for mode, revision in ERAS.items():
        checks = report.at(target.transport, revision)
        for scenario in tools.ALL + offers.ALL + running.ALL:
            await checks.scenario(scenario, target, mode)


MODES = {"features": features}


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("mode", choices=list(MODES))
    parser.add_argument("transport", choices=["stdio", "http", "bridge"])
    parser.add_argument("words", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    report = Report([part for part in arguments.only.split(",") if part])
    await MODES[arguments.mode](report, target_of(arguments.transport, arguments.words))
    # Of a call that was given up, the SDK itself closes the stream that it still reads.
    found = [message for message in complaints.messages if "BrokenResourceError" not in message]
    report.at(arguments.transport, "all").must("the SDK complains of nothing", not found, found)
    report.emit(event="done", **report.counts)
    return 0 if report.counts["fail"] == report.counts["warn"] == 0 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
