"""Resources, prompts, completion, and being told of changes."""

import asyncio
import json

import mcp_types as types
from mcp import MCPError
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated

from .tools import FIELDS, ids, make_base
from .world import Caller, Heard, new_name, User, eventually


async def all_pages(list_page, members):
    """Every element of a list, and how many pages it had."""
    found, cursor, pages = [], None, 0
    while True:
        page = await list_page(cursor=cursor, cache_mode="bypass")
        found += getattr(page, members)
        pages += 1
        if (cursor := page.next_cursor) is None:
            return found, pages


async def resources(checks, target, mode):
    async with target.connect(mode, User()) as client:
        call = await Caller.of(checks, client)
        name = new_name("Shelf")
        base = await make_base(call, name)
        record = ids(await call("create_records", base=name, table="Tasks", records=[{"Name": "Dust the shelf"}]))[0]
        listed, _ = await all_pages(client.list_resources, "resources")
        own = [str(one.uri) for one in listed if str(one.uri).startswith(f"airtable://{base}/")]
        checks.ours("schemas and views of the base are listed", len(own) == 5 and len(set(own)) == 5, own)
        for uri in own:
            read = (await client.read_resource(uri)).contents
            checks.must("what is listed can be read", len(read) == 1 and str(read[0].uri) == uri and json.loads(read[0].text), read)
        templates, _ = await all_pages(client.list_resource_templates, "resource_templates")
        found = {one.uri_template for one in templates}
        expected = {"airtable://{baseId}/schema", "airtable://{baseId}/{table}/schema", "airtable://{baseId}/{table}/{recordId}",
                    "airtable://{baseId}/{table}/views/{view}"}
        checks.ours("there are four forms of addresses", found == expected, found)
        for uri, part in ((f"airtable://{base}/schema", "Projects"), (f"airtable://{base}/Tasks/schema", "State"),
                          (f"airtable://{base}/tasks/{record}", "Dust the shelf"),
                          (f"airtable://{base}/Tasks/views/Grid%20view", "Dust the shelf")):
            content = (await client.read_resource(uri)).contents[0]
            checks.ours(f"{uri.split(base)[1]} can be read by name", part in content.text
                        and content.mime_type == "application/json", content)
        code = -32602 if mode == "auto" else -32002
        for uri in (f"airtable://{base}/Tasks/rec00000000000000", f"airtable://{base}/None/schema", "airtable://app00000000000000/schema",
                    "airtable://nowhere", "file:///etc/passwd"):
            try:
                read = await client.read_resource(uri)
            except MCPError as error:
                checks.must("what is not there is an error", error.code == code and error.data == {"uri": uri}, error.error)
            else:
                checks.must("what is not there is an error", False, read)


async def prompts(checks, target, mode):
    async with target.connect(mode) as client:
        listed, _ = await all_pages(client.list_prompts, "prompts")
        names = [one.name for one in listed]
        checks.ours("the prompts are listed", names == ["explore_base", "clean_up_table", "draft_formula"], names)
        values = {"base": "Periodic table", "table": "Elements", "focus": "Block", "goal": "the age of a discovery"}
        for prompt in listed:
            arguments = {one.name: values[one.name] for one in prompt.arguments}
            got = await client.get_prompt(prompt.name, arguments)
            kinds = [message.content.type for message in got.messages]
            checks.ours(f"{prompt.name} holds the schema and the request", kinds == ["resource", "text"], kinds)
            checks.ours(f"{prompt.name} holds the real schema", "Elements" in got.messages[0].content.resource.text)
            for value in arguments.values():
                checks.ours(f"{prompt.name} speaks of {value}", value in got.messages[1].content.text, got.messages[1])
        for name, arguments in (("no_such_prompt", {}), ("draft_formula", {"base": "Periodic table"}),
                                ("explore_base", {"base": "No such base"})):
            try:
                got = await client.get_prompt(name, arguments)
            except MCPError as error:
                checks.must("a prompt that cannot be made is an error", error.code == -32602 and error.message, error)
            else:
                checks.must("a prompt that cannot be made is an error", False, got)


