"""Checks requests as strictly as Google's API does, for gemini_server.py.

Shapes are those of the official client's types (PyPI `google-genai`), which forbid members they do not know; the rules
between members are written here. `Refused` carries the HTTP status and the API's own way of saying what is wrong.
"""

import re

from google.genai import types
from pydantic import ValidationError

FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}\Z")
FOREIGN_SIGNATURE = "skip_thought_signature_validator"
DATA_MEMBERS = {
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
}
REQUEST_MEMBERS = {
    "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent",
    "serviceTier", "store", "continuationToken",
}
TASK_TYPES = {
    "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
    "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY",
}


class Refused(Exception):
    def __init__(self, message, code=400, status="INVALID_ARGUMENT", details=()):
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, list(details)

    def body(self):
        error = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}


def expect(condition, message):
    if not condition:
        raise Refused(message)


def unknown(name, path):
    field = {"field": path, "description": f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'}
    raise Refused(
        f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.",
        details=[{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [field]}],
    )


def members(value, allowed, path):
    expect(isinstance(value, dict), f"Invalid value at '{path}': not an object")
    for name in value:
        if name not in allowed:
            unknown(name, path)


def shape(kind, value, path):
    """Validates against a type of the official client."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([path, *(str(step) for step in first["loc"][:-1])])
        if first["type"] == "extra_forbidden":
            unknown(first["loc"][-1], place)
        raise Refused(f"Invalid value at '{place}.{first['loc'][-1] if first['loc'] else ''}': {first['msg']}")


def family(model):
    """`gemini-3`, `gemini-2.5`, ... and the number before the point."""
    match = re.match(r"(?:models/)?gemini-(\d+)(\.\d+)?", model)
    if not match:
        return "gemini-3", 3  # the -latest names
    major = int(match[1])
    return (f"gemini-{major}" if major >= 3 else f"gemini-{match[1]}{match[2] or ''}"), major


class Checker:
    """Remembers which parts were given out, to see them come back unchanged."""

    def __init__(self):
        self.issued = {}  # signature -> (family, part)

    def issue(self, model, part):
        self.issued[part["thoughtSignature"]] = (family(model)[0], part)

    def generate(self, model, body):
        members(body, REQUEST_MEMBERS, "request")
        expect(body.get("contents"), "contents is not specified")
        if "systemInstruction" in body:
            system = shape(types.Content, body["systemInstruction"], "system_instruction")
            expect(all(part.text for part in system.parts or ()), "system_instruction takes text parts only")
            expect(system.parts, "system_instruction has no parts")
        if body.get("cachedContent"):
            for name in ("systemInstruction", "tools", "toolConfig"):
                expect(name not in body, f"CachedContent can not be used with {name}")
        self._contents(model, body["contents"])
        functions = self._tools(body)
        self._tool_config(body, functions)
        self._config(model, body, functions)
        self._safety(body)

    def _contents(self, model, contents):
        expect(isinstance(contents, list), "Invalid value at 'contents': not a list")
        calls, before = [], None
        turn = max((i for i, c in enumerate(contents) if c.get("role") == "user"
                    and any("text" in p for p in c.get("parts", ()))), default=-1)
        for index, content in enumerate(contents):
            shape(types.Content, content, f"contents[{index}]")
            role = content.get("role")
            expect(role in ("user", "model"), "Please use a valid role: user, model.")
            expect(role != before, f"contents[{index}]: adjacent contents of one role should come merged")
            expect(before is not None or role == "user", "contents should begin with a user turn")
            before = role
            expect(content.get("parts"), f"contents[{index}].parts must not be empty")
            for place, part in enumerate(content["parts"]):
                self._part(model, part, f"contents[{index}].parts[{place}]", role)
            answers = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
            if role == "user":
                self._answers(calls, answers)
                calls = []
            else:
                calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
                if calls and index > turn and family(model)[1] >= 3:
                    first = next(part for part in content["parts"] if "functionCall" in part)
                    expect(
                        first.get("thoughtSignature"),
                        "Function call is missing a thought_signature in functionCall parts. This is required for "
                        f"tools to work correctly. Additional data, function call `{calls[0].get('name')}`.",
                    )
        expect(before == "user", "Please ensure that the conversation ends with a user turn.")

    def _part(self, model, part, path, role):
        data = DATA_MEMBERS & set(part)
        expect(data or part.get("thoughtSignature"), f"{path}: part must have one initialized field")
        expect(len(data) <= 1, f"{path}: oneof field 'data' is already set")
        if "functionCall" in part:
            expect(role == "model", f"{path}: a call is the model's")
            call = part["functionCall"]
            expect(FUNCTION_NAME.match(call.get("name") or ""), f"{path}.function_call.name: Invalid function name.")
            expect(isinstance(call.get("args", {}), dict), f"{path}.function_call.args: not a struct")
        if "functionResponse" in part:
            expect(role == "user", f"{path}: a response is the user's")
            answer = part["functionResponse"]
            expect(answer.get("name"), f"{path}.function_response.name: Name cannot be empty.")
            expect(isinstance(answer.get("response"), dict), f"{path}.function_response.response: not a struct")
        signature = part.get("thoughtSignature")
        if signature and signature != FOREIGN_SIGNATURE:
            expect(signature in self.issued, f"{path}.thought_signature: Thought signature is not valid.")
            origin, original = self.issued[signature]
            expect(origin == family(model)[0], f"{path}.thought_signature: Thought signature is of another model.")
            expect(original == part, f"{path}: the signed part was altered")

    def _answers(self, calls, answers):
        expect(
            not answers or calls,
            "Please ensure that function response turn comes immediately after a function call turn.",
        )
        expect(
            len(answers) == len(calls),
            "Please ensure that the number of function response parts is equal to the number of function call parts "
            "of the function call turn.",
        )
        rest = list(calls)
        for answer in answers:
            match = next(
                (c for c in rest if c.get("name") == answer.get("name") and c.get("id") == answer.get("id")), None
            )
            expect(match is not None, f"function response {answer.get('name')}/{answer.get('id')} answers no call")
            rest.remove(match)

    def _tools(self, body):
        names = []
        for index, tool in enumerate(body.get("tools", ())):
            expect(tool, f"tools[{index}].tool_type: required one_of 'tool_type' must have one initialized field")
            shape(types.Tool, tool, f"tools[{index}]")
            for place, function in enumerate(tool.get("functionDeclarations", ())):
                path = f"tools[{index}].function_declarations[{place}]"
                expect(FUNCTION_NAME.match(function.get("name", "")), f"{path}.name: Invalid function name.")
                expect(function["name"] not in names, f"Duplicate function declaration found: {function['name']}")
                expect(
                    not ("parameters" in function and "parametersJsonSchema" in function),
                    f"{path}: parameters and parameters_json_schema are mutually exclusive",
                )
                if "parametersJsonSchema" in function:
                    schema = function["parametersJsonSchema"]
                    expect(isinstance(schema, dict), f"{path}.parameters_json_schema: not a schema")
                    expect(schema.get("type", "object") == "object", f"{path}: parameters should be an object")
                names.append(function["name"])
        return names

    def _tool_config(self, body, functions):
        if "toolConfig" not in body:
            return
        shape(types.ToolConfig, body["toolConfig"], "tool_config")
        config = body["toolConfig"].get("functionCallingConfig", {})
        mode, allowed = config.get("mode", "AUTO"), config.get("allowedFunctionNames")
        expect(mode in ("AUTO", "ANY", "NONE", "VALIDATED"), f"Invalid mode {mode}")
        expect(functions, "Function calling config is set without function_declarations.")
        if allowed is not None:
            expect(mode in ("ANY", "VALIDATED"), "Allowed function names should be set only with mode ANY or VALIDATED")
            expect(set(allowed) <= set(functions), "allowed_function_names names an undeclared function")

    def _config(self, model, body, functions):
        config = body.get("generationConfig", {})
        shape(types.GenerationConfig, config, "generation_config")
        expect(0 <= config.get("temperature", 1) <= 2, "temperature must be in the range [0.0, 2.0]")
        expect(0 <= config.get("topP", 1) <= 1, "top_p must be in the range [0.0, 1.0]")
        expect(len(config.get("stopSequences", ())) <= 5, "stop_sequences may have at most 5 entries")
        expect(config.get("maxOutputTokens", 1) > 0, "max_output_tokens must be positive")
        expect(-2**31 <= config.get("seed", 0) < 2**31, "Invalid value at 'generation_config.seed' (TYPE_INT32)")
        schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
        expect(len(schemas) <= 1, "only one of response_schema and response_json_schema can be set")
        if schemas:
            expect(
                config.get("responseMimeType") in ("application/json", "text/x.enum"),
                "response_schema needs response_mime_type application/json",
            )
        major = family(model)[1]
        if config.get("responseMimeType") == "application/json" and functions and major < 3:
            raise Refused("Function calling with a response mime type: 'application/json' is unsupported")
        thinking = config.get("thinkingConfig", {})
        expect(
            not ("thinkingBudget" in thinking and "thinkingLevel" in thinking),
            "thinking_budget and thinking_level are mutually exclusive",
        )
        expect("thinkingLevel" not in thinking or major >= 3, "Thinking level is not supported for this model.")
        expect("thinkingBudget" not in thinking or major < 3, "Thinking budget is not supported for this model.")

    def _safety(self, body):
        categories = [shape(types.SafetySetting, entry, "safety_settings").category
                      for entry in body.get("safetySettings", ())]
        expect(len(set(categories)) == len(categories), "safety_settings: one entry for each category")

    def count(self, model, body):
        members(body, {"contents", "generateContentRequest"}, "request")
        expect(len(body) == 1, "contents and generateContentRequest are mutually exclusive, and one is required")
        if "contents" in body:
            self._contents(model, body["contents"])
            return body["contents"]
        request = dict(body["generateContentRequest"])
        expect(request.pop("model", None) == f"models/{model}", "generateContentRequest.model does not fit the URL's")
        self.generate(model, request)
        return request["contents"]

    def embed(self, model, entry, path):
        members(entry, {"model", "content", "taskType", "title", "outputDimensionality"}, path)
        expect(entry.get("model") == f"models/{model}", f"{path}.model should be models/{model}")
        content = entry.get("content") or {}
        shape(types.Content, content, f"{path}.content")
        parts = content.get("parts") or []
        expect(parts, f"{path}.content: contents is not specified")
        text = "".join(part.get("text", "") for part in parts)
        expect(text, f"{path}.content: content is empty")
        size = entry.get("outputDimensionality", 3072)
        expect(128 <= size <= 3072, f"{path}.output_dimensionality must be between 128 and 3072")
        if "embedding-2" in model:
            expect("taskType" not in entry, f"{path}.task_type is not supported for this model")
            expect("title" not in entry, f"{path}.title is not supported for this model")
        else:
            expect(entry.get("taskType", "RETRIEVAL_QUERY") in TASK_TYPES, f"{path}.task_type is not valid")
            expect(
                "title" not in entry or entry.get("taskType") == "RETRIEVAL_DOCUMENT",
                f"{path}.title is only for RETRIEVAL_DOCUMENT",
            )
        return text, size
