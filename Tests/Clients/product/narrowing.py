"""What is offered can only be made less: by options where a program is started, by headers where a server is asked."""

from mcp import MCPError

from .world import Target

#: By the names of options; each selection names what is left of the whole catalogue.
SELECTIONS = [
    ({"toolsets": "search"}, lambda tool: tool.name in ("search_records", "find_similar")),
    ({"toolsets": "search,history"}, lambda tool: tool.name in ("search_records", "find_similar", "list_changes", "revert")),
    ({"tools": "get_record,update_records"}, lambda tool: tool.name in ("get_record", "update_records")),
    ({"tools": "get_record,no_such_tool"}, lambda tool: tool.name == "get_record"),
    ({"read-only": "true"}, lambda tool: tool.annotations.read_only_hint),
    ({"toolsets": "records", "tools": "list_records,ask"}, lambda tool: tool.name == "list_records"),
    ({"toolsets": "records", "read-only": "true"}, lambda tool: tool.name in ("list_records", "get_record", "aggregate_records")),
    ({"tools": "delete_records,get_record", "read-only": "true"}, lambda tool: tool.name == "get_record"),
    ({"tools": "delete_records", "read-only": "true"}, lambda tool: False),
]
HEADERS = {"toolsets": "X-MCP-Toolsets", "tools": "X-MCP-Tools", "read-only": "X-MCP-Readonly"}


def headers_of(selection):
    return {HEADERS[name]: value for name, value in selection.items()}


def options_of(selection):
    return [word for name, value in selection.items() for word in (f"--{name}", value) if word != "true"]


def selected(target, selection):
    """A target with the selection, and the headers that go with it."""
    if target.transport == "http":
        return target, headers_of(selection)
    return Target(target.transport, command=target.command + options_of(selection), url=target.url, key=target.key), {}


async def names(target, mode, **headers):
    async with target.connect(mode, headers=headers) as client:
        return [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]


async def selections(checks, target, mode):
    async with target.connect(mode) as client:
        whole = (await client.list_tools(cache_mode="bypass")).tools
    for selection, is_left in SELECTIONS:
        expected = [tool.name for tool in whole if is_left(tool)]
        other, headers = selected(target, selection)
        async with other.connect(mode, headers=headers) as client:
            found = [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]
            checks.ours(f"{selection} leaves what it should", found == expected, found)
            hidden = next(tool for tool in whole if tool.name not in expected)
            arguments = {name: "x" for name in hidden.input_schema.get("required", [])}
            try:
                result = await client.call_tool(hidden.name, arguments)
            except MCPError as error:
                checks.ours(f"{selection}: what is hidden is unknown", error.code == -32602 and hidden.name in error.message, error)
            else:
                checks.ours(f"{selection}: what is hidden is unknown", False, result)


async def widening(checks, target, mode):
    """Headers of a key that may only read, which is the one of `command`."""
    if target.transport != "http":
        return
    reader = Target("http", url=target.url, key=target.command[0])
    reads = await names(reader, mode)
    checks.ours("a reader is offered only what reads", "list_records" in reads and "update_records" not in reads, reads)
    for selection in ({"toolsets": "all"}, {"read-only": "false"}, {"toolsets": "all", "read-only": "no"}):
        found = await names(reader, mode, **headers_of(selection))
        checks.ours(f"{selection} gives a reader nothing more", found == reads, found)
    found = await names(reader, mode, **headers_of({"tools": "delete_records,get_record"}))
    checks.ours("naming a tool does not give it", found == ["get_record"], found)


async def wrong(checks, target, mode):
    """What there is not is said, and opens nothing."""
    if target.transport != "http":
        return
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}}
    accept = {"Accept": "application/json, text/event-stream"}
    for headers, part in (({"X-MCP-Toolsets": "serch"}, "'search'"), ({"X-MCP-Toolsets": "search,everything"}, "everything"),
                          ({"X-MCP-Readonly": "perhaps"}, "perhaps")):
        async with target.http(**accept, **headers) as http:
            response = await http.post(target.url + "/mcp", json=message)
            checks.ours(f"{headers} is refused and told why", response.status_code == 400 and part in response.text
                        and "mcp-session-id" not in response.headers, response.text)


ALL = [selections, widening, wrong]
