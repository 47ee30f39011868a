"""Tools, resources, prompts, completions: what holds at every revision and on both transports."""

import asyncio
import base64
import json
import re

from jsonschema import Draft202012Validator

from .peer import (Refusal, accepting, cancelling, declining, eventually, text_of)

OFFICIAL_TOOLS = """test_simple_text test_image_content test_audio_content test_embedded_resource
test_multiple_content_types test_error_handling test_tool_with_progress test_tool_with_logging test_sampling
test_elicitation test_elicitation_sep1034_defaults test_elicitation_sep1330_enums test_missing_capability
test_streaming_elicitation test_logging_tool test_trigger_tool_change test_trigger_prompt_change test_reconnection
json_schema_2020_12_tool test_input_required_result_elicitation test_input_required_result_sampling
test_input_required_result_list_roots test_input_required_result_request_state
test_input_required_result_multiple_inputs test_input_required_result_multi_round
test_input_required_result_tampered_state test_input_required_result_capabilities""".split()

RED_DOT = b"\x89PNG\r\n\x1a\n"


async def everything(peer, method, member):
    """All pages of a list, and the replies they came in."""
    items, replies, params = [], [], {}
    while len(replies) < 50:
        reply = await peer.send(method, params)
        replies.append(reply)
        result = reply.result or {}
        items += result.get(member) or []
        if "nextCursor" not in result:
            return items, replies
        params = {"cursor": result["nextCursor"]}
    raise AssertionError(f"{method} does not end")


def only_block(reply):
    content = (reply.result or {}).get("content")
    return content[0] if isinstance(content, list) and len(content) == 1 else {}


async def tool_list(checks, peer):
    tools, replies = await everything(peer, "tools/list", "tools")
    checks.must("tools/list gives tools", bool(tools), replies[0])
    names = [tool.get("name") for tool in tools]
    checks.must("tool names are unique", len(set(names)) == len(names), names)
    odd = [name for name in names if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name or "")]
    checks.must("tool names have 1 to 64 of letters, digits, _ . -", not odd, odd)
    checks.must("every tool has a description", all(tool.get("description") for tool in tools), names)
    checks.must("every input schema is an object's",
                all((tool.get("inputSchema") or {}).get("type") == "object" for tool in tools), tools)
    checks.ours("every input schema has properties",
                all(isinstance(tool["inputSchema"].get("properties"), dict) for tool in tools), names)
    broken = []
    for tool in tools:
        for schema in filter(None, (tool["inputSchema"], tool.get("outputSchema"))):
            try:
                Draft202012Validator.check_schema(schema)
            except Exception as error:
                broken.append(f"{tool['name']}: {error}")
    checks.must("every schema is a valid one of 2020-12", not broken, broken)
    if checks.revision >= "2025-06-18":
        checks.ours("every tool has a title", all(tool.get("title") for tool in tools), names)
    if checks.revision >= "2025-03-26":
        checks.ours("every tool says whether it only reads",
                    all("readOnlyHint" in (tool.get("annotations") or {}) for tool in tools), names)
    checks.must("the named fixtures are there", not set(OFFICIAL_TOOLS) - set(names),
                sorted(set(OFFICIAL_TOOLS) - set(names)))
    again, _ = await everything(peer, "tools/list", "tools")
    checks.should("tools/list keeps its order", [tool["name"] for tool in again] == names, names)

    schema = next(tool for tool in tools if tool["name"] == "json_schema_2020_12_tool")["inputSchema"]
    for keyword, found in {
        "$schema": schema.get("$schema") == "https://json-schema.org/draft/2020-12/schema",
        "$defs": "address" in schema.get("$defs", {}),
        "$anchor": schema.get("$defs", {}).get("address", {}).get("$anchor") == "addressDef",
        "$ref": schema["properties"].get("address") == {"$ref": "#/$defs/address"},
        "additionalProperties": schema.get("additionalProperties") is False,
        "allOf and anyOf": any("anyOf" in part for part in schema.get("allOf", [])),
        "if, then and else": {"if", "then", "else"} <= set(schema),
    }.items():
        checks.must(f"the schema's {keyword} is kept", found, schema)


