"""Talks to our `/v0` through pyairtable (PyPI), unmodified.

    airtable_client.py URL KEY READER_KEY BASE USER

KEY may do everything, READER_KEY may read only. BASE is a base that is there already, USER is whose keys they are.
Makes a base of its own, and deletes it.

Prints one JSON object a line for each part that went well, the last with the number of checks. Any surprise ends the
program with exit code 1 and a line on stderr.
"""

import concurrent.futures
import sys
import traceback

import pyairtable
import requests
from pyairtable import Api, orm
from pyairtable.orm import fields as F

from airtable_checks import check, done, emit, refused, same

FIELDS = [
    {"name": "Name", "type": "singleLineText", "description": "What it is called"},
    {"name": "Notes", "type": "multilineText"},
    {"name": "Mail", "type": "email"},
    {"name": "Site", "type": "url"},
    {"name": "Phone", "type": "phoneNumber"},
    {"name": "Count", "type": "number", "options": {"precision": 2}},
    {"name": "Price", "type": "currency", "options": {"precision": 2, "symbol": "€"}},
    {"name": "Share", "type": "percent", "options": {"precision": 1}},
    {"name": "Done", "type": "checkbox", "options": {"icon": "check", "color": "greenBright"}},
    {"name": "Stars", "type": "rating", "options": {"max": 5, "icon": "star", "color": "yellowBright"}},
    {"name": "State", "type": "singleSelect", "options": {"choices": [{"name": "Open"}, {"name": "Closed"}]}},
    {"name": "Tags", "type": "multipleSelects", "options": {"choices": [{"name": "red"}, {"name": "blue"}]}},
    {"name": "Day", "type": "date", "options": {"dateFormat": {"name": "iso"}}},
    {
        "name": "Moment",
        "type": "dateTime",
        "options": {"timeZone": "utc", "dateFormat": {"name": "iso"}, "timeFormat": {"name": "24hour"}},
    },
]
FULL = {
    "Name": 'Ärger "quoted" \\ / \u2028 \U0001f30d',
    "Notes": "first\nsecond",
    "Mail": "a@example.org",
    "Site": "https://example.org/?a=b&c=d",
    "Phone": "+49 (0) 30 1",
    "Count": 12.5,
    "Price": 1e3,
    "Share": 0.125,
    "Done": True,
    "Stars": 3,
    "State": "Open",
    "Tags": ["blue", "red"],
    "Day": "2024-02-29",
    "Moment": "2024-05-01T12:34:56.789Z",
}


def check_meta(api, reader, base_id, user):
    whoami = api.whoami()
    same(whoami["id"], user, "whoami")
    check("data.records:write" in whoami["scopes"], f"scopes are {whoami['scopes']}")
    same(reader.whoami()["id"], user, "whoami of the reader")
    check("data.records:write" not in reader.whoami()["scopes"], "the reader may write")
    bases = {base.id: base for base in api.bases()}
    check(base_id in bases, "the base is not listed")
    same(bases[base_id].permission_level, "create", "permission level")
    levels = {base.id: base.permission_level for base in reader.bases()}
    same(levels[base_id], "read", "permission level of the reader")
    base = api.create_base("wspAnyAnyAnyAny01", "Works", [{"name": "Things / parts?", "fields": FIELDS}])
    check(base.id.startswith("app"), f"the base's id is {base.id}")
    check(base.id in {base.id for base in api.bases(force=True)}, "the new base is not listed")
    schema = base.schema(force=True)
    same([table.name for table in schema.tables], ["Things / parts?"], "tables")
    table = schema.table("Things / parts?")
    same([field.name for field in table.fields], [field["name"] for field in FIELDS], "fields")
    same([field.type for field in table.fields], [field["type"] for field in FIELDS], "types of fields")
    same(table.primary_field_id, table.fields[0].id, "primary field")
    same(table.field("Name").description, "What it is called", "description")
    same(table.field("Count").options.precision, 2, "precision")
    same(table.field("Price").options.symbol, "€", "symbol")
    same(table.field("Stars").options.max, 5, "max")
    same(table.field("Stars").options.icon, "star", "icon")
    same(table.field("Done").options.color, "greenBright", "color")
    same([choice.name for choice in table.field("State").options.choices], ["Open", "Closed"], "choices")
    check(all(choice.id.startswith("sel") for choice in table.field("Tags").options.choices), "ids of choices")
    same(table.field("Day").options.date_format.name, "iso", "date format")
    same(table.field("Day").options.date_format.format, "YYYY-MM-DD", "date format's pattern")
    same(table.field("Moment").options.time_format.name, "24hour", "time format")
    same(table.field("Moment").options.time_zone, "utc", "time zone")
    emit("meta", base=base.id)
    return base


