"""Calls while they run: progress, log entries, cancellation; and lists of more than a page, and how long they are good."""

import asyncio

from mcp import MCPError

from .offers import all_pages
from .tools import FIELDS, ids, make_base
from .world import Caller, Heard, new_name, User

MANY = 500


def rows(count):
    return [{"Name": f"Row {number}"} for number in range(count)]


async def progress(checks, target, mode):
    user, reports = User(), []
    async with target.connect(mode, user) as client:
        call = await Caller.of(checks, client)
        name = new_name("Progress")
        await make_base(call, name)

        async def on_progress(done, total, message):
            reports.append((done, total, message))

        made = await call("create_records", progress=on_progress, base=name, table="Tasks", records=rows(MANY))
        checks.ours("all records are made", made["created"] == MANY and len(user.asked) == 1, made)
        done = [one[0] for one in reports]
        checks.must("progress is told and goes on", len(done) >= 2 and done == sorted(set(done)), reports)
        checks.ours("progress ends at the whole", done[-1:] == [MANY] and {one[1] for one in reports} == {MANY}, reports)
        checks.ours("progress says what is done", all(one[2] for one in reports), reports)
        reports.clear()
        await call("create_records", base=name, table="Tasks", records=rows(20))
        checks.must("nobody is told who did not ask", reports == [], reports)


async def logging(checks, target, mode):
    """Entries of a level come to who asked for that level, and to nobody else."""
    for level, told in (("debug", True), ("info", False), (None, False)):
        heard = Heard()
        async with target.connect(mode, User(), heard, log_level=level if mode == "auto" else None) as client:
            call = await Caller.of(checks, client)
            name = new_name("Log")
            await make_base(call, name)
            if level and mode == "legacy":
                await client.set_logging_level(level)
            heard.logs.clear()
            made = await call("create_records", base=name, table="Tasks", records=rows(2))
            # A second answer on the same connection: whatever was said before it has come.
            await call("list_bases")
            if not told:
                checks.must(f"{level}: nothing is told", heard.logs == [], heard.logs)
                continue
            checks.ours(f"{level}: the change is told once", len(heard.logs) == 1, heard.logs)
            entry = heard.logs[0]
            checks.ours("an entry says what, and no text of records", entry.level == "debug" and entry.logger == "create_records"
                        and entry.data == {"transaction": made["transaction"], "records": 2}, entry)


async def cancellation(checks, target, mode):
    """A call that is given up changes nothing, and the connection goes on."""
    user = User()
    async with target.connect(mode, user) as client:
        call = await Caller.of(checks, client)
        name = new_name("Cancel")
        await make_base(call, name)
        place = {"base": name, "table": "Tasks"}
        user.gate.clear()
        given_up = asyncio.create_task(client.call_tool("create_records", {**place, "records": rows(MANY)}))
        await asyncio.wait_for(user.was_asked.wait(), 30)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        user.gate.set()
        checks.must("given up while the user is asked: nothing is made", (await call("aggregate_records", **place))["recordCount"] == 0)
        begun = asyncio.Event()

        async def on_progress(done, total, message):
            begun.set()

        many = 5_000
        running = asyncio.create_task(client.call_tool("create_records", {**place, "records": rows(many)},
                                                       progress_callback=on_progress))
        await asyncio.wait_for(begun.wait(), 30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # The writing transaction takes its turn before this one.
        await call("create_records", **place, records=rows(1))
        count = (await call("aggregate_records", **place))["recordCount"]
        checks.must("given up while it is written: all or nothing", count in (1, many + 1), count)
        checks.must("the connection goes on", (await client.list_tools(cache_mode="bypass")).tools)


async def pages(checks, target, mode):
    async with target.connect(mode, User()) as client:
        call = await Caller.of(checks, client)
        name = new_name("Many")
        tables = [{"name": f"T{number}", "fields": FIELDS[:1]} for number in range(100)]
        made = await call("create_base", name=name, tables=tables)
        base = next(one["id"] for one in made["made"] if one["kind"] == "base")
        found, count = await all_pages(client.list_resources, "resources")
        own = {str(one.uri) for one in found if str(one.uri).startswith(f"airtable://{base}/")}
        checks.must("all resources come, on several pages", count > 1 and len(own) == 201, (count, len(own)))
        checks.must("none comes twice", len(found) == len({str(one.uri) for one in found}), len(found))
        first = await client.list_resources(cache_mode="bypass")
        await call("create_table", base=name, name="Late", fields=FIELDS[:1])
        for what, cursor in (("is of another list", first.next_cursor), ("is nobody's", "nonsense")):
            try:
                page = await client.list_resources(cursor=cursor)
            except MCPError as error:
                checks.must(f"a cursor that {what} is refused", error.code == -32602, error)
            else:
                checks.must(f"a cursor that {what} is refused", False, page)
        seen, cursor = [], None
        while True:
            page = await call("list_tables", base=name, limit=50, **({"cursor": cursor} if cursor else {}))
            seen += [table["name"] for table in page["tables"]]
            if not (cursor := page.get("cursor")):
                break
        checks.ours("a tool's pages hold all, each once", len(seen) == len(set(seen)) == 101, seen)


async def caching(checks, target, mode):
    async with target.connect(mode) as client:
        lists = [await ask(cache_mode="bypass") for ask in
                 (client.list_tools, client.list_resources, client.list_resource_templates, client.list_prompts)]
        uri = str(lists[1].resources[0].uri)
        lists.append(await client.read_resource(uri, cache_mode="bypass"))
        for one in lists:
            name = type(one).__name__
            if mode == "auto":
                checks.must(f"{name} says how long it is good, and for whom", isinstance(one.ttl_ms, int) and one.ttl_ms >= 0
                            and one.cache_scope == "private", one)
            else:
                checks.must(f"{name} says nothing that its era does not know", not {"ttl_ms", "cache_scope"} & one.model_fields_set,
                            one.model_fields_set)


ALL = [progress, logging, cancellation, pages, caching]