async def tool_contents(checks, peer):
    reply = await peer.call("test_simple_text")
    checks.must("a tool can be called without arguments", reply.result is not None, reply)
    checks.must("test_simple_text gives its one text",
                only_block(reply) == {"type": "text", "text": "This is a simple text response for testing."}, reply)
    checks.must("a tool that went well is no error", not reply.result.get("isError"), reply)
    reply = await peer.call("test_image_content", {})
    image = only_block(reply)
    data = base64.b64decode(image.get("data", ""), validate=True)
    checks.must("test_image_content gives one PNG", image.get("type") == "image" and image.get("mimeType") == "image/png"
                and data.startswith(RED_DOT), reply)
    reply = await peer.call("test_audio_content", {})
    if checks.revision >= "2025-03-26":
        sound = only_block(reply)
        data = base64.b64decode(sound.get("data", ""), validate=True)
        checks.must("test_audio_content gives one WAV", sound.get("type") == "audio"
                    and sound.get("mimeType") == "audio/wav" and data[:4] == b"RIFF", reply)
    else:
        kinds = {block.get("type") for block in (reply.result or {"content": [{}]})["content"]}
        checks.ours("a sound is not given to a client that knows none", kinds <= {"text", "image", "resource"}, reply)
    reply = await peer.call("test_embedded_resource", {})
    resource = only_block(reply).get("resource", {})
    checks.must("test_embedded_resource gives one resource", resource == {
        "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."},
        reply)
    reply = await peer.call("test_multiple_content_types", {})
    kinds = [block.get("type") for block in (reply.result or {}).get("content", [])]
    checks.must("test_multiple_content_types gives text, image and resource in order",
                kinds == ["text", "image", "resource"], reply)
    reply = await peer.call("test_error_handling", {})
    checks.must("test_error_handling fails as a result", reply.is_failed_tool and bool(text_of(reply)), reply)
    reply = await peer.call("test_resource_link", {})
    if checks.revision >= "2025-06-18":
        links = [block for block in (reply.result or {}).get("content", []) if block.get("type") == "resource_link"]
        checks.must("test_resource_link links to a resource that can be read",
                    len(links) == 1 and (await peer.send("resources/read", {"uri": links[0]["uri"]})).result, reply)
    reply = await peer.call("test_waiting", {})
    if checks.revision >= "2025-06-18":
        tools, _ = await everything(peer, "tools/list", "tools")
        schema = next(tool for tool in tools if tool["name"] == "test_waiting").get("outputSchema")
        checks.must("a tool's output schema is listed", isinstance(schema, dict), tools)
        errors = list(Draft202012Validator(schema or {}).iter_errors((reply.result or {}).get("structuredContent")))
        checks.must("structured content fits the output schema", schema and not errors, f"{reply} {errors}")
    checks.should("structured content comes with a text", bool(text_of(reply)), reply)


async def tool_refusals(checks, peer):
    reply = await peer.call("test_nothing_of_the_kind", {})
    checks.must("an unknown tool is -32602", reply.code == -32602, reply)
    for what, params in {"no name": {"arguments": {}}, "a number as name": {"name": 1, "arguments": {}},
                         "a list as arguments": {"name": "test_simple_text", "arguments": []},
                         "a text as arguments": {"name": "test_simple_text", "arguments": "{}"}}.items():
        reply = await peer.send("tools/call", params, **header_for_name(peer, params))
        checks.must(f"tools/call with {what} is -32602", reply.code in bad_name_codes(peer, params), reply)
    for what, tool, arguments in (
            ("a missing argument", "test_sampling", {}), ("an argument of the wrong type", "test_sampling", {"prompt": 1}),
            ("an unknown argument", "test_simple_text", {"more": True}),
            ("what a condition of the schema refuses", "json_schema_2020_12_tool", {"contactMethod": "phone", "email": "e"})):
        reply = await peer.call(tool, arguments)
        holds = reply.is_failed_tool or checks.revision < "2025-11-25" and reply.code == -32602
        checks.must(f"{what} is a result with isError", holds, reply)
        checks.should(f"the refusal of {what} says what is wrong",
                      reply.code == -32602 or any(name in text_of(reply) for name in ("prompt", "more", "phone")), reply)