def check_schema_changes(api, base):
    made = base.create_table(
        "Ünïts", [{"name": "Name", "type": "singleLineText"}], description="Of measure"
    )
    check(made.id.startswith("tbl"), f"the table's id is {made.id}")
    same(made.schema().description, "Of measure", "description of a table")
    # By its name, percent-encoded.
    field = base.table("Ünïts").create_field("Size", "number", options={"precision": 0})
    same((field.name, field.type, field.options.precision), ("Size", "number", 0), "the new field")
    link = base.table("Things / parts?").create_field(
        "Units", "multipleRecordLinks", options={"linkedTableId": made.id}
    )
    same(link.options.linked_table_id, made.id, "the linked table")
    inverse = made.schema(force=True).field(link.options.inverse_link_field_id)
    same(inverse.options.inverse_link_field_id, link.id, "the other side of a link")
    refused(lambda: base.create_table("ÜNÏTS", FIELDS[:1]), 422, "DUPLICATE_TABLE_NAME", "a table's name twice")
    refused(
        lambda: made.create_field("size", "number", options={"precision": 0}),
        422,
        "DUPLICATE_OR_EMPTY_FIELD_NAME",
        "a field's name twice",
    )
    refused(
        lambda: made.create_field("Bad", "number", options={"precision": 99}),
        422,
        "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE",
        "a precision of 99",
    )
    refused(
        lambda: made.create_field("Bad", "number", options={"precision": "two"}),
        422,
        "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE",
        "a precision that is no number",
    )
    refused(
        lambda: made.create_field("Bad", "hologram"), 422, "UNSUPPORTED_FIELD_TYPE_FOR_CREATE", "a type unheard of"
    )
    emit("schema")
    return made


def check_schema_edits(base, units):
    """Tables and fields are changed by saving their schemas."""
    schema = base.schema(force=True).table("Ünïts")
    schema.name = "Units"
    schema.description = "What things are measured in"
    schema.save()
    saved = base.schema(force=True).table(units.id)
    same((saved.name, saved.description), ("Units", "What things are measured in"), "a saved table")
    field = saved.field("Size")
    field.name = "Extent"
    field.description = "How much"
    field.save()
    saved = base.schema(force=True).table(units.id).field(field.id)
    same((saved.name, saved.description), ("Extent", "How much"), "a saved field")
    same(saved.options.precision, 0, "what was not saved")
    extra = units.create_field("Extra", "singleSelect", options={"choices": [{"name": "a"}, {"name": "b"}]})
    url = units.urls.fields / extra.id
    kept = {"id": extra.options.choices[1].id, "name": "b", "color": "redBright"}
    changed = base.api.patch(url, json={"options": {"choices": [kept]}, "enableSelectFieldChoiceDeletion": True})
    same(changed["options"]["choices"], [kept], "choices after one was deleted")
    record = units.create({"Extra": "b"})
    base.api.delete(url / "choices" / kept["id"])
    same(units.get(record["id"])["fields"], {}, "a cell whose choice was deleted")
    same(base.api.delete(url), {"id": extra.id, "deleted": True}, "a deleted field")
    fields = base.schema(force=True).table(units.id).fields
    check("Extra" not in [field.name for field in fields], "the deleted field is listed")
    units.delete(record["id"])
    refused(
        lambda: base.api.delete(units.urls.fields / fields[0].id),
        422,
        "INVALID_REQUEST_UNKNOWN",
        "the deletion of a primary field",
    )
    emit("schema edits")
    # By its new name: a table of pyairtable's finds its schema by the name it was made with.
    return base.table(units.id, validate=True, force=True)


