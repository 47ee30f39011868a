"""Every tool of the catalogue, called so that it succeeds, on a base that the tools make themselves."""

import base64

from mcp import MCPError

from .world import Caller, new_name, User, eventually

FIELDS = [
    {"name": "Name", "type": "singleLineText"},
    {"name": "Notes", "type": "multilineText"},
    {"name": "State", "type": "singleSelect", "options": {"choices": [{"name": "Open"}, {"name": "Done"}]}},
    {"name": "Hours", "type": "number", "options": {"precision": 1}},
    {"name": "Due", "type": "date", "options": {"dateFormat": {"name": "iso"}}},
    {"name": "Files", "type": "multipleAttachments"},
    {"name": "Project", "type": "multipleRecordLinks", "options": {"linkedTableId": "Projects"}},
]


async def make_base(call, name):
    made = await call("create_base", name=name, tables=[
        {"name": "Projects", "fields": [{"name": "Title", "type": "singleLineText"}]},
        {"name": "Tasks", "description": "What is to be done.", "fields": FIELDS}])
    return next(one["id"] for one in made["made"] if one["kind"] == "base")


def ids(answer):
    return [record["id"] for record in answer["records"]]


async def every_tool(checks, target, mode):
    """One dialogue in which each tool of the catalogue does its work."""
    user = User()
    async with target.connect(mode, user) as client:
        call = await Caller.of(checks, client)
        base = new_name("Studio")
        place = {"base": base, "table": "Tasks"}
        await schema_tools(checks, call, user, base)
        tasks = await record_tools(checks, call, user, place)
        await files_and_comments(checks, call, place, tasks)
        await reading_tools(checks, call, place, tasks)
        await questions(checks, call)
        checks.ours("no tool of the catalogue is without a call", call.called == set(call.tools),
                    sorted(set(call.tools) ^ call.called))


async def schema_tools(checks, call, user, base):
    dry = await call("create_base", name=base, tables=[{"name": "T", "fields": FIELDS[:1]}], dryRun=True)
    checks.ours("a dry run proposes", dry["status"] == "proposed", dry)
    before = [one["name"] for one in (await call("list_bases"))["bases"]]
    checks.ours("a dry run makes no base", base not in before, before)
    await make_base(call, base)
    made = await call("create_table", base=base, name="Log", fields=FIELDS[:2])
    checks.ours("what was made is named", [one["name"] for one in made["made"]] == ["Log"], made)
    await call("create_field", base=base, table="Tasks", name="Loud", type="formula", options={"formula": "UPPER({Name})"})
    checks.ours("making is not asked about", not user.asked, user.asked)
    await call("update_field", base=base, table="Log", field="Notes", name="Entry")
    await call("update_table", base=base, table="Log", name="Diary", description="What happened.")
    checks.ours("renaming is asked about", len(user.asked) == 2 and "Diary" in user.asked[1].message, user.asked)
    tables = await call("list_tables", base=base)
    names = [table["name"] for table in tables["tables"]]
    checks.ours("the tables are listed", names == ["Projects", "Tasks", "Diary"], names)
    for detail in ("names", "fields", "full"):
        await call("describe_table", base=base, table="Tasks", detail=detail)
    described = await call("describe_table", base=base, table="Diary")
    checks.ours("the field has its new name", "Entry" in str(described) and "Notes" not in str(described), described)


async def cells_of(call, place, record):
    return (await call("get_record", **place, recordId=record))["record"]["fields"]


async def record_tools(checks, call, user, place):
    projects = ids(await call("create_records", base=place["base"], table="Projects", records=[{"Title": "Orchard"}]))
    records = [
        {"Name": "Graft apple trees", "Notes": "Scions come from the old orchard.", "State": "Open", "Hours": 4,
         "Due": "2031-03-01", "Project": projects},
        {"Name": "Repair the cider press", "Notes": "The screw is worn.", "State": "Done", "Hours": 2.5},
        {"Name": "Count bee hives", "State": "Open", "Hours": 1},
    ]
    user.asked.clear()
    once = {**place, "records": records, "idempotencyKey": f"make-{place['base']}"}
    made = await call("create_records", **once)
    checks.ours("three records are made, unasked", made["created"] == 3 and not user.asked, made)
    again = await call("create_records", **once)
    checks.ours("a repeated call makes nothing more", ids(again) == ids(made) and again.get("repeated") is True, again)
    tasks = ids(made)
    await changing(checks, call, user, place, tasks)
    upserted = await call("upsert_records", **place, mergeOn=["Name"],
                          records=[{"Name": "Count bee hives", "Hours": 3}, {"Name": "Order labels"}])
    checks.ours("one is changed and one made", (upserted["updated"], upserted["created"]) == (1, 1), upserted)
    extra = next(record["id"] for record in upserted["records"] if record["outcome"] == "created")
    before = await cells_of(call, place, tasks[0])
    deleted = await call("delete_records", **place, recordIds=[tasks[0], extra])
    checks.ours("two are deleted", deleted["deleted"] == 2, deleted)
    await call.refused("get_record", **place, recordId=tasks[0])
    await call("revert", transaction=deleted["transaction"])
    checks.ours("what was deleted is back, cell by cell", await cells_of(call, place, tasks[0]) == before, before)
    rows = "Name,Hours\n" + "".join(f"Row {number},{number}\n" for number in range(12))
    user.asked.clear()
    await call("import_data", **place, format="csv", content=rows)
    checks.ours("twelve rows are asked about", len(user.asked) == 1 and "12" in user.asked[0].message, user.asked)
    count = await call("aggregate_records", **place)
    checks.ours("all rows are there", count["recordCount"] == 16, count)
    return tasks