def bad_name_codes(peer, params):
    """What no header can equal may be refused for that."""
    name = params.get("uri", params.get("name", ""))
    return (-32602,) if isinstance(name, str) or not (peer.is_modern and peer.transport == "http") else (-32602, -32020)


def header_for_name(peer, params):
    """A name that is no text cannot stand in a header, so none is sent that could differ."""
    if peer.transport == "http" and peer.is_modern and not isinstance(params.get("name"), str):
        return {"headers": {"Mcp-Name": None}}
    return {}


async def progress(checks, peer):
    for token in ("progress-1", 7, 0, "прогресс-✓"):
        reply = await peer.call("test_tool_with_progress", {}, meta={"progressToken": token})
        told = [note["params"] for note in reply.notifications("notifications/progress")]
        checks.must(f"progress of token {token!r} is reported three times", len(told) == 3, reply)
        checks.must(f"progress carries the token {token!r} as it was given",
                    all(one.get("progressToken") == token and type(one.get("progressToken")) is type(token) for one in told),
                    told)
        values = [one["progress"] for one in told]
        checks.must(f"progress of token {token!r} grows", values == sorted(set(values)), told)
        checks.should(f"progress of token {token!r} has a total", all(one.get("total") == 100 for one in told), told)
        checks.must(f"no progress of token {token!r} follows the response", not reply.after, reply.after)
    reply = await peer.call("test_tool_with_progress", {})
    checks.must("without a token nothing is reported", not reply.notifications("notifications/progress"), reply)
    checks.must("without a token the tool runs all the same", reply.result and not reply.is_failed_tool, reply)
    if checks.revision >= "2025-03-26":
        reply = await peer.call("test_tool_with_progress", {}, meta={"progressToken": "m"})
        notes = reply.notifications("notifications/progress")
        checks.should("progress has a message", all(note["params"].get("message") for note in notes), notes)


async def concurrency(checks, peer):
    slow = await peer.start(peer.request("tools/call", {"name": "test_wait", "arguments": {"milliseconds": 1500}}))
    quick = await peer.send("tools/list")
    checks.ours("a slow tool does not hold up a list", quick.result is not None and not slow.reply.done(), quick)
    quick = await peer.call("test_simple_text")
    checks.ours("a slow tool does not hold up another tool", quick.result is not None and not slow.reply.done(), quick)
    reply = await slow.reply
    checks.must("the slow tool is answered as well", text_of(reply) == "Waited", reply)

    async def one(number):
        reply = await peer.call("test_custom_header", {"note": f"number {number}"}, id=f"many-{number}")
        return (reply.response or {}).get("id") == f"many-{number}" and f"number {number}" in text_of(reply)

    answered = await asyncio.gather(*[one(number) for number in range(40)])
    checks.must("40 calls at once each get their own answer", all(answered), answered)