def check_views(things):
    api, base = things.api, things.base
    schema = base.schema(force=True).table(things.id)
    same([(view.name, view.type) for view in schema.views], [("Grid view", "grid")], "the first view")
    same(schema.views[0].visible_field_ids, [field.id for field in schema.fields], "what the first view shows")
    made = things.batch_create([{"Name": name, "Count": count} for name, count in [("c", 1), ("b", 2), ("a", 3)]])
    views = base.urls.tables / things.id / "views"
    definition = {"name": "Few / ordered?", "filterByFormula": "{Count}>1", "sort": [{"field": "Name"}]}
    view = api.post(views, json={**definition, "visibleFieldIds": ["Count"]})
    check(view["id"].startswith("viw"), f"the view's id is {view['id']}")
    known = base.schema(force=True).table(things.id).view("Few / ordered?")
    primary, count = schema.fields[0].id, schema.field("Count").id
    same((known.id, known.visible_field_ids), (view["id"], [primary, count]), "the view in the schema")

    def names(**options):
        return [record["fields"].get("Name") for record in things.all(**options)]

    same(names(view="Few / ordered?"), ["a", "b"], "records of a view")
    same(names(view=view["id"], page_size=1), ["a", "b"], "records of a view by pages")
    same(names(view=view["id"], sort=["-Name"]), ["b", "a"], "a sort goes before the view's")
    same(names(view=view["id"], formula="{Count}<3"), ["b"], "a filter beside the view's")
    same(names(view="Grid view"), ["c", "b", "a"], "records of the first view")
    long = f"{{Name}} != '{'x' * 17_000}'"
    same(names(view="Few / ordered?", formula=long), ["a", "b"], "a view asked for with a body")
    same(things.all(view=view["id"], fields=["Count"])[0]["fields"], {"Count": 3}, "fields of a list by view")
    same(things.first(view=view["id"])["fields"]["Count"], 3, "the first of a view, with what it hides")
    refused(lambda: things.all(view="Nowhere"), 422, "VIEW_NAME_NOT_FOUND", "an unknown view")
    api.patch(base.urls.meta / "views" / view["id"], json={"filterByFormula": None})
    same(names(view=view["id"]), ["a", "b", "c"], "records after the view's filter went")
    known.delete()
    same(len(base.schema(force=True).table(things.id).views), 1, "views after a deletion")
    refused(lambda: things.all(view=view["id"]), 422, "VIEW_NAME_NOT_FOUND", "a deleted view")
    refused(lambda: known.delete(), 404, "MODEL_ID_NOT_FOUND", "a second deletion")
    things.batch_delete([record["id"] for record in made])
    emit("views")


def check_texts(things):
    made = things.create(FULL)
    style = {"cell_format": "string", "time_zone": "America/New_York", "user_locale": "en-us"}
    texts = things.get(made["id"], **style)["fields"]
    same(texts["Count"], "12.50", "a number as text")
    same(texts["Price"], "€1000.00", "a price as text")
    same(texts["Share"], "12.5%", "a share as text")
    same(texts["Done"], "checked", "a ticked box as text")
    same(texts["Tags"], "blue, red", "choices as text")
    same((texts["Day"], texts["Stars"]), ("2024-02-29", "3"), "a day and stars as text")
    same(texts["Moment"], "2024-05-01 12:34", "a moment as text, in its field's own zone")
    same(things.all(**style)[0]["fields"], texts, "texts in a list")
    long = f"{{Name}} != '{'x' * 17_000}'"
    same(things.all(formula=long, **style)[0]["fields"], texts, "texts in a list asked for with a body")
    refused(lambda: things.get(made["id"], cell_format="string"), 422, "INVALID_REQUEST_UNKNOWN", "text for nobody")
    things.delete(made["id"])
    emit("texts")


def check_comments(api, reader, things, user):
    record = things.create({"Name": "talked about"})
    made = things.add_comment(record["id"], f"Look, @[{user}]")
    same((made.author.id, made.text), (user, f"Look, @[{user}]"), "a comment")
    same((made.mentioned[user].id, made.mentioned[user].type), (user, "user"), "who is mentioned")
    same((made.last_updated_time, made.parent_comment_id, made.reactions), (None, None, []), "a new comment")
    reply = api.post(
        things.urls.record_comments(record["id"]), json={"text": "Looking", "parentCommentId": made.id}
    )
    comments = things.comments(record["id"])
    same([comment.id for comment in comments], [reply["id"], made.id], "comments, newest first")
    same(comments[0].parent_comment_id, made.id, "the comment that one answers")
    counted = api.get(things.urls.records, params={"recordMetadata[]": "commentCount"})["records"]
    same([one["commentCount"] for one in counted], [2], "the number of comments")
    same(things.all(count_comments=True)[0]["commentCount"], 2, "the number of comments by pyairtable")
    comments[1].text = "Never mind"
    comments[1].save()
    same((comments[1].text, comments[1].mentioned), ("Never mind", {}), "a comment changed")
    check(comments[1].last_updated_time is not None, "a changed comment has no time of change")
    for number in range(120):
        things.add_comment(record["id"], f"{number}")
    same(len(things.comments(record["id"])), 122, "comments by pages")
    comments[1].delete()
    same(len(things.comments(record["id"])), 121, "comments after a deletion")
    readable = reader.table(things.base.id, things.id)
    refused(lambda: readable.comments(record["id"]), 403, "INVALID_PERMISSIONS", "comments without the permission")
    refused(lambda: things.comments("recAAAAAAAAAAAAAA"), 404, "NOT_FOUND", "comments of an unknown record")
    refused(lambda: things.add_comment(record["id"], " "), 422, "INVALID_REQUEST_UNKNOWN", "an empty comment")
    things.delete(record["id"])
    emit("comments")


