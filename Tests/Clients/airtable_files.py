"""Attachments and webhooks through pyairtable (PyPI), unmodified.

    airtable_files.py URL KEY USER

KEY may do everything, USER is whose key it is. The server must let calls go to 127.0.0.1. Makes a base of its own, and
deletes it. Serves files and takes notifications on ports of its own.

Prints one JSON object a line for each part that went well, the last with the number of checks. Any surprise ends the
program with exit code 1 and a line on stderr.
"""

import http.server
import json
import queue
import struct
import sys
import threading
import traceback
import urllib.parse
import zlib

import requests
from pyairtable import Api, orm
from pyairtable.models.webhook import WebhookNotification
from pyairtable.orm import fields as F

from airtable_checks import Surprise, check, done, emit, refused, same


class ContentHost(requests.adapters.HTTPAdapter):
    """pyairtable sends uploads to Airtable's content host; this brings them to the server under test."""

    def __init__(self, endpoint):
        super().__init__()
        self.endpoint = urllib.parse.urlsplit(endpoint)
        self.count = 0

    def send(self, request, **options):
        self.count += 1
        parts = urllib.parse.urlsplit(request.url)
        request.url = parts._replace(scheme=self.endpoint.scheme, netloc=self.endpoint.netloc).geturl()
        return super().send(request, **options)


