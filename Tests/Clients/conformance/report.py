"""Named checks, printed as one JSON object a line."""

import asyncio
import json
import sys
import traceback

SCENARIO_SECONDS = 60
EVIDENCE_CHARACTERS = 700


class Report:
    def __init__(self, only=None):
        self.counts = {"pass": 0, "fail": 0, "warn": 0}
        self.only = only

    def at(self, transport, revision):
        return Checks(self, transport, revision)

    def emit(self, **line):
        print(json.dumps(line, ensure_ascii=False), flush=True)


class Checks:
    """The checks of one transport at one revision.

    Three levels: what the protocol demands (`must`), what it recommends (`should`), and what we ask of ourselves (`ours`).
    What is recommended and missing is a warning; everything else that is missing is a failure.
    """

    def __init__(self, report, transport, revision):
        self.report, self.transport, self.revision = report, transport, revision

    def must(self, name, holds, evidence=None):
        return self._note(name, "MUST", holds, evidence)

    def should(self, name, holds, evidence=None):
        return self._note(name, "SHOULD", holds, evidence)

    def ours(self, name, holds, evidence=None):
        return self._note(name, "OURS", holds, evidence)

    def _note(self, name, level, holds, evidence):
        status = "pass" if holds else "warn" if level == "SHOULD" else "fail"
        self.report.counts[status] += 1
        line = dict(check=name, transport=self.transport, revision=self.revision, level=level, status=status)
        if not holds:
            line["evidence"] = str(evidence)[:EVIDENCE_CHARACTERS]
        self.report.emit(**line)
        return bool(holds)

    async def scenario(self, body, *arguments):
        """Runs `body(self, *arguments)`. A scenario that breaks off is a failure of its own."""
        name = f"{body.__module__.rpartition('.')[2]}.{body.__name__}"
        if self.report.only and not any(part in name for part in self.report.only):
            return
        try:
            await asyncio.wait_for(body(self, *arguments), SCENARIO_SECONDS)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in place if any(part in frame.filename for part in ("conformance", "product"))]
            lines = [f"{frame.name}:{frame.lineno}" for frame in ours]
            self.must(f"{name} runs to its end", False, f"{type(cause(error)).__name__}: {cause(error)} at {' '.join(lines)}")


def cause(error):
    """What groups of tasks wrap."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