async def questions(checks, peer):
    """Elicitation, sampling and roots through the same tools, whichever way the revision asks."""
    has_forms = checks.revision >= "2025-06-18"
    cases = [("test_sampling", {"prompt": "Say something"}, "A sampled text.", "sampling/createMessage"),
             ("test_input_required_result_sampling", {}, "A sampled text.", "sampling/createMessage"),
             ("test_input_required_result_list_roots", {}, "file:///test/root", "roots/list")]
    if has_forms:
        cases += [("test_elicitation", {"message": "Who are you?"}, "alice@example.com", "elicitation/create"),
                  ("test_input_required_result_elicitation", {}, "Hello, Alice!", "elicitation/create"),
                  ("test_input_required_result_request_state", {}, "state-ok", "elicitation/create"),
                  ("test_input_required_result_tampered_state", {}, "integrity-ok", "elicitation/create"),
                  ("test_input_required_result_multiple_inputs", {}, "file:///test/root", "roots/list"),
                  ("test_input_required_result_multi_round", {}, "Alice likes blue", "elicitation/create"),
                  ("test_input_required_result_capabilities", {}, "capabilities-ok", "elicitation/create"),
                  ("test_streaming_elicitation", {}, "Streaming completed", "elicitation/create")]
    for tool, arguments, expected, method in cases:
        before = len(peer.asked)
        reply = await peer.settle_call(tool, arguments)
        checks.must(f"{tool} goes on with what was answered", expected in text_of(reply) and not reply.is_failed_tool, reply)
        checks.must(f"{tool} asks by {method}", method in [asked["method"] for asked in peer.asked[before:]],
                    peer.asked[before:])
    asked = [one for one in peer.asked if one["method"] == "sampling/createMessage"][0]["params"]
    checks.must("sampling has messages and maxTokens", asked.get("maxTokens") == 100 and asked["messages"][0]["content"]
                == {"type": "text", "text": "Say something"}, asked)
    reply = await peer.settle_call("test_missing_capability")
    checks.must("a capability that was declared is taken", reply.result and not reply.is_failed_tool, reply)
    if not has_forms:
        return
    for name, answer in {"decline": declining, "cancel": cancelling}.items():
        reply = await peer.settle_call("test_elicitation", {"message": "?"}, {"elicitation/create": answer})
        checks.must(f"the tool hears a {name}", f"action={name}" in text_of(reply), reply)
    before = len(peer.asked)
    reply = await peer.settle_call("test_elicitation", {"message": "What is it?"})
    form = peer.asked[before]["params"]
    checks.must("a form has the tool's message", form.get("message") == "What is it?", form)
    checks.must("a form is a flat object", form["requestedSchema"]["type"] == "object"
                and form.get("mode", "form") == "form" and set(form["requestedSchema"]) <= {"$schema", "type", "properties", "required"}, form)


async def many_questions(checks, peer):
    """Several calls that ask at the same time each get their own answer."""
    def answer(params):
        return {"action": "accept", "content": {"username": params["message"], "email": "e"}}

    async def one(number):
        reply = await peer.settle_call("test_elicitation", {"message": f"user {number}"})
        return f'"username":"user {number}"' in text_of(reply)

    before, peer.answers = peer.answers, {**peer.answers, "elicitation/create": answer}
    try:
        answered = await asyncio.gather(*[one(number) for number in range(8)])
    finally:
        peer.answers = before
    checks.must("eight calls that ask at once each get their own answer", all(answered), answered)
    if not peer.is_modern:
        ids = [repr(asked["id"]) for asked in peer.asked]
        checks.must("no two questions of a session have the same id", len(set(ids)) == len(ids), ids)