def png(width, height):
    """A whole picture, one colour."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\x00" + b"\x30\x60\x90" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Local:
    """Files to fetch, and a receiver of notifications."""

    def __init__(self):
        self.files = {}
        self.notes = queue.Queue()
        local = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, headers, body = local.files.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                local.notes.put((self.path, self.headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def check_fetching(local, table):
    picture = png(44, 20)
    local.files["/logo.png"] = (200, {"Content-Type": "image/png"}, picture)
    local.files["/moved"] = (302, {"Location": "/logo.png"}, b"")
    for number in range(1, 5):
        target = "/logo.png" if number == 1 else f"/r{number - 1}"
        local.files[f"/r{number}"] = (307, {"Location": target}, b"")
    local.files["/inside"] = (302, {"Location": "http://127.0.0.2:1/latest/meta-data"}, b"")
    made = table.create({"Name": "by address", "Files": [{"url": local.url + "/logo.png"}]})
    file = table.get(made["id"])["fields"]["Files"][0]
    same((file["filename"], file["type"], file["size"]), ("logo.png", "image/png", len(picture)), "a fetched file")
    same((file["width"], file["height"]), (44, 20), "its pixels")
    check(file["id"].startswith("att"), f"the file's id is {file['id']}")
    check("thumbnails" not in file, "a thumbnail is told of, and there is none")
    got = requests.get(file["url"])
    same((got.status_code, got.content), (200, picture), "the bytes of a fetched file")
    same(got.headers["Content-Type"], "image/png", "their type")
    named = table.update(
        made["id"],
        {"Files": [{"url": local.url + "/logo.png", "filename": "a.png"}, {"url": local.url + "/moved", "filename": "b.png"}]},
    )
    same([f["filename"] for f in named["fields"]["Files"]], ["a.png", "b.png"], "files by the names given")
    # As they are read, they can be written back: in another order, and fewer.
    turned = table.update(made["id"], {"Files": named["fields"]["Files"][::-1]})
    same([f["id"] for f in turned["fields"]["Files"]], [f["id"] for f in named["fields"]["Files"]][::-1], "turned")
    one = table.update(made["id"], {"Files": [{"id": named["fields"]["Files"][0]["id"]}]})
    same([f["filename"] for f in one["fields"]["Files"]], ["a.png"], "one of two files")
    same(requests.get(one["fields"]["Files"][0]["url"]).content, picture, "its bytes")
    third = table.create({"Files": [{"url": local.url + "/r3"}]})
    same(third["fields"]["Files"][0]["size"], len(picture), "after three redirects")
    for path, what in (("/r4", "a fourth redirect"), ("/inside", "a redirect inside"), ("/none", "a missing file")):
        refused(
            lambda: table.create({"Name": "bad", "Files": [{"url": local.url + path}]}),
            422,
            "ATTACHMENTS_FAILED_UPLOADING",
            what,
        )
    for url in ("http://127.0.0.2/x", "http://[::1]/x", "http://169.254.169.254/latest", "http://example.invalid/x"):
        refused(
            lambda: table.create({"Name": "bad", "Files": [{"url": url}]}), 422, "ATTACHMENTS_FAILED_UPLOADING", url
        )
    for cell in ([{"url": "file:///etc/passwd"}], [{"id": "attAAAAAAAAAAAAAA"}], [{}], ["x"], "x"):
        try:
            table.create({"Name": "bad", "Files": cell})
        except requests.HTTPError as failure:
            same(failure.response.status_code, 422, f"status of {cell}")
            continue
        raise Surprise(f"{cell} was not refused")
    check(not [r for r in table.all() if r["fields"].get("Name") == "bad"], "a refused file left a record")
    same(table.update(made["id"], {"Files": []})["fields"], {"Name": "by address"}, "a cleared cell")
    table.batch_delete([record["id"] for record in table.all()])
    emit("fetching")


def check_uploads(api, table, content, tmp):
    field = table.schema().field("Files")
    made = table.create({"Name": "uploads"})
    first = table.upload_attachment(made["id"], "Files", "b.png", png(3, 5))
    same(sorted(first), ["createdTime", "fields", "id"], "members of an upload's answer")
    same(list(first["fields"]), [field.id], "its cells")
    same(first["createdTime"], made["createdTime"], "its time of creation")
    file = first["fields"][field.id][0]
    same((file["filename"], file["type"], file["width"], file["height"]), ("b.png", "image/png", 3, 5), "the picture")
    path = tmp / "note.md"
    path.write_text("# Hello\n\nWörld\n", encoding="utf-8")
    second = table.upload_attachment(made["id"], field.id, path)["fields"][field.id]
    same([f["filename"] for f in second], ["b.png", "note.md"], "both files")
    same((second[1]["type"], second[1]["size"]), ("text/markdown", 16), "the text")
    third = table.upload_attachment(made["id"], "Files", "data.bin", bytes(range(256)) * 64, "application/x-data")
    same(third["fields"][field.id][2]["type"], "application/x-data", "a type that its sender says")
    same(requests.get(third["fields"][field.id][2]["url"]).content, bytes(range(256)) * 64, "all bytes there are")
    same(requests.get(third["fields"][field.id][1]["url"]).content, path.read_bytes(), "the text's bytes")
    range_ = requests.get(third["fields"][field.id][2]["url"], headers={"Range": "bytes=254-257"})
    same((range_.status_code, range_.content), (206, b"\xfe\xff\x00\x01"), "a part of it")
    check(content.count >= 3, "uploads did not go by the content host")
    # Nobody's key is needed for a link, and no link can be guessed.
    same(requests.get(file["url"], headers={"Authorization": "Bearer nothing"}).status_code, 200, "with a wrong key")
    parts = file["url"].split("/")
    parts[-2] = ("0" if parts[-2][0] != "0" else "1") + parts[-2][1:]
    same(requests.get("/".join(parts)).status_code, 404, "a forged link")
    refused(lambda: table.upload_attachment(made["id"], "Name", "x", b"x"), 422, "INVALID_VALUE_FOR_COLUMN", "no files")
    refused(lambda: table.upload_attachment(made["id"], "Nope", "x", b"x"), 422, "UNKNOWN_FIELD_NAME", "no field")
    refused(lambda: table.upload_attachment("recAAAAAAAAAAAAAA", "Files", "x", b"x"), 404, "NOT_FOUND", "no record")
    refused(
        lambda: table.upload_attachment(made["id"], "Files", "x", b"x" * (5 * 1024 * 1024 + 1)),
        413,
        "REQUEST_TOO_LARGE",
        "too large a file",
    )
    same(len(table.get(made["id"])["fields"]["Files"]), 3, "files after refusals")

    class Thing(orm.Model):
        class Meta:
            api_key = api.api_key
            base_id = table.base.id
            table_name = table.id

        name = F.TextField("Name")
        files = F.AttachmentsField("Files")

    Thing.meta.api = api
    thing = Thing(name="model")
    thing.save()
    same(thing.files, [], "no files of a model")
    thing.files.upload("sample.txt", b"Hello, World!")
    same([(f["filename"], f["type"]) for f in thing.files], [("sample.txt", "text/plain")], "a model's upload")
    thing.fetch()
    same([(f["filename"], f["type"]) for f in thing.files], [("sample.txt", "text/plain")], "read back")
    emit("uploads")


def check_payloads(local, base, table, user):
    fields = {field.name: field for field in table.schema(force=True).fields}
    spec = {
        "options": {
            "filters": {"dataTypes": ["tableData", "tableFields", "tableMetadata"]},
            "includes": {
                "includePreviousCellValues": True,
                "includePreviousFieldDefinitions": True,
                "includeCellValuesInFieldIds": "all",
            },
        }
    }
    made = base.add_webhook(local.url + "/hook", spec)
    webhook = base.webhook(made.id)
    same(webhook.notification_url, local.url + "/hook", "where notifications go")
    same((webhook.are_notifications_enabled, webhook.is_hook_enabled), (True, True), "a new webhook")
    same((webhook.cursor_for_next_payload, webhook.last_notification_result), (1, None), "its state")
    same(webhook.expiration_time, made.expiration_time, "when it expires")
    same(webhook.specification.options.filters.data_types, spec["options"]["filters"]["dataTypes"], "what it tells")
    same(webhook.specification.options.includes.include_cell_values_in_field_ids, "all", "what it includes")
    same(list(webhook.payloads()), [], "payloads before anything happened")

    record = table.create({"Name": "Hey there!", "State": "Open", "Tags": ["red", "blue"]})
    path, headers, body = local.notes.get(timeout=60)
    same(path, "/hook", "where the notification came")
    note = WebhookNotification.from_request(body.decode(), headers["X-Airtable-Content-MAC"], made.mac_secret_base64)
    same((note.base.id, note.webhook.id), (base.id, made.id), "what it says")
    same(sorted(json.loads(body)), ["base", "timestamp", "webhook"], "no data is in it")
    try:
        WebhookNotification.from_request(body.decode(), headers["X-Airtable-Content-MAC"][:-1] + "!", made.mac_secret_base64)
    except ValueError:
        pass
    else:
        raise Surprise("a wrong MAC was accepted")

    [created] = webhook.payloads()
    same((created.cursor, created.payload_format), (1, "v0"), "the first payload")
    same(created.action_metadata.source, "publicApi", "its source")
    same(created.action_metadata.source_metadata["user"]["id"], user, "its user")
    cells = created.changed_tables_by_id[table.id].created_records_by_id[record["id"]].cell_values_by_field_id
    same(set(cells), {fields[name].id for name in ("Name", "State", "Tags")}, "cells of a new record")
    same(cells[fields["Name"].id], "Hey there!", "a text")
    same(cells[fields["State"].id]["name"], "Open", "a choice")
    check(cells[fields["State"].id]["id"].startswith("sel"), "a choice has no id")
    same([choice["name"] for choice in cells[fields["Tags"].id]], ["red", "blue"], "choices")

    for number in range(20):
        table.update(record["id"], {"Name": str(number)})
    updates = list(webhook.payloads(cursor=2))
    same([payload.cursor for payload in updates], list(range(2, 22)), "one payload for each update, in order")
    for number, payload in enumerate(updates):
        change = payload.changed_tables_by_id[table.id].changed_records_by_id[record["id"]]
        same(change.current.cell_values_by_field_id, {fields["Name"].id: str(number)}, "only what changed")
        before = "Hey there!" if number == 0 else str(number - 1)
        same(change.previous.cell_values_by_field_id, {fields["Name"].id: before}, "what it was")
        same(set(change.unchanged.cell_values_by_field_id), {fields["State"].id, fields["Tags"].id}, "what stayed")
    numbers = [payload.base_transaction_number for payload in updates]
    check(numbers == sorted(set(numbers)), "transaction numbers do not rise")

    cursor = 22
    table.update(record["id"], {"State": None})
    [emptied] = webhook.payloads(cursor=cursor)
    change = emptied.changed_tables_by_id[table.id].changed_records_by_id[record["id"]]
    same(change.current.cell_values_by_field_id, {fields["State"].id: None}, "an emptied cell")
    table.batch_create([{"Name": "x"}, {"Name": "y"}])
    table.delete(record["id"])
    [two, deleted] = webhook.payloads(cursor=cursor + 1)
    same(len(two.changed_tables_by_id[table.id].created_records_by_id), 2, "a batch is one payload")
    same(deleted.changed_tables_by_id[table.id].destroyed_record_ids, [record["id"]], "a deleted record")
    cursor += 3

    field = table.create_field("Extra", "number", options={"precision": 0})
    other = base.create_table("Other", [{"name": "Name", "type": "singleLineText"}], description="Told")
    other.create({"Name": "in it"})
    requests.delete(
        f"{base.api.endpoint_url}/v0/meta/bases/{base.id}/tables/{other.id}",
        headers={"Authorization": base.api.session.headers["Authorization"]},
    ).raise_for_status()
    payloads = list(webhook.payloads(cursor=cursor))
    kinds = [
        (bool(p.changed_tables_by_id), bool(p.created_tables_by_id), p.destroyed_table_ids) for p in payloads
    ]
    same(payloads[0].changed_tables_by_id[table.id].created_fields_by_id[field.id].type, "number", "a new field")
    same(payloads[0].changed_tables_by_id[table.id].created_fields_by_id[field.id].name, "Extra", "its name")
    same(payloads[1].created_tables_by_id[other.id].metadata.name, "Other", "a new table")
    same(payloads[-1].destroyed_table_ids, [other.id], f"a deleted table ({kinds})")
    emit("payloads", count=len(payloads) + cursor - 1)

    webhook.disable_notifications()
    check(not base.webhook(made.id).are_notifications_enabled, "notifications are still on")
    webhook.enable_notifications()
    check(base.webhook(made.id).are_notifications_enabled, "notifications are still off")
    before = webhook.expiration_time
    webhook.extend_expiration()
    check(base.webhook(made.id).expiration_time >= before, "it expires earlier")
    check(base.webhook(made.id).last_notification_result.success, "the last notification failed")
    check(base.webhook(made.id).last_successful_notification_time is not None, "no notification was heard")
    same([p.cursor for p in webhook.payloads(limit=3)], [1, 2, 3], "three payloads")
    webhook.delete()
    same(base.webhooks(), [], "webhooks after the last was deleted")
    refused(lambda: list(webhook.payloads()), 404, "NOT_FOUND", "payloads of a deleted webhook")
    emit("webhook")


def check_filters(base, table):
    fields = {field.name: field.id for field in table.schema(force=True).fields}

    def hook(filters, includes=None):
        options = {"filters": {"dataTypes": ["tableData"], **filters}}
        if includes:
            options["includes"] = includes
        return base.webhook(base.add_webhook(None, {"options": options}).id)

    adds = hook({"changeTypes": ["add"]})
    names = hook({"watchDataInFieldIds": [fields["Name"]]}, {"includeCellValuesInFieldIds": [fields["State"]]})
    forms = hook({"fromSources": ["formSubmission"]})
    scoped = hook({"recordChangeScope": table.id})
    record = table.create({"Name": "a", "State": "Open"})
    table.update(record["id"], {"State": "Closed"})
    table.update(record["id"], {"Name": "b"})
    table.delete(record["id"])
    same(len(list(adds.payloads())), 1, "only what was added")
    told = list(names.payloads())
    same(len(told), 3, "what touched the name")
    change = told[1].changed_tables_by_id[table.id].changed_records_by_id[record["id"]]
    same(change.current.cell_values_by_field_id, {fields["Name"]: "b"}, "the name")
    same(change.unchanged.cell_values_by_field_id[fields["State"]]["name"], "Closed", "what is shown beside it")
    same(list(forms.payloads()), [], "what came by a form")
    same(len(list(scoped.payloads())), 4, "what happened in the table")
    refused(lambda: hook({"dataTypes": ["weather"]}), 422, "INVALID_REQUEST_UNKNOWN", "an unknown kind of data")
    refused(lambda: hook({"recordChangeScope": "tblAAAAAAAAAAAAAA"}), 422, "INVALID_REQUEST_UNKNOWN", "no such table")
    for webhook in base.webhooks():
        webhook.delete()
    emit("filters")


def main():
    from pathlib import Path
    from tempfile import TemporaryDirectory

    url, key, user = sys.argv[1:]
    api = Api(key, endpoint_url=url, timeout=(10, 60))
    content = ContentHost(url)
    api.session.mount("http://content.airtable.com", content)
    local = Local()
    base = api.create_base(
        "wspAnyAnyAnyAny01",
        "Files and hooks",
        [
            {
                "name": "Things",
                "fields": [
                    {"name": "Name", "type": "singleLineText"},
                    {"name": "State", "type": "singleSelect", "options": {"choices": [{"name": "Open"}, {"name": "Closed"}]}},
                    {"name": "Tags", "type": "multipleSelects", "options": {"choices": [{"name": "red"}, {"name": "blue"}]}},
                    {"name": "Files", "type": "multipleAttachments"},
                ],
            }
        ],
    )
    table = base.table("Things")
    table = base.table(table.schema().id)
    try:
        check_fetching(local, table)
        with TemporaryDirectory() as directory:
            check_uploads(api, table, content, Path(directory))
        check_payloads(local, base, table, user)
        check_filters(base, table)
    finally:
        base.delete()
        local.server.shutdown()
    done(least=100)


if __name__ == "__main__":
    try:
        main()
    except Exception as failure:
        traceback.print_exc()
        print(f"surprise: {type(failure).__name__}: {failure}", file=sys.stderr)
        sys.exit(1)