def check_collaborators(api, base, user):
    info = base.collaborators()
    same((info.id, info.name, info.permission_level), (base.id, base.name, "create"), "a base's head")
    people = info.individual_collaborators.via_workspace
    same([person.user_id for person in people], [user], "who works in a base")
    same((info.interfaces, info.invite_links.via_base), ({}, []), "interfaces and links")
    workspace = api.workspace(info.workspace_id)
    check(base.id in workspace.collaborators().base_ids, "the workspace does not list the base")
    same([person.user_id for person in workspace.collaborators().individual_collaborators.via_workspace], [user], "who")
    check(base.id in {one.id for one in workspace.bases()}, "the bases of a workspace")
    renamed = api.patch(base.urls.meta, json={"name": "Works of art"})
    same((renamed["id"], renamed["name"]), (base.id, "Works of art"), "a renamed base")
    check("Works of art" in {one.name for one in api.bases(force=True)}, "the renamed base is not listed")
    emit("collaborators")


def check_cells(things):
    made = things.create(FULL)
    same(sorted(made), ["createdTime", "fields", "id"], "members of a record")
    same(made["fields"], FULL, "cells of a new record")
    check(made["createdTime"].endswith("Z") and len(made["createdTime"]) == 24, made["createdTime"])
    got = things.get(made["id"])
    same(got, made, "a record read back")
    listed = [record for record in things.all() if record["id"] == made["id"]]
    same(listed, [made], "a record in a list")
    # Names of tables are the same in any case, and need not be escaped by hand.
    same(things.base.table("THINGS / PARTS?").get(made["id"]), made, "by the table's name")
    empty = things.create({})
    same(empty["fields"], {}, "cells of an empty record")
    cleared = things.update(made["id"], {name: None for name in FULL})
    same(cleared["fields"], {}, "cells that were cleared by null")
    same(cleared["createdTime"], made["createdTime"], "the time of creation after an update")
    cleared = things.update(made["id"], {"Name": "", "Tags": [], "Done": False})
    same(cleared["fields"], {}, "cells that were cleared by what is empty")
    same(things.update(made["id"], {"Stars": 5})["fields"], {"Stars": 5}, "one cell set")
    same(
        things.update(made["id"], {"Name": "x"})["fields"], {"Name": "x", "Stars": 5}, "PATCH keeps what is not named"
    )
    replaced = things.update(made["id"], {"Name": "y"}, replace=True)
    same(replaced["fields"], {"Name": "y"}, "PUT clears what is not named")
    same(things.delete(made["id"]), {"id": made["id"], "deleted": True}, "a deletion")
    same(things.batch_delete([empty["id"]]), [{"id": empty["id"], "deleted": True}], "a deletion in a batch")
    refused(lambda: things.get(made["id"]), 404, "NOT_FOUND", "a deleted record")
    refused(lambda: things.update(made["id"], {}), 404, "NOT_FOUND", "an update of a deleted record")
    refused(lambda: things.delete(made["id"]), 404, "NOT_FOUND", "a second deletion")
    emit("cells")


def check_field_ids(things):
    ids = {field.name: field.id for field in things.schema().fields}
    made = things.create({ids["Name"]: "by id", ids["Count"]: 1}, use_field_ids=True)
    same(made["fields"], {ids["Name"]: "by id", ids["Count"]: 1}, "written and read by ids")
    same(things.get(made["id"])["fields"], {"Name": "by id", "Count": 1}, "read by names")
    same(things.get(made["id"], use_field_ids=True), made, "read by ids")
    named = things.update(made["id"], {"Count": 2}, use_field_ids=True)
    same(named["fields"], {ids["Name"]: "by id", ids["Count"]: 2}, "written by names, read by ids")
    mixed = things.update(made["id"], {ids["Count"]: 3})
    same(mixed["fields"], {"Name": "by id", "Count": 3}, "written by ids, read by names")
    only = things.all(fields=[ids["Count"]])
    same([record["fields"] for record in only], [{"Count": 3}], "one field by its id")
    only = things.all(fields=["Name"], use_field_ids=True)
    same([record["fields"] for record in only], [{ids["Name"]: "by id"}], "one field by its name")
    many = things.batch_update([{"id": made["id"], "fields": {"Count": 4}}], use_field_ids=True)
    same(many[0]["fields"][ids["Count"]], 4, "a batch read by ids")
    things.delete(made["id"])
    emit("field ids")