async def forms(checks, peer):
    """The shapes that fields of forms may have (2025-11-25 and later)."""
    values = dict(name="Jane Smith", age=25, score=88, status="inactive", verified=False)
    before = len(peer.asked)
    reply = await peer.settle_call("test_elicitation_sep1034_defaults", {}, {"elicitation/create": accepting(**values)})
    checks.must("a form with defaults is completed", "action=accept" in text_of(reply) and "Jane Smith" in text_of(reply), reply)
    fields = peer.asked[before]["params"]["requestedSchema"]["properties"]
    for name, kind, default in (("name", "string", "John Doe"), ("age", "integer", 30), ("score", "number", 95.5),
                                ("status", "string", "active"), ("verified", "boolean", True)):
        checks.must(f"a {kind} field has its default ({name})", fields.get(name, {}).get("type") == kind
                    and fields[name].get("default") == default, fields)
    checks.must("the default of a choice is one of its values", "active" in fields["status"].get("enum", []), fields)
    values = dict(untitledSingle="option1", titledSingle="value1", legacyEnum="opt1", untitledMulti=["option1", "option2"],
                  titledMulti=["value1", "value2"])
    before = len(peer.asked)
    reply = await peer.settle_call("test_elicitation_sep1330_enums", {}, {"elicitation/create": accepting(**values)})
    checks.must("a form with choices is completed", "action=accept" in text_of(reply) and "option2" in text_of(reply), reply)
    fields = peer.asked[before]["params"]["requestedSchema"]["properties"]
    single, titled, legacy = fields["untitledSingle"], fields["titledSingle"], fields["legacyEnum"]
    many, titled_many = fields["untitledMulti"], fields["titledMulti"]
    checks.must("an untitled choice has enum alone", single["type"] == "string" and single.get("enum")
                and not {"oneOf", "enumNames"} & set(single), single)
    checks.must("a titled choice has oneOf of const and title", titled["type"] == "string" and "enum" not in titled
                and all(set(one) >= {"const", "title"} for one in titled["oneOf"]), titled)
    checks.must("a choice of the old kind has as many enumNames as enum", legacy["type"] == "string"
                and len(legacy["enumNames"]) == len(legacy["enum"]), legacy)
    checks.must("an untitled multiple choice has items.enum alone", many["type"] == "array"
                and many["items"].get("enum") and many["items"]["type"] == "string" and "anyOf" not in many["items"], many)
    checks.must("a titled multiple choice has items.anyOf of const and title", titled_many["type"] == "array"
                and all(set(one) >= {"const", "title"} for one in titled_many["items"]["anyOf"])
                and "enum" not in titled_many["items"], titled_many)


async def older_forms(checks, peer):
    """What fields of forms may be at 2025-06-18: texts, numbers, truths, and choices of one value."""
    before = len(peer.asked)
    reply = await peer.settle_call("test_elicitation_sep1330_enums", {}, {"elicitation/create": accepting(titledSingle="value1")})
    checks.must("a form with choices is completed in the older shape", "value1" in text_of(reply) and not reply.is_failed_tool, reply)
    form = peer.asked[before]["params"]["requestedSchema"]
    kinds = {field.get("type") for field in form["properties"].values()}
    checks.must("a form has no fields that this revision does not know", kinds <= {"string", "number", "integer", "boolean"}
                and not any("oneOf" in field for field in form["properties"].values()), form)


async def wrong_answers(checks, peer):
    """A client whose answers do not fit what was asked."""
    for what, answer in {"without a required field": {"action": "accept", "content": {"username": "alice"}},
                         "with a field of the wrong type": {"action": "accept", "content": {"username": 1, "email": "e"}},
                         "without content": {"action": "accept"}, "with an unknown action": {"action": "perhaps"}}.items():
        reply = await peer.settle_call("test_elicitation", {"message": "?"}, {"elicitation/create": lambda _: answer})
        holds = "action=accept" not in text_of(reply) and (reply.error or reply.is_failed_tool or "action=" in text_of(reply)
                                                           or (reply.result or {}).get("resultType") == "input_required")
        checks.should(f"an answer {what} is not taken for one that fits", holds, reply)