async def changing(checks, call, user, place, tasks):
    """What the user says is what happens."""
    change = {**place, "records": [{"recordId": tasks[0], "fields": {"State": "Done", "Hours": 8}}]}
    dry = await call("update_records", **change, dryRun=True)
    checks.ours("a dry run shows cells before and after", dry["proposal"]["changes"][0]["cells"].get("Hours") == [4, 8], dry)
    checks.ours("a dry run has a hash and says that the user will be asked", dry["proposal"]["hash"] and dry["proposal"]["asks"],
                dry)
    for action in ("decline", "cancel"):
        user.action = action
        answer = await call("update_records", **change)
        checks.ours(f"{action}: nothing is done", answer["status"] == "declined", answer)
        checks.ours(f"{action}: the cells stay", (await cells_of(call, place, tasks[0]))["Hours"] == 4)
    user.action = "accept"
    checks.ours("the user was asked each time", len(user.asked) == 2, user.asked)
    form = user.asked[0].requested_schema
    checks.must("the question is a form of plain fields", form["type"] == "object" and
                all(one["type"] == "boolean" for one in form["properties"].values()), form)
    before = await cells_of(call, place, tasks[0])
    done = await call("update_records", **change)
    cells = await cells_of(call, place, tasks[0])
    checks.ours("accept: it is done", (cells["State"], cells["Hours"]) == ("Done", 8), cells)
    dry = await call("revert", transaction=done["transaction"], dryRun=True)
    checks.ours("taking back can be tried", dry["status"] == "proposed", dry)
    await call("revert", transaction=done["transaction"])
    checks.ours("every cell is back", await cells_of(call, place, tasks[0]) == before, before)
    again = await call("revert", transaction=done["transaction"])
    checks.ours("what was taken back is not taken back again", again["status"] in ("conflict", "unchanged"), again)


async def files_and_comments(checks, call, place, tasks):
    content = base64.b64encode("A drawing of the press.".encode()).decode()
    await call("upload_attachment", **place, recordId=tasks[1], field="Files", content=content, filename="press.txt",
               mediaType="text/plain")
    files = (await cells_of(call, place, tasks[1]))["Files"]
    checks.ours("the file is in its cell", [one["filename"] for one in files] == ["press.txt"], files)
    await call("upload_attachment", **place, recordId=tasks[2], field="Files", attachmentId=files[0]["id"])
    comment = (await call("create_comment", **place, recordId=tasks[0], text="Wait for frost."))["made"][0]["id"]
    await call("create_comment", **place, recordId=tasks[0], text="It came.", parentId=comment)
    page = await call("list_comments", **place, recordId=tasks[0], limit=1)
    rest = await call("list_comments", **place, recordId=tasks[0], limit=1, cursor=page["cursor"])
    texts = [one["text"] for one in page["comments"] + rest["comments"]]
    checks.ours("comments come page by page, newest first", texts == ["It came.", "Wait for frost."], texts)


async def reading_tools(checks, call, place, tasks):
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await call("list_records", **place, fields=["Name"], sort=[{"field": "Hours", "direction": "desc"}], limit=5, **more)
        seen += ids(page)
        if not (cursor := page.get("cursor")):
            break
    checks.ours("all records come, each once", len(seen) == len(set(seen)) == 16, seen)
    found = await call("list_records", **place, filter=[{"field": "State", "op": "=", "value": "Open"}], formula="{Hours}>3")
    checks.ours("a filter and a formula hold together", ids(found) == [tasks[0]], found)
    groups = await call("aggregate_records", **place, measures=[{"function": "sum", "field": "Hours"}], groupBy=[{"field": "State"}])
    sums = {group["keys"][0]: group["values"][0] for group in groups["groups"]}
    checks.ours("sums are exact", sums == {"Open": 7, "Done": 2.5, None: 66}, sums)
    changes = await call("list_changes", **place, recordId=tasks[0], limit=2)
    checks.ours("the newest changes are told", len(changes["changes"]) == 2, changes)
    await call("list_changes", **place, cursor=changes["since"])
    # The index follows on its own; until then there are fewer hits.
    found = await eventually(lambda: hits(call, tasks[1], query="who mends the cider press", bases=[place["base"]], limit=3))
    checks.ours("the record is found first by what it says", found[0]["recordId"] == tasks[1], found)
    links = [block for block in call.result.content if block.type == "resource_link"]
    checks.must("each hit has a link", len(links) == len(found), links)
    for link, hit in zip(links, found):
        read = await call.client.read_resource(str(link.uri))
        checks.must("a link can be read", hit["recordId"] in read.contents[0].text, read)
    similar = await call("find_similar", recordId=tasks[1], bases=[place["base"]], limit=3)
    checks.ours("a record is not similar to itself", tasks[1] not in [hit["recordId"] for hit in similar["hits"]], similar)


