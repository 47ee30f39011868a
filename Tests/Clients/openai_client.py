"""Talks to our `/v1` through the official OpenAI client (PyPI `openai`), unmodified.

    openai_client.py URL KEY MODEL EMBEDDING_MODEL

The model behind the server is expected to answer any question with "Hello, wörld \\U0001f30d", to call the function `weather`
once for each city when it is offered, and to answer "done" to its results; the vectors to have three components, the
first being the length of the text in bytes.

Prints one JSON object a line for each thing that was done. Any surprise ends the program with exit code 1 and a line on
stderr.
"""

import asyncio
import json
import sys

import openai

ANSWER = "Hello, wörld \U0001f30d"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]


class Surprise(Exception):
    """Something is not as this program expects it."""


def expect(condition, message):
    if not condition:
        raise Surprise(message)


def emit(event, **members):
    print(json.dumps({"event": event, **members}, ensure_ascii=False), flush=True)


def check_models(client, model, embedding_model):
    names = [entry.id for entry in client.models.list()]
    expect(names[0] == model and names[-1] == embedding_model, f"models are {names}")
    emit("models", names=names)


def check_whole(client, model):
    reply = client.chat.completions.create(model=model, messages=QUESTION, temperature=0.3, max_completion_tokens=50)
    expect(reply.choices[0].message.content == ANSWER, f"answer is {reply.choices[0].message.content!r}")
    expect(reply.choices[0].finish_reason == "stop", f"finish is {reply.choices[0].finish_reason}")
    expect(reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens, "usage does not add up")
    emit("whole", usage=reply.usage.model_dump())


def check_stream(client, model):
    text, finishes, usage, count = "", [], None, 0
    stream = client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        count += 1
        if chunk.usage:
            usage = chunk.usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                finishes.append(choice.finish_reason)
    expect(text == ANSWER, f"streamed answer is {text!r}")
    expect(finishes == ["stop"] and usage is not None, f"finishes are {finishes}, usage is {usage}")
    emit("stream", chunks=count)


async def check_async_stream(url, key, model):
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as client:
        async with client.chat.completions.stream(model=model, messages=QUESTION) as stream:
            async for _ in stream:
                pass
            completion = await stream.get_final_completion()
    expect(completion.choices[0].message.content == ANSWER, "the stream helper has another answer")
    emit("async_stream")


def check_tools(client, model):
    """The loop that callers write: call, run, answer; once whole, once streamed."""
    reply = client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER])
    expect(reply.choices[0].finish_reason == "tool_calls", f"finish is {reply.choices[0].finish_reason}")
    message = reply.choices[0].message
    cities = [json.loads(call.function.arguments)["city"] for call in message.tool_calls]
    expect(cities == ["Oslo", "Rome"], f"cities are {cities}")
    results = [{"role": "tool", "tool_call_id": call.id, "content": "cold"} for call in reversed(message.tool_calls)]
    end = client.chat.completions.create(model=model, messages=[*QUESTION, message, *results], tools=[WEATHER])
    expect(end.choices[0].message.content == "done", f"the end is {end.choices[0].message}")

    calls = {}
    for chunk in client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER], stream=True):
        for choice in chunk.choices:
            for fragment in choice.delta.tool_calls or []:
                call = calls.setdefault(fragment.index, {"id": None, "name": "", "arguments": ""})
                call["id"] = call["id"] or fragment.id
                call["name"] += fragment.function.name or ""
                call["arguments"] += fragment.function.arguments or ""
    expect([json.loads(calls[index]["arguments"])["city"] for index in sorted(calls)] == ["Oslo", "Rome"], f"{calls}")
    expect(len({call["id"] for call in calls.values()}) == 2, "the identifiers of two calls are one")
    emit("tools", calls=len(calls))


def check_embeddings(client, model):
    """The client asks for base64 unless told otherwise, and decodes it itself."""
    texts = ["abc", "wörld", "x" * 100]
    packed = client.embeddings.create(model=model, input=texts)
    plain = client.embeddings.create(model=model, input=texts, encoding_format="float")
    for reply in (packed, plain):
        expect([entry.index for entry in reply.data] == [0, 1, 2], "vectors are out of order")
        expect([entry.embedding[0] for entry in reply.data] == [3, 6, 100], "vectors are of other texts")
    pairs = [pair for p, q in zip(packed.data, plain.data) for pair in zip(p.embedding, q.embedding)]
    # Decimals are the shortest that read back as the same Float32.
    expect(all(abs(a - b) <= 6e-8 * abs(b) for a, b in pairs), f"the two encodings differ: {pairs}")
    expect(client.embeddings.create(model=model, input="abc").data[0].embedding[0] == 3, "one text is another")
    emit("embeddings", dimension=len(plain.data[0].embedding))


def check_refusals(url, key, model):
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
    for expected, call in [
        (openai.NotFoundError, lambda: client.chat.completions.create(model="gpt-nobody", messages=QUESTION)),
        (openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=QUESTION, n=2)),
        (
            openai.AuthenticationError,
            lambda: openai.OpenAI(base_url=url, api_key="pat_live_wrong", max_retries=0).models.list(),
        ),
        (openai.APIError, lambda: list(fail(client, model, stream=True))),
        (openai.InternalServerError, lambda: fail(client, model, stream=False)),
    ]:
        try:
            call()
        except expected as error:
            expect(error.message, "an error says nothing")
        else:
            raise Surprise(f"{expected.__name__} was expected")
    emit("refusals")


def fail(client, model, stream):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "fail"}], stream=stream)


def main(url, key, model, embedding_model):
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=60)
    check_models(client, model, embedding_model)
    check_whole(client, model)
    check_stream(client, model)
    asyncio.run(check_async_stream(url, key, model))
    check_tools(client, model)
    check_embeddings(client, embedding_model)
    check_refusals(url, key, model)
    emit("done")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Surprise, openai.OpenAIError, OSError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        sys.exit(1)
