"""Checks every feature of our MCP server over real data through the official Python SDK (PyPI `mcp`, 2.x).

    mcp_product.py [--only PART,...] MODE stdio COMMAND...
    mcp_product.py [--only PART,...] MODE http URL KEY [OTHER-KEY]
    mcp_product.py [--only PART,...] MODE bridge URL KEY COMMAND...

COMMAND serves on stdin and stdout, URL is a server's; both over a data directory with the demo base, to which bases are
added. MODE is

    features    all that the product does
    asking      a client that cannot ask its user, in the default mode
    dry-run     the same client, of a server with `--writes dry-run`; OTHER-KEY is somebody else's
    narrowing   what options and headers leave of the tools; OTHER-KEY may only read

Each part is done in both eras of the protocol, with what the SDK does by default and with a handshake. The SDK checks
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
from product import dry_run, narrowing, offers, running, tools
from product.world import ERAS, Target

# The SDK warns of what the newest revision has left behind, which is a part of what is to be checked.
warnings.filterwarnings("ignore", category=MCPDeprecationWarning)


def target_of(transport, words):
    if transport == "stdio":
        return Target(transport, command=words)
    return Target(transport, url=words[0].rstrip("/"), key=words[1], command=words[2:])


async def in_both_eras(report, target, scenarios):
    for mode, revision in ERAS.items():
        checks = report.at(target.transport, revision)
        for scenario in scenarios:
            await checks.scenario(scenario, target, mode)


MODES = {"features": tools.ALL + offers.ALL + running.ALL, "asking": dry_run.DEFAULT, "dry-run": dry_run.DRY_RUN,
         "narrowing": narrowing.ALL}


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
    await in_both_eras(report, target_of(arguments.transport, arguments.words), MODES[arguments.mode])
    # Of a call that was given up, the SDK itself closes the stream that it still reads.
    found = [message for message in complaints.messages if "BrokenResourceError" not in message]
    report.at(arguments.transport, "all").must("the SDK complains of nothing", not found, found)
    report.emit(event="done", **report.counts)
    return 0 if report.counts["fail"] == report.counts["warn"] == 0 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
