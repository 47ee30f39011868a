"""Asks a running server everything its API document allows, and much that it does not, by schemathesis.

    schemathesis_run.py URL KEY [--examples N] [--seed N] [--minimum CASES]

Makes a base with records, so that paths lead somewhere, and a config with the identifiers of these. All checks are on. What
is refused although it fits the document is told apart: a record's identifier that nobody has, a formula that does not parse or
a name that is taken cannot be said in a schema, so 400, 409, 412, 422 and 426 answer those. Prints one JSON object; exits with
1 for a 5xx, an undocumented status, a violated schema or any other finding, or fewer cases than the minimum.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 406, 409, 412, 413, 415, 416, 422, 426, 429]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 416, 422, 426, 428, 429]

[parameters]
%s
"""


def send(url, key, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, method=method)
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def seed(url, key):
    """Identifiers of things that are there, by the names that the document's paths have for them."""
    fields = [{"name": "Name", "type": "singleLineText"}, {"name": "Mass", "type": "number", "options": {"precision": 1}},
              {"name": "State", "type": "singleSelect", "options": {"choices": [{"name": "Gas"}, {"name": "Solid"}]}}]
    workspace = send(url, key, "GET", "/v0/meta/bases/" + send(url, key, "POST", "/api/v1/airtable/bases", {
        "name": f"Contract {os.getpid()}", "tables": [{"name": "Elements", "fields": fields}]})["id"])
    base, space = workspace["id"], workspace["workspaceId"]
    table = send(url, key, "GET", f"/v0/meta/bases/{base}/tables")["tables"][0]
    records = send(url, key, "POST", f"/v0/{base}/{table['id']}", {"records": [
        {"fields": {"Name": name, "Mass": mass, "State": "Gas"}} for name, mass in (("Helium", 4), ("Neon", 20.2))]})
    record = records["records"][0]["id"]
    comment = send(url, key, "POST", f"/v0/{base}/{table['id']}/{record}/comments", {"text": "light"})
    conversation = send(url, key, "POST", "/api/v1/chat/conversations", {})
    view = send(url, key, "POST", f"/api/v1/airtable/bases/{base}/tables/{table['id']}/views", {"name": "All"})
    return {"baseId": base, "tableId": table["id"], "tableIdOrName": table["id"], "recordId": record,
            "fieldIdOrName": table["fields"][1]["id"], "workspaceId": space, "commentId": comment["id"],
            "conversationId": conversation["id"], "viewId": view["id"], "transaction": "2"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--examples", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimum", type=int, default=2000)
    options = parser.parse_args()
    places = seed(options.url, options.key)
    directory = tempfile.mkdtemp(prefix="schemathesis-")
    cases, findings = 0, []
    # Once as the document says it, with identifiers that nobody has; once in a base that is there.
    for parameters in ({}, places):
        config = os.path.join(directory, "schemathesis.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % "\n".join(f'"path.{name}" = "{value}"' for name, value in parameters.items()))
        # Deletions are asked for in the first round only: what is there is to stay.
        without = ["--exclude-method", "DELETE"] if parameters else []
        result = subprocess.run(
            [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file", config, "run",
             options.url + "/openapi.json", "-H", f"Authorization: Bearer {options.key}", "-c", "all",
             "-n", str(options.examples), "--no-shrink", "-w", "1", "--continue-on-failure", "--request-timeout", "60",
             "--seed", str(options.seed), "--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all",
             *without],
            capture_output=True, text=True, timeout=3000, cwd=directory, env={**os.environ, "NO_COLOR": "1"}, check=False)
        count = re.search(r"(\d[\d,]*) generated", result.stdout)
        cases += int(count.group(1).replace(",", "")) if count else 0
        if result.returncode != 0:
            findings.append((result.stdout + result.stderr)[-20000:])
    print(json.dumps({"cases": cases, "findings": len(findings)}))
    for finding in findings:
        print(finding, file=sys.stderr)
    if cases < options.minimum:
        print(f"only {cases} cases", file=sys.stderr)
    sys.exit(1 if findings or cases < options.minimum else 0)


if __name__ == "__main__":
    main()