async def resources(checks, peer):
    listed, replies = await everything(peer, "resources/list", "resources")
    uris = [resource.get("uri") for resource in listed]
    checks.must("resources/list gives the named ones", {"test://static-text", "test://static-binary",
                                                        "test://watched-resource"} <= set(uris), replies[0])
    checks.must("every resource has a uri and a name", all(one.get("uri") and one.get("name") for one in listed), listed)
    checks.ours("every resource has a description and a type", all(one.get("description") and one.get("mimeType") for one in listed),
                listed)
    templates, replies = await everything(peer, "resources/templates/list", "resourceTemplates")
    checks.must("resources/templates/list gives the named one",
                "test://template/{id}/data" in [one.get("uriTemplate") for one in templates], replies[0])
    checks.must("every template has a name", all(one.get("name") for one in templates), templates)
    for uri in uris:
        reply = await peer.send("resources/read", {"uri": uri})
        contents = (reply.result or {}).get("contents")
        checks.must(f"{uri} can be read under its own address", bool(contents)
                    and all(one.get("uri") == uri and one.get("mimeType") and ("text" in one) != ("blob" in one)
                            for one in contents), reply)
    reply = await peer.send("resources/read", {"uri": "test://static-text"})
    checks.must("test://static-text has its text", (reply.result or {}).get("contents", [{}])[0].get("text")
                == "This is the content of the static text resource.", reply)
    reply = await peer.send("resources/read", {"uri": "test://static-binary"})
    blob = (reply.result or {}).get("contents", [{}])[0]
    checks.must("test://static-binary is a PNG in base64", blob.get("mimeType") == "image/png"
                and base64.b64decode(blob.get("blob", ""), validate=True).startswith(RED_DOT), reply)
    reply = await peer.send("resources/read", {"uri": "test://template/123/data"})
    content = (reply.result or {}).get("contents", [{}])[0]
    checks.must("a template is read with its place filled in", content.get("uri") == "test://template/123/data"
                and json.loads(content.get("text", "{}")).get("id") == "123", reply)
    missing = "test://nonexistent-resource-for-conformance-testing"
    reply = await peer.send("resources/read", {"uri": missing})
    wanted = -32602 if peer.is_modern else -32002
    checks.must("a missing resource is an error, never an empty list", reply.error is not None, reply)
    checks.should(f"a missing resource is {wanted}", reply.code == wanted, reply)
    checks.should("the error of a missing resource names it", ((reply.error or {}).get("data") or {}).get("uri") == missing, reply)
    for what, params in {"no uri": {}, "a number as uri": {"uri": 5}}.items():
        options = {"headers": {"Mcp-Name": None}} if peer.transport == "http" and peer.is_modern else {}
        reply = await peer.send("resources/read", params, **options)
        checks.must(f"resources/read with {what} is -32602", reply.code in bad_name_codes(peer, params), reply)
    if checks.revision >= "2025-06-18":
        reply = await peer.settle("resources/read", {"uri": "test://asking/weather"})
        texts = [one.get("text") for one in (reply.result or {}).get("contents", [])]
        checks.must("a resource can ask before it is read", texts == ["weather: Sunny."], reply)


async def prompts(checks, peer):
    listed, replies = await everything(peer, "prompts/list", "prompts")
    names = [prompt.get("name") for prompt in listed]
    wanted = {"test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_embedded_resource",
              "test_prompt_with_image", "test_input_required_result_prompt"}
    checks.must("prompts/list gives the named ones", wanted <= set(names), replies[0])
    checks.must("every prompt has a description", all(prompt.get("description") for prompt in listed), listed)
    arguments = next(one for one in listed if one["name"] == "test_prompt_with_arguments").get("arguments", [])
    checks.must("a prompt lists its arguments and which are required", [(one.get("name"), one.get("required"))
                for one in arguments] == [("arg1", True), ("arg2", True)], arguments)
    reply = await peer.send("prompts/get", {"name": "test_simple_prompt"})
    checks.must("test_simple_prompt gives its message", (reply.result or {}).get("messages") == [
        {"role": "user", "content": {"type": "text", "text": "This is a simple prompt for testing."}}], reply)
    reply = await peer.send("prompts/get", {"name": "test_prompt_with_arguments",
                                            "arguments": {"arg1": "testValue1", "arg2": "testValue2"}})
    text = json.dumps((reply.result or {}).get("messages"))
    checks.must("arguments of a prompt are filled in", "testValue1" in text and "testValue2" in text, reply)
    reply = await peer.send("prompts/get", {"name": "test_prompt_with_embedded_resource",
                                            "arguments": {"resourceUri": "test://example-resource"}})
    kinds = [message["content"]["type"] for message in (reply.result or {}).get("messages", [])]
    checks.must("a prompt can hold a resource", kinds == ["resource", "text"]
                and reply.result["messages"][0]["content"]["resource"]["uri"] == "test://example-resource", reply)
    reply = await peer.send("prompts/get", {"name": "test_prompt_with_image"})
    kinds = [message["content"]["type"] for message in (reply.result or {}).get("messages", [])]
    checks.must("a prompt can hold a picture", kinds == ["image", "text"]
                and reply.result["messages"][0]["content"]["mimeType"] == "image/png", reply)
    for what, params in {"an unknown name": {"name": "test_no_prompt"},
                         "a missing argument": {"name": "test_prompt_with_arguments", "arguments": {"arg1": "a"}},
                         "no arguments where some are required": {"name": "test_prompt_with_arguments"},
                         "a number as argument": {"name": "test_prompt_with_arguments", "arguments": {"arg1": 1, "arg2": "b"}},
                         "no name": {}}.items():
        reply = await peer.send("prompts/get", params, **header_for_name(peer, params))
        checks.must(f"prompts/get with {what} is -32602", reply.code == -32602, reply)
    if checks.revision >= "2025-06-18":
        reply = await peer.settle("prompts/get", {"name": "test_input_required_result_prompt"})
        checks.must("a prompt can ask before it is given", "tests" in json.dumps((reply.result or {}).get("messages")), reply)


