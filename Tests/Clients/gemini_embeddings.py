"""How gemini_server.py embeds: vectors that depend on text and task alone, and several ways to get it wrong."""

import hashlib
import random
import struct

from google.genai import types

from gemini_strict import Refused, expect

COUNT_MAX = 100
TOKENS_MAX = 20_000
REFUSED_WORD = "unembeddable"


def vector(text, task, size):
    """Not of unit length, unless it is the model's own size."""
    seed = hashlib.sha256(f"{task}|{text}".encode()).digest()
    generator = random.Random(struct.unpack("<Q", seed[:8])[0])
    values = [round(generator.uniform(-1, 1), 6) for _ in range(size)]
    if size < 3072:
        return values
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def tokens(text):
    return max(1, len(text) // 4)


async def run(exchange, is_batch):
    model, body = exchange.model, exchange.body
    if is_batch:
        expect(set(body) <= {"requests"}, "Unknown name in batch")
        entries = body.get("requests") or []
        expect(entries, "requests must not be empty")
        expect(len(entries) <= COUNT_MAX, f"at most {COUNT_MAX} requests can be in one batch")
    else:
        entries = [body]
    checked = [exchange.server.checker.embed(model, entry, f"requests[{i}]") for i, entry in enumerate(entries)]
    expect(sum(tokens(text) for text, _ in checked) <= TOKENS_MAX, "the batch has too many tokens")
    case = model.partition("-case-")[2].partition("_")[0]
    if case == "refuses-all" or any(REFUSED_WORD in text for text, _ in checked):
        raise Refused("Request contains an invalid argument.")
    if case == "quota" and exchange.attempt == 1:
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.02s"}
        raise Refused("Resource has been exhausted.", 429, "RESOURCE_EXHAUSTED", [info])
    found = [vector(text, entry.get("taskType"), size) for (text, size), entry in zip(checked, entries)]
    if case == "too-few":
        found = found[:-1]
    if case == "short":
        found[-1] = found[-1][:-1]
    if case == "zero":
        found[-1] = [0.0] * len(found[-1])
    if case == "infinite":
        found[-1][0] = 1e39  # finite in JSON, not in 32 bits
    embeddings = [{"values": values} for values in found]
    for embedding in embeddings:
        types.ContentEmbedding.model_validate(embedding)
    reply = {"embeddings": embeddings} if is_batch else {"embedding": embeddings[0] if embeddings else {}}
    if "embedding-2" in model:
        reply["usageMetadata"] = {"promptTokenCount": sum(tokens(text) for text, _ in checked)}
    await exchange.json(reply)
