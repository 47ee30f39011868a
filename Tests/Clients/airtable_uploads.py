"""Sends files until the server dies, and looks afterwards whether all that was acknowledged is there.

    airtable_uploads.py load URL KEY     uploads and attaches by address, from several threads, until a call fails
    airtable_uploads.py check URL KEY    reads the acknowledgements on standard input, one JSON object a line

`load` prints a line for each call that was acknowledged. `check` prints what it saw, and ends with exit code 1 and a line
on stderr when a file is missing or has other bytes, or when a cell names a file that cannot be read.
"""

import base64
import hashlib
import http.server
import json
import sys
import threading
import uuid

import requests

THREADS = 6


def content(name):
    """Some bytes that only this name gives; of the same content again and again for every eighth."""
    seed = "shared" if name.endswith("7") else name
    return hashlib.sha256(seed.encode()).digest() * (1 + len(name) * 400)


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = content(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def session(key):
    client = requests.Session()
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def load(url, key):
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    fields = [{"name": "Name", "type": "singleLineText"}, {"name": "Files", "type": "multipleAttachments"}]
    made = session(key).post(
        f"{url}/v0/meta/bases",
        json={"name": f"Uploads {uuid.uuid4()}", "workspaceId": "wspAnyAnyAnyAny01", "tables": [{"name": "T", "fields": fields}]},
    )
    made.raise_for_status()
    base = made.json()["id"]
    lock = threading.Lock()

    def tell(**members):
        with lock:
            print(json.dumps({"base": base, **members}), flush=True)

    def work(thread):
        client, number = session(key), 0
        try:
            reply = client.post(f"{url}/v0/{base}/T", json={"fields": {"Name": f"uploads {thread}"}}, timeout=30)
            reply.raise_for_status()
            record = reply.json()["id"]
            while True:
                name = f"f{thread}-{number}"
                number += 1
                if number % 3 == 0:
                    address = f"http://127.0.0.1:{files.server_address[1]}/{name}"
                    reply = client.post(f"{url}/v0/{base}/T", json={"fields": {"Files": [{"url": address}]}}, timeout=30)
                    reply.raise_for_status()
                    tell(record=reply.json()["id"], name=name)
                else:
                    body = {"filename": name, "file": base64.b64encode(content(name)).decode()}
                    path = f"{url}/v0/{base}/{record}/Files/uploadAttachment"
                    reply = client.post(path, json=body, timeout=30)
                    reply.raise_for_status()
                    tell(record=record, name=name)
        except requests.ConnectionError:
            pass  # It was killed, as it should be.

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check(url, key):
    acknowledged = [json.loads(line) for line in sys.stdin if line.strip()]
    client, seen, readable = session(key), {}, 0
    for base in {entry["base"] for entry in acknowledged}:
        offset = None
        while True:
            page = client.get(f"{url}/v0/{base}/T", params={"offset": offset} if offset else {})
            page.raise_for_status()
            for record in page.json()["records"]:
                for file in record["fields"].get("Files", []):
                    reply = requests.get(file["url"])
                    if reply.status_code != 200 or reply.content != content(file["filename"]):
                        raise SystemExit(f"{file['filename']} cannot be read: {reply.status_code}")
                    readable += 1
                    names = seen.setdefault(record["id"], [])
                    if file["filename"] in names:
                        raise SystemExit(f"{file['filename']} is there twice")
                    names.append(file["filename"])
            offset = page.json().get("offset")
            if offset is None:
                break
    for entry in acknowledged:
        if entry["name"] not in seen.get(entry["record"], []):
            raise SystemExit(f"{entry['name']} was acknowledged and is lost")
    print(json.dumps({"acknowledged": len(acknowledged), "readable": readable}))


if __name__ == "__main__":
    {"load": load, "check": check}[sys.argv[1]](*sys.argv[2:])