async def hits(call, expected, **arguments):
    found = (await call("search_records", **arguments))["hits"]
    return found if expected in [hit["recordId"] for hit in found] else []


async def questions(checks, call):
    """An answer, each piece of it where it says that it stands."""
    answer = await call("ask", question="Which element is named after the inventor of dynamite?", bases=["Periodic table"])
    checks.ours("the question is answered", answer["found"] and answer["quotes"], answer)
    for quote in answer["quotes"]:
        checks.ours("the answer cites", f"[{quote['recordId']}/{quote['fieldId']}]" in answer["text"], answer)
        record = await call("get_record", base=quote["baseId"], table=quote["tableId"], recordId=quote["recordId"])
        checks.ours("a citation is verbatim", quote["quote"] in str(record["record"]["fields"]), quote)
    answer = await call("ask", question="What is the telephone number of the mayor of Springfield?", bases=["Periodic table"])
    checks.ours("what the records do not tell is not made up", not answer["found"] and not answer["quotes"], answer)


async def refusals(checks, target, mode):
    """What is wrong is told so that it can be put right."""
    async with target.connect(mode, User()) as client:
        call = await Caller.of(checks, client)
        base = new_name("Refusals")
        await make_base(call, base)
        place = {"base": base, "table": "Tasks"}
        try:
            await client.call_tool("list_recrods", {})
        except MCPError as error:
            checks.must("an unknown tool breaks the protocol", error.code == -32602 and "list_recrods" in error.message, error)
        else:
            checks.must("an unknown tool breaks the protocol", False, "no error")
        text = await call.refused("list_records", **place, limitt=3)
        checks.ours("an argument that does not exist is named, with those that do", "limitt" in text and "limit," in text, text)
        text = await call.refused("list_records", base=base)
        checks.ours("an argument that is missing is named", "table" in text, text)
        text = await call.refused("list_records", **place, limit="many")
        checks.ours("an argument of another type is named", "limit" in text, text)
        for arguments in ({"filter": [{"field": "Statee", "op": "=", "value": "Open"}]}, {"formula": "{Statee}='Open'"},
                          {"fields": ["Statee"]}, {"sort": [{"field": "Statee"}]}):
            text = await call.refused("list_records", **place, **arguments)
            checks.ours("the field that was meant is suggested", "Statee" in text and "'State'" in text, text)
        text = await call.refused("create_records", **place, records=[{"Statee": "Open"}])
        checks.ours("the field that was meant is suggested for a write", "Statee" in text and '"State"' in text, text)
        text = await call.refused("list_records", base=base, table="Task")
        checks.ours("the table that was meant is suggested", "'Tasks'" in text, text)
        text = await call.refused("list_tables", base=base + "x")
        checks.ours("the base that was meant is suggested", f"'{base}'" in text, text)
        await call.refused("get_record", **place, recordId="rec00000000000000")
        await call.refused("list_records", **place, formula="IF(")
    async with target.connect(mode) as client:
        call = await Caller.of(checks, client)
        records = ids(await call("create_records", **place, records=[{"Name": "Kept"}]))
        text = await call.refused("delete_records", **place, recordIds=records)
        checks.ours("a client that cannot ask is told what it can do", "elicitation" in text, text)
        await call("get_record", **place, recordId=records[0])


async def catalogue(checks, target, mode):
    """What every tool's definition keeps to."""
    async with target.connect(mode) as client:
        listed = await client.list_tools(cache_mode="bypass")
        for tool in listed.tools:
            for name, schema in (("input", tool.input_schema), ("output", tool.output_schema)):
                checks.must(f"{tool.name}: the {name} schema is one", schema and schema["type"] == "object", schema)
                checks.ours(f"{tool.name}: the {name} schema is plain", not list(unplain(schema)), list(unplain(schema)))
            for argument in tool.input_schema.get("required", []):
                described = tool.input_schema["properties"][argument].get("description")
                checks.ours(f"{tool.name}: the required '{argument}' is described", described)
            hints = tool.annotations
            checks.ours(f"{tool.name}: it has a title, a description and hints", tool.title and tool.description
                        and hints.read_only_hint is not None and hints.destructive_hint is not None, tool)
        size = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True).encode()) for tool in listed.tools)
        checks.ours("the catalogue is small", size / 3.5 < 10_000, size / 3.5)


def unplain(schema):
    """Places of a schema that hosts differ on."""
    if isinstance(schema, list):
        for one in schema:
            yield from unplain(one)
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" not in schema:
            yield f"an object without properties: {schema}"
        for name in ("$schema", "$ref", "$defs", "allOf", "anyOf", "oneOf", "not", "if"):
            if name in schema and not isinstance(schema.get("properties"), str):
                yield f"{name} in {schema}"
        for name, value in schema.items():
            if name == "properties":
                for one in value.values():
                    yield from unplain(one)
            else:
                yield from unplain(value)


ALL = [catalogue, every_tool, refusals]
