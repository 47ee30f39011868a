"""Models of pyairtable's ORM (PyPI, unmodified) with every class of field, over our `/v0`.

    airtable_models.py URL KEY USER

KEY may do everything, USER is whose it is. Makes a base of its own, and deletes it.

Prints one JSON object a line for each part that went well, the last with the number of checks. Any surprise ends the
program with exit code 1 and a line on stderr.
"""

import datetime as dt
import sys
import traceback

from pyairtable import Api, orm
from pyairtable.exceptions import MissingValueError
from pyairtable.orm import fields as F

from airtable_checks import check, done, emit, same

ISO = {"name": "iso"}
CLOCK = {"timeZone": "utc", "dateFormat": ISO, "timeFormat": {"name": "24hour"}}
CHOICES = {"choices": [{"name": "a"}, {"name": "b, c"}]}
MOMENT = dt.datetime(2024, 5, 1, 12, 34, 56, 789000, tzinfo=dt.timezone.utc)
# Class, its required sister, type, options, a value, the value when there is none.
WRITTEN = [
    (F.SingleLineTextField, F.RequiredSingleLineTextField, "singleLineText", None, 'one "line"', ""),
    (F.TextField, F.RequiredTextField, "singleLineText", None, "text", ""),
    (F.MultilineTextField, F.RequiredMultilineTextField, "multilineText", None, "two\nlines", ""),
    (F.RichTextField, F.RequiredRichTextField, "richText", None, "**rich**\n", ""),
    (F.EmailField, F.RequiredEmailField, "email", None, "a@example.org", ""),
    (F.UrlField, F.RequiredUrlField, "url", None, "https://example.org/?a=b", ""),
    (F.PhoneNumberField, F.RequiredPhoneNumberField, "phoneNumber", None, "+49 30 1", ""),
    (F.NumberField, F.RequiredNumberField, "number", {"precision": 2}, -1.25, None),
    (F.IntegerField, F.RequiredIntegerField, "number", {"precision": 0}, 7, None),
    (F.FloatField, F.RequiredFloatField, "number", {"precision": 8}, 0.125, None),
    (F.CurrencyField, F.RequiredCurrencyField, "currency", {"precision": 2, "symbol": "€"}, 3.5, None),
    (F.PercentField, F.RequiredPercentField, "percent", {"precision": 1}, 0.125, None),
    (F.DurationField, F.RequiredDurationField, "duration", {"durationFormat": "h:mm:ss.S"}, dt.timedelta(0, 5400.5), None),
    (F.RatingField, F.RequiredRatingField, "rating", {"max": 5, "icon": "star", "color": "yellowBright"}, 4, None),
    (F.CheckboxField, None, "checkbox", {"icon": "check", "color": "greenBright"}, True, False),
    (F.DateField, F.RequiredDateField, "date", {"dateFormat": ISO}, dt.date(2024, 2, 29), None),
    (F.DatetimeField, F.RequiredDatetimeField, "dateTime", CLOCK, MOMENT, None),
    (F.SelectField, F.RequiredSelectField, "singleSelect", CHOICES, "b, c", None),
    (F.MultipleSelectField, None, "multipleSelects", CHOICES, ["b, c", "a"], []),
    (F.BarcodeField, F.RequiredBarcodeField, "barcode", None, {"text": "4006381333931", "type": "ean13"}, None),
]
# Nobody writes these here; what makes them are links, a service of Airtable's, or attachments.
EMPTY = [
    (F.ExternalSyncSourceField, "externalSyncSource", CHOICES, ""),
    (F.ManualSortField, "manualSort", None, ""),
    (F.AITextField, "aiText", {"prompt": ["Say something"]}, None),
    (F.RequiredAITextField, None, None, MissingValueError),
    (F.AttachmentsField, "multipleAttachments", None, []),
]


def draft(name, kind, options):
    return {"name": name, "type": kind, **({"options": options} if options else {})}


