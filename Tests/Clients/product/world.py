"""Connections to the product by every way there is, and a user who can be asked."""

import asyncio
import contextlib
import os
import secrets

import httpx2
import mcp_types as types
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

TIMEOUT_SECONDS = 60
#: How the SDK is told of an era, and the revision that it then speaks.
ERAS = {"auto": "2026-07-28", "legacy": "2025-11-25"}


class User:
    """Whom the server asks. `action` is what they say; while `gate` is closed they say nothing."""

    def __init__(self, action="accept"):
        self.action, self.asked = action, []
        self.was_asked, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def answer(self, context, params):
        self.asked.append(params)
        self.was_asked.set()
        await self.gate.wait()
        return types.ElicitResult(action=self.action, content={"confirm": True} if self.action == "accept" else None)


class Heard:
    """What the server says by itself."""

    def __init__(self):
        self.logs, self.messages, self.arrived = [], [], asyncio.Event()

    async def on_log(self, params):
        self.logs.append(params)

    async def on_message(self, message):
        self.messages.append(message)
        self.arrived.set()

    async def until(self, condition, seconds=15):
        """Whether something for which the condition holds came in time."""
        try:
            async with asyncio.timeout(seconds):
                while not any(condition(message) for message in self.messages):
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError:
            return False
        return True


class Target:
    """One way to the product: `stdio` starts a program, `http` goes to a server, `bridge` does both."""

    def __init__(self, transport, command=None, url=None, key=None):
        self.transport, self.command, self.url, self.key = transport, command, url, key

    @contextlib.asynccontextmanager
    async def connect(self, mode, user=None, heard=None, log_level=None, headers=None):
        """A client in an era. Without a user it does not declare that it can ask."""
        asks = {"elicitation_callback": user.answer} if user else {}
        hears = {"logging_callback": heard.on_log, "message_handler": heard.on_message} if heard else {}
        async with contextlib.AsyncExitStack() as stack:
            if self.transport == "http":
                http = await stack.enter_async_context(self.http(**(headers or {})))
                transport = streamable_http_client(self.url + "/mcp", http_client=http)
            else:
                environment = {"PYAIRTABLE_KEY": self.key} if self.key else {}
                passed_on = {name: value for name, value in os.environ.items() if name.startswith(("LD_", "ASAN_"))}
                transport = stdio_client(StdioServerParameters(command=self.command[0], args=self.command[1:],
                                                               env={**passed_on, **environment}))
            client = Client(transport, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS, log_level=log_level, **asks, **hears)
            yield await stack.enter_async_context(client)

    def http(self, **headers):
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)


class Caller:
    """Calls tools as the catalogue has them: what goes in and what comes out is held against the declared schemas."""

    def __init__(self, checks, client, tools):
        self.checks, self.client = checks, client
        self.tools = {tool.name: tool for tool in tools}
        self.called = set()

    @classmethod
    async def of(cls, checks, client):
        return cls(checks, client, (await client.list_tools(cache_mode="bypass")).tools)

    async def __call__(self, tool, progress=None, **arguments):
        """The structured content of a call that must succeed."""
        definition = self.tools[tool]
        wrong = problems(definition.input_schema, arguments)
        self.checks.ours(f"{tool}: the arguments fit its schema", not wrong, wrong)
        result = await self.client.call_tool(tool, arguments, progress_callback=progress)
        text = text_of(result)
        self.checks.must(f"{tool} succeeds", not result.is_error, text)
        self.checks.must(f"{tool} says something to read", text != "", result)
        content = result.structured_content
        wrong = problems(definition.output_schema, content)
        self.checks.must(f"{tool}: the answer fits its schema", isinstance(content, dict) and not wrong, wrong)
        self.called.add(tool)
        self.result, self.text = result, text
        return content or {}

    async def refused(self, tool, **arguments):
        """The text of a call that must be refused, as a result that a model can read."""
        result = await self.client.call_tool(tool, arguments)
        self.checks.must(f"{tool} refuses in a result", result.is_error and text_of(result), result)
        return text_of(result)


def new_name(what):
    """Of a base that is there once, however often this runs on the same data."""
    return f"{what} {secrets.token_hex(4)}"


def problems(schema, value):
    """What keeps a value from fitting a schema of 2020-12."""
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)][:3]


def text_of(result):
    return "\n".join(block.text for block in result.content if block.type == "text")


async def eventually(ask, seconds=30):
    """Asks until the answer is something; the last answer."""
    async with asyncio.timeout(seconds):
        while not (found := await ask()):
            await asyncio.sleep(0.05)
        return found