async def completions(checks, peer):
    def prompt(name, argument, value, **more):
        return {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": argument, "value": value}, **more}

    def template(uri, argument, value):
        return {"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": argument, "value": value}}

    reply = await peer.send("completion/complete", prompt("test_prompt_with_arguments", "arg1", "par"))
    completion = (reply.result or {}).get("completion", {})
    checks.must("a prompt's argument is completed", completion.get("values") == ["paris", "park", "party"], reply)
    reply = await peer.send("completion/complete", template("test://template/{id}/data", "id", ""))
    completion = (reply.result or {}).get("completion", {})
    checks.must("a template's place is completed by 100 at most", 0 < len(completion.get("values", [])) <= 100, reply)
    checks.should("a completion tells of the rest", completion.get("hasMore") is True and completion.get("total", 0) > 100, reply)
    reply = await peer.send("completion/complete", template("test://template/{id}/data", "id", "25"))
    checks.should("a completion goes on as it was typed", (reply.result or {}).get("completion", {}).get("values") == ["25", "250"],
                  reply)
    if checks.revision >= "2025-06-18":
        params = prompt("test_prompt_with_arguments", "arg2", "", context={"arguments": {"arg1": "paris"}})
        reply = await peer.send("completion/complete", params)
        checks.must("what was filled in before is looked at", (reply.result or {}).get("completion", {}).get("values")
                    == ["paris-one", "paris-two"], reply)
    for what, params in {
        "an unknown prompt": prompt("test_no_prompt", "a", ""), "an unknown template": template("test://none/{x}", "x", ""),
        "an unknown kind of ref": {"ref": {"type": "ref/tool", "name": "x"}, "argument": {"name": "a", "value": ""}},
        "no argument": {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}},
        "no ref": {"argument": {"name": "a", "value": ""}},
        "a number as value": {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
                              "argument": {"name": "arg1", "value": 1}},
    }.items():
        reply = await peer.send("completion/complete", params)
        checks.must(f"a completion with {what} is -32602", reply.code == -32602, reply)


async def pagination(checks, peer):
    for method, member in (("tools/list", "tools"), ("resources/list", "resources"),
                           ("resources/templates/list", "resourceTemplates"), ("prompts/list", "prompts")):
        items, replies = await everything(peer, method, member)
        keys = [item.get("uri") or item.get("uriTemplate") or item["name"] for item in items]
        checks.must(f"{method} gives each thing once over all its pages", len(set(keys)) == len(keys), keys)
        for what, cursor in {"an invented cursor": "bm90LWEtY3Vyc29y", "a number as cursor": 5}.items():
            reply = await peer.send(method, {"cursor": cursor})
            checks.must(f"{method} with {what} is -32602", reply.code == -32602, reply)


async def identifiers(checks, peer):
    for id in (0, -1, 2**53 - 1, "", "0", "text", "ключ-🔑-é"):
        reply = await peer.send("tools/list", id=id)
        found = (reply.response or {}).get("id", "none")
        checks.must(f"the id {id!r} comes back as it was", found == id and type(found) is type(id) and reply.result, reply)
    reply = await peer.send("no/such/method", id="unknown-1")
    checks.must("an error carries the id of its request", (reply.response or {}).get("id") == "unknown-1", reply)
    checks.must("an unknown method is -32601", reply.code == -32601, reply)
    reply = await peer.send("TOOLS/LIST")
    checks.must("methods are told apart by case", reply.code == -32601, reply)