def make_base(api):
    drafts = [draft(field.__name__, kind, options) for field, _, kind, options, _, _ in WRITTEN]
    drafts += [draft(field.__name__, kind, options) for field, kind, options, _ in EMPTY if kind]
    drafts += [draft("Who", "singleCollaborator", None), draft("All", "multipleCollaborators", None)]
    base = api.create_base("wspAnyAnyAnyAny01", "Models", [{"name": "Every kind", "fields": drafts}])
    table = base.tables(force=True)[0]
    table.create_field("Links", "multipleRecordLinks", options={"linkedTableId": table.schema().id})
    for name, kind, options in [
        ("Double", "formula", {"formula": "{IntegerField}*2"}),
        ("Broken", "formula", {"formula": "1/0 & ERROR()"}),
        ("Not a number", "formula", {"formula": "0/0"}),
        ("Number of links", "count", {"recordLinkFieldId": "Links"}),
        ("Looked up", "multipleLookupValues", {"recordLinkFieldId": "Links", "fieldIdInLinkedTable": "Double"}),
        ("Errors", "multipleLookupValues", {"recordLinkFieldId": "Links", "fieldIdInLinkedTable": "Broken"}),
        (
            "Sum",
            "rollup",
            {"recordLinkFieldId": "Links", "fieldIdInLinkedTable": "Double", "formula": "SUM(values)"},
        ),
        ("Button", "button", {"label": "Go", "formula": "'https://example.org/' & {IntegerField}"}),
        ("Number", "autoNumber", None),
        ("Made", "createdTime", None),
        ("Made by", "createdBy", None),
        ("Changed", "lastModifiedTime", None),
        ("Changed by", "lastModifiedBy", None),
    ]:
        made = table.create_field(name, kind, options=options)
        same((made.name, made.type), (name, kind), "a computed field")
        result = getattr(getattr(made, "options", None), "result", None)
        check(type(result).__name__ != "UnknownFieldConfig", f"pyairtable knows the result of {name}: {result}")
    return base, table


def make_model(api, base, table):
    attributes = {"Meta": {"api_key": api.api_key, "base_id": base.id, "table_name": table.schema().id}}
    for field, required, *_ in WRITTEN:
        attributes[field.__name__] = field(field.__name__)
        if required:
            attributes[required.__name__] = required(field.__name__)
    for field, kind, _, _ in EMPTY:
        attributes[field.__name__] = field(field.__name__.replace("Required", ""))
    attributes |= {
        "who": F.CollaboratorField("Who"),
        "needed": F.RequiredCollaboratorField("Who"),
        "all_of_them": F.MultipleCollaboratorsField("All"),
        "double": F.IntegerField("Double", readonly=True),
        "broken": F.TextField("Broken", readonly=True),
        "nan": F.FloatField("Not a number", readonly=True),
        "links_count": F.CountField("Number of links"),
        "needed_count": F.RequiredCountField("Number of links"),
        "looked_up": F.LookupField("Looked up"),
        "errors": F.LookupField("Errors"),
        "sum": F.IntegerField("Sum", readonly=True),
        "button": F.ButtonField("Button"),
        "number": F.AutoNumberField("Number"),
        "made": F.CreatedTimeField("Made"),
        "made_by": F.CreatedByField("Made by"),
        "changed": F.LastModifiedTimeField("Changed"),
        "changed_by": F.LastModifiedByField("Changed by"),
    }
    attributes["links"] = F.LinkField("Links", F.LinkSelf)
    attributes["link"] = F.SingleLinkField("Links", F.LinkSelf)
    same(F.ALL_FIELDS - {type(value) for value in attributes.values()}, set(), "classes of fields that the model lacks")
    model = type("Every", (orm.Model,), attributes)
    # A model has no setting for the address; what it caches may be set.
    model.meta.api = api
    return model


