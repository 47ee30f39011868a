"""The official SDK as client, which checks every answer against its own types."""

import os

import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from .wire import MODERN


class _Heard:
    def __init__(self):
        self.logs, self.forms, self.progress = [], [], []

    async def on_log(self, params):
        self.logs.append(params.data)

    async def on_form(self, context, params):
        self.forms.append(params.message)
        return types.ElicitResult(action="accept", content={"name": "Alice", "username": "alice", "email": "a@example.com",
                                                            "ok": True, "color": "blue", "context": "tests", "text": "Sunny."})

    async def on_sampling(self, context, params):
        return types.CreateMessageResult(role="assistant", model="test", content=types.TextContent(type="text", text="A sampled text."))

    async def on_roots(self, context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///test/root", name="Test root")])

    async def on_progress(self, progress, total, message):
        self.progress.append((progress, total))


def connect(target, http, mode, heard):
    if target.transport == "http":
        transport = streamable_http_client(target.url, http_client=http)
    else:
        transport = stdio_client(StdioServerParameters(command=target.command[0], args=target.command[1:],
                                                       env=dict(os.environ)))
    return Client(transport, mode=mode, read_timeout_seconds=30, logging_callback=heard.on_log, elicitation_callback=heard.on_form,
                  sampling_callback=heard.on_sampling, list_roots_callback=heard.on_roots)


def texts(result):
    return "\n".join(block.text for block in result.content if block.type == "text")


async def official_client(checks, target):
    is_modern = checks.revision == MODERN
    heard = _Heard()
    headers = {"Authorization": f"Bearer {target.key}"} if getattr(target, "key", None) else {}
    async with httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as http:
        async with connect(target, http, "auto" if is_modern else "legacy", heard) as client:
            checks.must("the SDK agrees on the revision", client.protocol_version == checks.revision, client.protocol_version)
            checks.must("the SDK learns who the server is", client.server_info and client.server_info.name, client.server_info)
            tools = (await client.list_tools()).tools
            checks.must("the SDK lists tools", {"test_simple_text", "test_custom_header"} <= {tool.name for tool in tools}, tools)
            result = await client.call_tool("test_simple_text", {})
            checks.must("the SDK calls a tool", texts(result).startswith("This is a simple"), result)
            result = await client.call_tool("test_multiple_content_types", {})
            checks.must("the SDK reads every kind of content", [block.type for block in result.content] == ["text", "image", "resource"], result)
            result = await client.call_tool("test_error_handling", {})
            checks.must("the SDK sees a failed tool", result.is_error, result)
            result = await client.call_tool("test_waiting", {})
            checks.must("the SDK takes structured content", result.structured_content == {
                "running": result.structured_content["running"], "cancelled": result.structured_content["cancelled"]}, result)
            result = await client.call_tool("test_custom_header", {"region": "Zürich ✓", "priority": 3})
            checks.must("the SDK and the server agree on headers of arguments", not result.is_error and "Zürich ✓" in texts(result), result)
            result = await client.call_tool("test_tool_with_progress", {}, progress_callback=heard.on_progress)
            checks.must("the SDK is told of progress", heard.progress == [(0, 100), (50, 100), (100, 100)], heard.progress)
            if not is_modern:
                await client.set_logging_level("debug")
                await client.call_tool("test_tool_with_logging", {})
                checks.must("the SDK is told what is logged", len(heard.logs) == 3, heard.logs)
            for tool, arguments, expected in (
                    ("test_elicitation", {"message": "Who?"}, "a@example.com"), ("test_sampling", {"prompt": "x"}, "A sampled text."),
                    ("test_input_required_result_elicitation", {}, "Hello, Alice!"),
                    ("test_input_required_result_multiple_inputs", {}, "file:///test/root"),
                    ("test_input_required_result_multi_round", {}, "Alice likes blue"),
                    ("test_input_required_result_request_state", {}, "state-ok")):
                result = await client.call_tool(tool, arguments)
                checks.must(f"the SDK answers {tool}", expected in texts(result) and not result.is_error, result)
            resources = (await client.list_resources()).resources
            checks.must("the SDK lists resources", "test://static-text" in [str(one.uri) for one in resources], resources)
            templates = (await client.list_resource_templates()).resource_templates
            checks.must("the SDK lists templates", "test://template/{id}/data" in [one.uri_template for one in templates], templates)
            read = await client.read_resource("test://template/7/data")
            checks.must("the SDK reads a resource", '"id":"7"' in read.contents[0].text, read)
            read = await client.read_resource("test://asking/weather")
            checks.must("the SDK answers a resource that asks", read.contents[0].text == "weather: Sunny.", read)
            prompts = (await client.list_prompts()).prompts
            checks.must("the SDK lists prompts", "test_simple_prompt" in [one.name for one in prompts], prompts)
            got = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
            checks.must("the SDK gets a prompt", "arg1='a'" in got.messages[0].content.text, got)
            got = await client.get_prompt("test_input_required_result_prompt", {})
            checks.must("the SDK answers a prompt that asks", "tests" in got.messages[0].content.text, got)
            completed = await client.complete(types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments"),
                                              {"name": "arg1", "value": "par"})
            checks.must("the SDK completes an argument", completed.completion.values == ["paris", "park", "party"], completed)
            try:
                await client.call_tool("test_nothing_of_the_kind", {})
            except MCPError as error:
                checks.must("the SDK is told of an unknown tool", error.code == -32602, error)
            else:
                checks.must("the SDK is told of an unknown tool", False, "no error")