def check_batches(things):
    made = things.batch_create([{"Name": f"n{number}", "Count": number} for number in range(25)])
    same([record["fields"]["Name"] for record in made], [f"n{n}" for n in range(25)], "order of a batch")
    same(len({record["id"] for record in made}), 25, "ids of a batch")
    updated = things.batch_update([{"id": record["id"], "fields": {"Count": 0}} for record in made[:12]])
    same([record["id"] for record in updated], [record["id"] for record in made[:12]], "order of updates")
    check(all(record["fields"]["Count"] == 0 and "Name" in record["fields"] for record in updated), "updates")
    replaced = things.batch_update([{"id": made[0]["id"], "fields": {"Count": 9}}], replace=True)
    same(replaced[0]["fields"], {"Count": 9}, "a replacement in a batch")
    # One bad record fails them all.
    message = refused(
        lambda: things.batch_update(
            [{"id": made[1]["id"], "fields": {"Count": 7}}, {"id": "recAAAAAAAAAAAAAA", "fields": {"Count": 7}}]
        ),
        422,
        "ROW_DOES_NOT_EXIST",
        "an unknown record in a batch",
    )
    same(message, "Record ID recAAAAAAAAAAAAAA does not exist in this table", "its message")
    same(things.get(made[1]["id"])["fields"]["Count"], 0, "a record of a refused batch")
    refused(
        lambda: things.batch_create([{"Name": "good"}, {"Nope": 1}]), 422, "UNKNOWN_FIELD_NAME", "a bad batch"
    )
    check(not [record for record in things.all() if record["fields"].get("Name") == "good"], "half a batch is there")
    refused(
        lambda: things.batch_delete([made[2]["id"], "recAAAAAAAAAAAAAA"]), 422, "ROW_DOES_NOT_EXIST", "a bad deletion"
    )
    same(things.get(made[2]["id"])["fields"]["Name"], "n2", "a record of a refused deletion")
    emit("batches")
    return made