def check_empty(model):
    empty = model()
    check(empty.save().created, "an empty record was not made")
    read = model.from_id(empty.id)
    for field, required, _, _, _, nothing in WRITTEN:
        same(getattr(read, field.__name__), nothing, f"an empty {field.__name__}")
        if required:
            check_missing(read, required.__name__)
    for field, _, _, nothing in EMPTY:
        if nothing is MissingValueError:
            check_missing(read, field.__name__)
        else:
            same(getattr(read, field.__name__), nothing, f"an empty {field.__name__}")
    same((read.who, read.all_of_them, read.links, read.link), (None, [], [], None), "nobody and no links")
    check_missing(read, "needed")
    same((read.double, read.links_count, read.looked_up, read.sum), (0, 0, [], 0), "what is computed from nothing")
    same(read.button, {"label": "Go", "url": "https://example.org/"}, "a button")
    emit("empty")
    return empty


def check_missing(record, attribute):
    try:
        value = getattr(record, attribute)
    except MissingValueError:
        return check(True, attribute)
    check(False, f"{attribute} of an empty record is {value!r}")


def check_written(model, user):
    record = model(**{field.__name__: value for field, _, _, _, value, _ in WRITTEN})
    record.who, record.all_of_them = {"id": user}, [{"id": user}]
    check(record.save().created, "a full record was not made")
    read = model.from_id(record.id)
    for field, required, _, _, value, _ in WRITTEN:
        same(getattr(read, field.__name__), value, f"a {field.__name__}")
        if required:
            same(getattr(read, required.__name__), value, f"a {required.__name__}")
    same((read.who["id"], read.needed["id"], read.all_of_them[0]["id"]), (user, user, user), "people")
    same((read.double, read.broken, read.nan), (14, {"error": "#ERROR!"}, {"specialValue": "NaN"}), "formulas")
    same(read.button["url"], "https://example.org/7", "a button's address")
    same((read.made, read.made_by["id"], read.changed_by["id"]), (read.created_time, user, user), "who made it, and when")
    emit("written")
    return record


def check_links(model, one, other):
    one.links = [one, other]
    check(one.save().updated, "links were not saved")
    same(one.save().updated, False, "a record without changes was saved")
    read = model.from_id(one.id)
    same([linked.id for linked in read.links], [one.id, other.id], "links")
    same((read.links_count, read.needed_count, read.sum), (2, 2, 14), "what goes through links")
    same((read.looked_up, read.errors), ([14, 0], [{"error": "#ERROR!"}] * 2), "what is looked up")
    other.IntegerField = 3
    other.save()
    read.fetch()
    same((read.looked_up, read.sum), ([14, 6], 20), "what is looked up after a change at the other end")
    one.links = []
    one.link = other
    one.save()
    same(model.from_id(one.id).link.id, other.id, "a single link")
    check(other.delete(), "the linked record was not deleted")
    read.fetch()
    same((read.links, read.links_count, read.looked_up), ([], 0, []), "links to a deleted record")
    emit("links")


def check_sets(model):
    many = [model(IntegerField=number, SelectField="a" if number % 2 else None) for number in range(23)]
    model.batch_save(many)
    found = model.all(formula=model.IntegerField.gt(10) & model.SelectField.eq("a"), sort=["-IntegerField"])
    same([record.IntegerField for record in found], [21, 19, 17, 15, 13, 11], "records by a formula of fields")
    same(model.first(formula=model.double.eq(44)).IntegerField, 22, "a record by a computed field")
    numbers = [record.fetch() or record.number for record in many[:3]]
    check(numbers == sorted(set(numbers)), f"numbers of records are {numbers}")
    same([record.id for record in model.from_ids([many[4].id, many[2].id])], [many[4].id, many[2].id], "from ids")
    model.batch_delete(many)
    same(model.all(formula=model.IntegerField.gte(0) & model.SelectField.eq("a")), [], "records after a deletion")
    emit("sets")


def main():
    url, key, user = sys.argv[1:]
    api = Api(key, endpoint_url=url)
    base, table = make_base(api)
    model = make_model(api, base, table)
    empty = check_empty(model)
    record = check_written(model, user)
    check_links(model, record, empty)
    check_sets(model)
    api.delete(base.urls.meta)
    done(least=100)


try:
    main()
except Exception as failure:
    traceback.print_exc()
    print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
    sys.exit(1)
