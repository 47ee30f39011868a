"""Checks that an MCP server with our fixtures keeps to the protocol, at every revision.

    mcp_conformance.py [--revisions REVISION,...] [--only PART,...] http URL [KEY]
    mcp_conformance.py [--revisions REVISION,...] [--only PART,...] stdio COMMAND...

URL is the endpoint itself. The server must offer the fixtures of `Sources/ConformanceFixtures` and nothing else. Prints
one JSON object a check:

    {"check", "transport", "revision", "level": "MUST"|"SHOULD"|"OURS", "status": "pass"|"warn"|"fail", "evidence"?}

and at the end {"event": "done", "pass", "warn", "fail"}. Exit code 1 when anything is not `pass`. `--only` runs the
scenarios whose name (`module.function`) holds one of the parts.

Requests are made byte by byte here, since what is to be refused is what no library sends; `conformance.sdk` then says
the same through the official SDK. What the server writes is held against the SDK's generated types, message by message.
"""

import argparse
import asyncio
import sys
import warnings

from conformance import features, http_rules, legacy, modern, sdk, shapes, stdio_rules
from conformance.http import HTTPTarget
from conformance.report import Report
from conformance.stdio import StdioTarget
from conformance.wire import HANDSHAKES, MODERN
from mcp.shared.exceptions import MCPDeprecationWarning


# The SDK warns of what the newest revision has left behind, which is what is to be checked here.
warnings.filterwarnings("ignore", category=MCPDeprecationWarning)


async def shared(checks, target, wires):
    """Scenarios about what is offered, all over one peer."""
    async with target.open(checks.revision) as peer:
        wires.append(peer.wire)
        scenarios = list(features.ALL)
        if checks.revision >= "2025-11-25":
            scenarios += [features.forms, features.wrong_answers]
        if checks.revision == "2025-06-18":
            scenarios.append(features.older_forms)
        if "2025-06-18" <= checks.revision < MODERN:
            scenarios.append(features.refused_client)
        if checks.revision >= "2025-06-18":
            scenarios.append(features.many_questions)
        for scenario in scenarios:
            await checks.scenario(scenario, peer)


async def of_revision(report, target, revision):
    checks = report.at(target.transport, revision)
    wires = []
    target = Recording(target, wires)
    await shared(checks, target, wires)
    is_modern = revision == MODERN
    scenarios = list(modern.ALL if is_modern else legacy.ALL)
    scenarios += shapes.NEWEST if is_modern else shapes.HANDSHAKE
    if revision == "2025-11-25":
        scenarios.append(legacy.negotiation)
    if revision == MODERN:
        scenarios.append(modern.both_eras)
    if target.transport == "http":
        scenarios += http_rules.BOTH_ERAS + (http_rules.NEWEST if is_modern else http_rules.HANDSHAKE)
        if target.key:
            scenarios.append(http_rules.authorization)
    else:
        scenarios += stdio_rules.ALL + ([] if is_modern else [stdio_rules.before_the_handshake])
    if revision in (MODERN, "2025-11-25"):
        scenarios.append(sdk.official_client)
    for scenario in scenarios:
        await checks.scenario(scenario, target)
    count = sum(wire.count for wire in wires)
    violations = [violation for wire in wires for violation in wire.violations]
    checks.must("every message of the server is valid at its revision", count > 0 and not violations,
                f"{len(violations)} of {count}: {violations[:3]}")
    codes = set().union(*(wire.codes for wire in wires))
    if is_modern:
        checks.must("no error has a code that this revision does not know", codes <= modern.ALLOWED_CODES,
                    sorted(codes - modern.ALLOWED_CODES))
    else:
        odd = sorted(code for code in codes if -32019 <= code <= -32000 and code != -32002)
        checks.should("no error has a code of the range that is kept for others", not odd, odd)


class Recording:
    """A target that keeps what every peer has read."""

    def __init__(self, target, wires):
        self.target, self.wires = target, wires

    def __getattr__(self, name):
        return getattr(self.target, name)

    def peer(self, *arguments, **options):
        peer = self.target.peer(*arguments, **options)
        self.wires.append(peer.wire)
        return peer

    def open(self, *arguments, **options):
        target = self.target
        opened = target.open(*arguments, **options)
        wires = self.wires

        class Opened:
            async def __aenter__(self):
                peer = await opened.__aenter__()
                wires.append(peer.wire)
                return peer

            async def __aexit__(self, *error):
                return await opened.__aexit__(*error)

        return Opened()


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--revisions", default=",".join([*HANDSHAKES, MODERN]))
    parser.add_argument("--only", default="")
    parser.add_argument("transport", choices=["http", "stdio"])
    parser.add_argument("server", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    server = arguments.server
    target = HTTPTarget(*server[:2]) if arguments.transport == "http" else StdioTarget(server)
    report = Report([part for part in arguments.only.split(",") if part])
    for revision in arguments.revisions.split(","):
        await of_revision(report, target, revision)
    report.emit(event="done", **report.counts)
    return 0 if report.counts["fail"] == report.counts["warn"] == 0 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