async def completion(checks, target, mode):
    async with target.connect(mode) as client:
        call = await Caller.of(checks, client)
        bases = (await call("list_bases"))["bases"]
        base = next(one["id"] for one in bases if one["name"] == "Periodic table")
        prompt = types.PromptReference(type="ref/prompt", name="clean_up_table")
        record, view = (types.ResourceTemplateReference(type="ref/resource", uri="airtable://{baseId}/{table}/" + rest)
                        for rest in ("{recordId}", "views/{view}"))
        gold = (await call("list_records", base=base, table="Elements", filter=[{"field": "Name", "op": "=", "value": "Gold"}]))
        for what, ref, argument, context, expected in (
                ("a base by name", prompt, ("base", "perio"), {}, "Periodic table"),
                ("a table of that base", prompt, ("table", "ele"), {"base": "Periodic table"}, "Elements"),
                ("a field of that table", prompt, ("focus", "den"), {"base": "Periodic table", "table": "Elements"},
                 "Density (g/cm3)"),
                ("a base by id, found by name", record, ("baseId", "Periodic"), {}, base),
                ("a table in an address", record, ("table", "El"), {"baseId": base}, "Elements"),
                ("a record, found by its name", record, ("recordId", "Gold"), {"baseId": base, "table": "Elements"}, ids(gold)[0]),
                ("a view", view, ("view", "gr"), {"baseId": base, "table": "Elements"}, "Grid view")):
            found = (await client.complete(ref, {"name": argument[0], "value": argument[1]}, context or None)).completion
            checks.ours(f"completes {what}", expected in found.values and len(found.values) <= 100, found)
        none = (await client.complete(prompt, {"name": "table", "value": "zzz"}, {"base": "Periodic table"})).completion
        checks.ours("completes nothing that is not there", none.values == [] and not none.has_more, none)
        try:
            await client.complete(types.PromptReference(type="ref/prompt", name="no_such_prompt"), {"name": "a", "value": ""})
        except MCPError as error:
            checks.must("an unknown reference is an error", error.code == -32602, error)
        else:
            checks.must("an unknown reference is an error", False, "no error")


async def subscriptions(checks, target, mode):
    """Real changes, told in the way of each era, to who looks at the thing that changed."""
    heard = Heard()
    async with target.connect(mode, User(), heard) as client, target.connect(mode, User()) as other:
        call = await Caller.of(checks, client)
        # Over stdio somebody else is another process, whose changes are told as well.
        write = await Caller.of(checks, other)
        name = new_name("Watched")
        base = await make_base(call, name)
        first, second = ids(await call("create_records", base=name, table="Tasks", records=[{"Name": "a"}, {"Name": "b"}]))
        uris = [f"airtable://{base}/Tasks/{first}", f"airtable://{base}/Tasks/{second}", f"airtable://{base}/Tasks/schema"]

        async def change(record, hours):
            await write("update_records", base=name, table="Tasks", records=[{"recordId": record, "fields": {"Hours": hours}}])

        watching = listening if mode == "auto" else subscribed
        await watching(checks, client, heard, uris, change, write, name, (first, second))


async def listening(checks, client, heard, uris, change, write, base, records):
    async with client.listen(resource_subscriptions=uris, resources_list_changed=True) as events:
        honored = events.honored
        checks.must("the acknowledgment says what is honoured", sorted(honored.resource_subscriptions) == sorted(uris)
                    and honored.resources_list_changed is True and not honored.tools_list_changed, honored)
        await change(records[0], 1)
        await told(checks, events, "a changed record is told", ResourceUpdated(uri=uris[0]))
        read = await client.read_resource(uris[0])
        checks.ours("and has its new cells", '"Hours":1' in read.contents[0].text.replace(" ", ""), read)
        await change(records[1], 2)
        await told(checks, events, "another record is told by its own address", ResourceUpdated(uri=uris[1]))
        await write("create_field", base=base, table="Tasks", name="Colour", type="singleLineText")
        await told(checks, events, "a changed schema is told", ResourceUpdated(uri=uris[2]))
        await write("create_table", base=base, name="More", fields=FIELDS[:1])
        await told(checks, events, "a longer list is told", ResourcesListChanged())
    checks.must("the connection goes on when nobody listens any more", (await client.list_tools(cache_mode="bypass")).tools)


async def told(checks, events, name, expected):
    """The expected event comes, and none of another resource. The list may be told of more than once."""
    async with asyncio.timeout(15):
        event = await anext(events)
        while event == ResourcesListChanged() and event != expected:
            event = await anext(events)
    checks.must(name, event == expected, event)


async def subscribed(checks, client, heard, uris, change, write, base, records):
    def of(uri):
        return lambda one: isinstance(one, types.ResourceUpdatedNotification) and str(one.params.uri) == uri

    for uri in uris:
        await client.session.subscribe_resource(uri)
    await change(records[0], 1)
    checks.must("a changed record is told", await heard.until(of(uris[0])), heard.messages)
    checks.must("another one is not told of", not any(map(of(uris[1]), heard.messages)), heard.messages)
    await write("create_field", base=base, table="Tasks", name="Colour", type="singleLineText")
    checks.must("a changed schema is told", await heard.until(of(uris[2])), heard.messages)
    await client.session.unsubscribe_resource(uris[0])
    heard.messages.clear()
    await change(records[0], 2)
    await change(records[1], 2)
    checks.must("what is still watched is told", await heard.until(of(uris[1])), heard.messages)
    checks.must("what is not watched any more is not", not any(map(of(uris[0]), heard.messages)), heard.messages)
    await write("create_table", base=base, name="More", fields=FIELDS[:1])
    changed = await heard.until(lambda one: isinstance(one, types.ResourceListChangedNotification))
    checks.must("a longer list is told", changed, heard.messages)


ALL = [resources, prompts, completion, subscriptions]