async def leniency(checks, peer):
    """What is unknown and harmless, and what is odd and must do no harm."""
    reply = await peer.send("tools/list", {"unknown": {"a": [1, None]}}, meta={"example.org/unknown": {"a": 1}})
    checks.must("unknown parameters and unknown members of _meta are ignored", bool((reply.result or {}).get("tools")), reply)
    reply = await peer.call("test_custom_header", {"note": "a\u0000b\n\t\u2028é🔑"})
    checks.must("any character comes through", "\\u0000b" in text_of(reply) and "🔑" in text_of(reply), reply)
    message = peer.request("tools/call", {"name": "test_custom_header", "arguments": {"note": 1}})
    text = json.dumps(message).replace('"note": 1', '"note": ' + "[" * 2_000 + "]" * 2_000)
    if peer.transport == "http":
        reply = await (await peer.start(message, body=text.encode())).reply
    else:
        reply = await peer.refused(text.encode(), message["id"])
    checks.ours("what is nested too deeply is refused", reply.error is not None or reply.is_failed_tool, reply)
    reply = await peer.send("tools/list")
    checks.ours("the connection goes on after it", reply.result is not None, reply)


async def waiting(peer):
    """How many calls of test_wait run, and how many were cancelled; as text, which every revision has."""
    running, cancelled = re.findall(r"\d+", text_of(await peer.call("test_waiting", {})))
    return {"running": int(running), "cancelled": int(cancelled)}


async def cancellation(checks, peer):
    """A call that the client gives up is stopped, and nothing more is said of it."""

    async def waits():
        return await waiting(peer)

    before = await waits()
    under_way = await peer.start(peer.request("tools/call", {"name": "test_wait", "arguments": {"milliseconds": 20_000}}))

    async def runs():
        return (await waits())["running"] > before["running"]

    checks.must("a call that waits is under way", await eventually(runs))
    if peer.transport == "http" and peer.is_modern:
        under_way.abort()
    else:
        await peer.notify("notifications/cancelled", {"requestId": under_way.id, "reason": "no longer needed"})

    async def stopped():
        now = await waits()
        return now["running"] == before["running"] and now["cancelled"] == before["cancelled"] + 1

    what = "closing the stream stops the call" if peer.transport == "http" and peer.is_modern else "a cancelled call is stopped"
    level = checks.must if peer.is_modern else checks.should
    level(what, await eventually(stopped), await waits())
    if peer.transport == "stdio":
        await peer.send("tools/list")
        level("nothing more is said of a cancelled call", not under_way.reply.done(), under_way.reply)
    elif not peer.is_modern:
        reply = await asyncio.wait_for(under_way.reply, 10)
        level("a cancelled call gets no result", reply.result is None, reply)
    for what, id in {"unknown": "never-seen", "finished": 1}.items():
        if peer.transport == "stdio" or not peer.is_modern:
            await peer.notify("notifications/cancelled", {"requestId": id})
            reply = await peer.send("tools/list")
            checks.must(f"cancelling an {what} call is ignored".replace("an finished", "a finished"), reply.result is not None, reply)


async def refused_client(checks, peer):
    """A client that can be asked and answers with an error."""

    def refuse(params):
        raise Refusal(-1, "the user has gone")

    reply = await peer.settle_call("test_input_required_result_elicitation", {}, {"elicitation/create": refuse})
    checks.must("an error in place of an answer fails the call", reply.is_failed_tool or reply.error is not None, reply)
    reply = await peer.call("test_simple_text")
    checks.must("the session goes on after it", reply.result is not None, reply)


ALL = [tool_list, tool_contents, tool_refusals, progress, concurrency, questions, resources, prompts, completions, pagination,
       identifiers, leniency, cancellation]
