"""Talks to gemini_server.py through the official client (PyPI `google-genai`), so that a mistake of the server is not
taken for a rule of Google's.

    gemini_official.py URL

Any surprise ends the program with exit code 1 and a line on standard error.
"""

import sys

from google import genai
from google.genai import errors, types

from gemini_scenarios import TEXT

KEY = "test-key-of-a-scripted-gemini"


def expect(condition, message):
    if not condition:
        print(f"gemini_official.py: {message}", file=sys.stderr)
        sys.exit(1)


def check_agent(client, model):
    """Two steps with tools. Not by the client's own chat helper: it sends a content for each chunk, which the service
    folds together and our server, stricter there, does not take."""
    tool = types.Tool(function_declarations=[
        types.FunctionDeclaration(name=name, parameters_json_schema={"type": "object", "properties": {}})
        for name in ("search_records", "get_record")
    ])
    contents = [types.UserContent("go")]
    for _ in range(3):
        stream = client.models.generate_content_stream(
            model=model, contents=contents, config=types.GenerateContentConfig(tools=[tool])
        )
        parts = [part for chunk in stream for part in chunk.candidates[0].content.parts or ()]
        contents.append(types.Content(role="model", parts=parts))
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            break
        contents.append(types.Content(role="user", parts=[
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": call.id}))
            for call in calls
        ]))
    expect("".join(part.text or "" for part in contents[-1].parts) == "So: c3", f"agent: {contents[-1]}")


def main(url):
    client = genai.Client(api_key=KEY, http_options={"base_url": url, "api_version": "v1beta"})
    model = "gemini-3-case-{}_official"
    for name in ("plain", "bare-frames", "byte-by-byte", "with-length", "until-close", "lf"):
        stream = client.models.generate_content_stream(model=model.format(name), contents="hi")
        text = "".join(chunk.text or "" for chunk in stream)
        expect(text == "".join(TEXT), f"{name}: {text!r}")
    whole = client.models.generate_content(model=model.format("plain"), contents="hi")
    expect(whole.text == "".join(TEXT), f"unary: {whole.text!r}")
    stream = client.models.generate_content_stream(model=model.format("continuation"), contents="hi")
    expect("".join(chunk.text or "" for chunk in stream) == "part 1; part 2; part 3; ", "continuation")

    check_agent(client, model.format("agent"))

    names = [entry.name for entry in client.models.list()]
    expect(len(names) == len(set(names)) == 5, f"models: {names}")
    for embedding in ("gemini-embedding-001", "gemini-embedding-2"):
        found = client.models.embed_content(model=embedding, contents=["a", "b"], config={"output_dimensionality": 768})
        expect([len(entry.values) for entry in found.embeddings][:1] == [768], embedding)
    expect(client.models.count_tokens(model="gemini-3.7-flash", contents="hi").total_tokens > 0, "countTokens")
    try:
        client.models.generate_content(model=model.format("too-long"), contents="hi")
        expect(False, "an error was none")
    except errors.ClientError as error:
        expect(error.code == 400 and error.status == "INVALID_ARGUMENT", f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
