"""Holds /openapi.json against OpenAPI 3.1, and its examples and defaults against their schemas.

    openapi_check.py URL

Exits with 1 and says where when something does not fit.
"""

import json
import sys
import urllib.request

import jsonschema
from openapi_spec_validator import OpenAPIV31SpecValidator


def content_of(operation):
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for answer in operation["responses"].values():
        yield from answer.get("content", {}).items()


def main():
    with urllib.request.urlopen(sys.argv[1] + "/openapi.json", timeout=60) as answer:
        document = json.load(answer)
    problems = [f"{list(error.absolute_path)}: {error.message[:300]}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    checked = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for media, content in content_of(operation):
                if "example" not in content or "schema" not in content:
                    continue
                checked += 1
                schema = {"components": document["components"], **content["schema"]}
                for error in jsonschema.Draft202012Validator(schema).iter_errors(content["example"]):
                    problems.append(f"{method} {path} {media}: {error.message[:300]}")
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                jsonschema.Draft202012Validator.check_schema(schema)
                if "default" in schema:
                    jsonschema.validate(schema["default"], schema)
            if method == "get" and "requestBody" in operation:
                problems.append(f"{method} {path} has a body")
    if checked < 20:
        problems.append(f"only {checked} examples")
    print(json.dumps({"examples": checked, "problems": problems}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