def check_lists(things, made):
    ids = [record["id"] for record in made]
    same([record["id"] for record in things.all()], ids, "all records")
    for size in (1, 10, 24, 25, 100):
        pages = list(things.iterate(page_size=size))
        same([record["id"] for page in pages for record in page], ids, f"pages of {size}")
        same(len(pages), -(-25 // size), f"number of pages of {size}")
    for most in (1, 10, 24, 25, 26, 1000):
        same(len(things.all(max_records=most)), min(most, 25), f"max_records={most}")
        pages = list(things.iterate(max_records=most, page_size=10))
        same(sum(map(len, pages)), min(most, 25), f"max_records={most} by pages of 10")
    same(things.first()["id"], ids[0], "first")
    same([record["fields"] for record in things.all(fields=["Count"])][:2], [{"Count": 9}, {"Count": 0}], "fields")
    # What was deleted in between is left out, what was made comes at the end; nothing comes twice.
    pages = things.iterate(page_size=10)
    seen = [record["id"] for record in next(pages)]
    things.delete(ids[9])
    things.delete(ids[15])
    late = things.create({"Name": "late"})["id"]
    seen += [record["id"] for page in pages for record in page]
    same(seen, ids[:15] + ids[16:] + [late], "a list that changes while it is read")
    things.batch_delete([id for id in ids if id not in (ids[9], ids[15])] + [late])
    same(things.all(), [], "an empty table")
    same(things.first(), None, "the first of none")
    emit("lists")


def check_long_addresses(things):
    record = things.create({"Name": "long"})
    # 1,200 names make an address of more than 16,000 characters: pyairtable then sends a body.
    same([found["fields"] for found in things.all(fields=["Name"] * 1200)], [{"Name": "long"}], "a long list of fields")
    # And just below it does not.
    url = things.urls.records
    name = "fields%5B%5D=Name"
    names = "&".join([name] * ((15_990 - len(str(url))) // (len(name) + 1)))
    check(len(str(url)) + len(names) > 15_800, "the address is not long")
    response = requests.get(f"{url}?{names}", headers={"Authorization": things.api.session.headers["Authorization"]})
    same(response.status_code, 200, f"an address of 15,900 characters ({response.text[:200]})")
    posted = things.api.post(url / "listRecords", json={"fields": ["Name"], "pageSize": 1, "maxRecords": 1})
    same(posted["records"][0]["id"], record["id"], "a list by POST")
    same(things.api.get(url, params={"offset": "", "view": ""})["records"], [record], "an empty offset")
    things.delete(record["id"])
    emit("long addresses")


def check_upsert(things):
    ids = {field.name: field.id for field in things.schema().fields}
    first = things.batch_upsert([{"fields": {"Name": "a", "Count": 1}}, {"fields": {"Name": "b", "Count": 2}}], ["Name"])
    same(len(first["createdRecords"]), 2, "created by an upsert")
    same(first["updatedRecords"], [], "updated by the first upsert")
    same([r["id"] for r in first["records"]], first["createdRecords"], "records of an upsert")
    second = things.batch_upsert([{"fields": {"Name": "c"}}, {"fields": {"Name": "a", "Count": 3}}], ["Name"])
    same(second["updatedRecords"], [first["records"][0]["id"]], "updated by the second upsert")
    same(second["createdRecords"], [second["records"][0]["id"]], "created by the second upsert")
    same(second["records"][1]["fields"], {"Name": "a", "Count": 3}, "the updated record")
    by_id = things.batch_upsert(
        [{"id": first["records"][1]["id"], "fields": {"Name": "b2"}}], ["Name"], use_field_ids=True
    )
    same(by_id["records"][0]["fields"], {ids["Name"]: "b2", ids["Count"]: 2}, "an upsert of a known record")
    by_field_id = things.batch_upsert([{"fields": {ids["Name"]: "b2", "Count": 5}}], [ids["Name"]])
    same(by_field_id["records"][0]["fields"]["Count"], 5, "an upsert by a field's id")
    replaced = things.batch_upsert([{"fields": {"Name": "b2"}}], ["Name"], replace=True)
    same(replaced["records"][0]["fields"], {"Name": "b2"}, "an upsert that replaces")
    blank = things.batch_upsert([{"fields": {"Name": None, "Count": 8}}], ["Name"])
    same(len(blank["createdRecords"]), 1, "nothing matches a blank")
    again = things.batch_upsert([{"fields": {"Name": None, "Count": 8}}], ["Name"])
    same(len(again["createdRecords"]), 1, "nor does another blank")
    things.create({"Name": "a"})
    refused(
        lambda: things.batch_upsert([{"fields": {"Name": "a"}}], ["Name"]), 422, "INVALID_RECORDS", "two matches"
    )
    refused(
        lambda: things.batch_upsert([{"id": "recAAAAAAAAAAAAAA", "fields": {"Name": "z"}}], ["Name"]),
        422,
        "ROW_DOES_NOT_EXIST",
        "an upsert of an unknown record",
    )
    url = things.urls.records
    upsert = {"records": [{"fields": {"Count": 1}}], "performUpsert": {"fieldsToMergeOn": ["Name"]}}
    refused(lambda: things.api.patch(url, json=upsert), 422, "INVALID_REQUEST_UNKNOWN", "no merge value")
    things.batch_delete([record["id"] for record in things.all()])
    emit("upsert")


def check_typecast_and_links(things, units):
    refused(lambda: things.create({"Count": "12.5"}), 422, "INVALID_VALUE_FOR_COLUMN", "a number as text")
    cast = things.create(
        {"Name": 7, "Count": "12.5", "Done": "true", "State": "New", "Tags": ["green", "red"], "Units": ["metre"]},
        typecast=True,
    )["fields"]
    same((cast["Name"], cast["Count"], cast["Done"]), ("7", 12.5, True), "typecast")
    same((cast["State"], cast["Tags"]), ("New", ["green", "red"]), "choices that typecasting made")
    metre = units.first()
    same(metre["fields"]["Name"], "metre", "a record that typecasting made")
    same(cast["Units"], [metre["id"]], "a link by text")
    names = [choice.name for choice in things.schema(force=True).field("State").options.choices]
    same(names, ["Open", "Closed", "New"], "choices after typecasting")
    foot = units.create({"Name": "foot"})
    thing = things.create({"Name": "linked", "Units": [metre["id"], foot["id"]]})
    same(thing["fields"]["Units"], [metre["id"], foot["id"]], "links")
    inverse = units.schema(force=True).field(
        things.schema(force=True).field("Units").options.inverse_link_field_id
    ).name
    same(units.get(foot["id"])["fields"][inverse], [thing["id"]], "the other side of a link")
    units.delete(foot["id"])
    same(things.get(thing["id"])["fields"]["Units"], [metre["id"]], "links after a deletion")
    refused(
        lambda: things.create({"Units": ["recAAAAAAAAAAAAAA"]}), 422, "ROW_DOES_NOT_EXIST", "a link to nothing"
    )
    refused(
        lambda: things.update(thing["id"], {"Units": ["recAAAAAAAAAAAAAA"]}),
        422,
        "ROW_DOES_NOT_EXIST",
        "a link to nothing in an update",
    )
    message = refused(
        lambda: things.create({"State": "Nowhere"}), 422, "INVALID_MULTIPLE_CHOICE_OPTIONS", "an unknown choice"
    )
    same(message, 'Insufficient permissions to create new select option "Nowhere"', "its message")
    things.batch_delete([record["id"] for record in things.all()])
    emit("typecast and links")


def check_orm(api, things):
    class Thing(orm.Model):
        class Meta:
            api_key = api.api_key
            base_id = things.base.id
            table_name = things.id

        name = F.TextField("Name")
        notes = F.MultilineTextField("Notes")
        mail = F.EmailField("Mail")
        site = F.UrlField("Site")
        phone = F.PhoneNumberField("Phone")
        count = F.NumberField("Count")
        price = F.CurrencyField("Price")
        share = F.PercentField("Share")
        done = F.CheckboxField("Done")
        stars = F.RatingField("Stars")
        state = F.SelectField("State")
        tags = F.MultipleSelectField("Tags")
        day = F.DateField("Day")
        moment = F.DatetimeField("Moment")

    # A model has no setting for the address; what it caches may be set.
    Thing.meta.api = api
    thing = Thing(name="model", count=3, done=True, tags=["red"])
    check(thing.save().created, "the model's record was not made")
    found = Thing.from_id(thing.id)
    same((found.name, found.count, found.done, found.tags), ("model", 3, True, ["red"]), "a model read back")
    same((found.notes, found.mail, found.site, found.phone), ("", "", "", ""), "empty texts of a model")
    same((found.price, found.share, found.stars, found.state), (None, None, None, None), "empty values of a model")
    same((found.day, found.moment), (None, None), "empty dates of a model")
    found.moment = pyairtable.utils.datetime_from_iso_str("2024-05-01T12:34:56.789Z")
    found.day = pyairtable.utils.date_from_iso_str("2024-02-29")
    found.state = "Closed"
    check(found.save().updated, "the model was not saved")
    thing.fetch()
    same(thing.moment, found.moment, "a moment of a model")
    same((thing.day, thing.state), (found.day, "Closed"), "a day and a choice of a model")
    same(thing.created_time, found.created_time, "a model's time of creation")
    same([model.id for model in Thing.all()], [thing.id], "all models")
    others = [Thing(name=f"m{number}") for number in range(12)]
    Thing.batch_save(others)
    Thing.batch_delete(others)
    check(thing.delete(), "the model was not deleted")
    same(Thing.all(), [], "models after the last was deleted")
    emit("orm")


def check_refusals(api, reader, things):
    url = things.urls.records
    refused(lambda: Api("nonsense", endpoint_url=api.endpoint_url).bases(), 401, "AUTHENTICATION_REQUIRED", "no key")
    nobody = "pat_live_keyAAAAAAAAAAAAAA_" + "A" * 43
    refused(lambda: Api(nobody, endpoint_url=api.endpoint_url).whoami(), 401, "AUTHENTICATION_REQUIRED", "a false key")
    readable = reader.table(things.base.id, things.id)
    same(readable.all(), things.all(), "what a reader reads")
    refused(lambda: readable.create({}), 403, "INVALID_PERMISSIONS", "a reader that writes")
    refused(lambda: readable.delete("recAAAAAAAAAAAAAA"), 403, "INVALID_PERMISSIONS", "a reader that deletes")
    model = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
    refused(lambda: api.table("appAAAAAAAAAAAAAA", "x").all(), 403, model, "an unknown base")
    refused(lambda: api.table(things.base.id, "Nowhere").all(), 403, model, "an unknown table")
    refused(lambda: api.table(things.base.id, "tblAAAAAAAAAAAAAA").all(), 403, model, "an unknown table's id")
    refused(lambda: things.get("recAAAAAAAAAAAAAA"), 404, "NOT_FOUND", "an unknown record")
    refused(lambda: things.get("nonsense"), 404, "NOT_FOUND", "what is no record's id")
    refused(lambda: api.get(api.build_url("nothing", "at", "this", "address")), 404, "NOT_FOUND", "an unknown route")
    refused(lambda: api.request("PUT", api.urls.bases, json={}), 405, "METHOD_NOT_ALLOWED", "a method unheard of")
    message = refused(lambda: things.create({"Nope": 1}), 422, "UNKNOWN_FIELD_NAME", "an unknown field")
    same(message, 'Unknown field name: "Nope"', "its message")
    refused(lambda: things.all(fields=["Nope"]), 422, "UNKNOWN_FIELD_NAME", "an unknown field in a list")
    message = refused(lambda: things.create({"Stars": 6}), 422, "INVALID_VALUE_FOR_COLUMN", "six stars of five")
    same(message, 'Field "Stars" cannot accept the provided value', "its message")
    invalid = "INVALID_REQUEST_UNKNOWN"
    for size in (0, 101, -1):
        refused(lambda: things.all(page_size=size), 422, invalid, f"pages of {size}")
    refused(lambda: things.all(max_records=0), 422, invalid, "no records at most")
    refused(lambda: api.get(url, params={"pageSize": "ten"}), 422, invalid, "a page size in words")
    refused(lambda: things.all(cell_format="string"), 422, invalid, "text without a time zone")
    refused(lambda: things.all(cell_format="html"), 422, invalid, "another format")
    refused(lambda: api.get(url, params={"offset": "nonsense"}), 422, "INVALID_OFFSET_VALUE", "a false offset")
    many = [{"fields": {}}] * 11
    refused(lambda: api.post(url, json={"records": many}), 422, invalid, "eleven records")
    refused(lambda: api.delete(url, params={"records[]": ["recAAAAAAAAAAAAAA"] * 11}), 422, invalid, "eleven deletions")
    refused(lambda: api.post(url, json={}), 422, "INVALID_REQUEST_MISSING_FIELDS", "no fields")
    refused(lambda: api.post(url, json={"fields": [1]}), 422, invalid, "fields that are no object")
    refused(lambda: api.post(url, json={"fields": {}, "typecast": "yes"}), 422, invalid, "typecast in words")
    refused(lambda: api.patch(url, json={"records": [{"fields": {}}]}), 422, "INVALID_REQUEST_MISSING_FIELDS", "no id")
    refused(lambda: api.patch(url, json={"records": [{"id": "x", "fields": {}}]}), 422, "INVALID_RECORD_ID", "no id")
    emit("refusals")


def check_crowd(things):
    """25 threads that make and delete at once lose nothing."""

    def work(thread):
        made = [things.create({"Name": f"{thread}/{number}"})["id"] for number in range(4)]
        for id in made[:2]:
            things.delete(id)
        return made[2:]

    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        kept = [id for ids in pool.map(work, range(25)) for id in ids]
    same(sorted(record["id"] for record in things.all()), sorted(kept), "what 25 threads left")
    things.batch_delete(kept)
    emit("crowd")


def main():
    url, key, reader_key, base_id, user = sys.argv[1:]
    api, reader = (Api(text, endpoint_url=url) for text in (key, reader_key))
    base = check_meta(api, reader, base_id, user)
    check_collaborators(api, base, user)
    units = check_schema_changes(api, base)
    units = check_schema_edits(base, units)
    things = base.table("Things / parts?", validate=True, force=True)
    check_cells(things)
    check_field_ids(things)
    check_views(things)
    check_texts(things)
    check_comments(api, reader, things, user)
    check_lists(things, check_batches(things))
    check_long_addresses(things)
    check_upsert(things)
    check_typecast_and_links(things, units)
    check_orm(api, things)
    check_refusals(api, reader, things)
    check_crowd(things)
    same(api.delete(base.urls.meta), {"id": base.id, "deleted": True}, "the deletion of a base")
    check(base.id not in {base.id for base in api.bases(force=True)}, "the deleted base is listed")
    done(least=300)


try:
    main()
except Exception as failure:
    traceback.print_exc()
    print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
    sys.exit(1)
