"""What docs/mcp.md promises a newcomer, done through the official Python SDK (PyPI `mcp`, 2.x).

    mcp_newcomer.py COMMAND...

starts COMMAND, a server on stdin and stdout over a base `Crew` with a table of people (Name, City, Skills), in either era of
the protocol: connects, asks three questions, changes a record safely, takes it back; says no; and sees that a client that
cannot ask its user changes nothing that needs asking. Prints one JSON object a line; any surprise ends it with exit code 1.
"""

import asyncio
import logging
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from mcp_stdio import TIMEOUT_SECONDS, Complaints, emit, expect, first_cause

TABLE = {"base": "Crew", "table": "people"}


class User:
    """Reads what the server asks, and says what a test wants."""

    def __init__(self, action):
        self.action, self.asked = action, []

    async def answer(self, context, params):
        self.asked.append(params.message)
        return types.ElicitResult(action=self.action, content={"confirm": True} if self.action == "accept" else None)


def connect(command, mode, user):
    transport = stdio_client(StdioServerParameters(command=command[0], args=command[1:]))
    asks = {"elicitation_callback": user.answer} if user else {}
    return Client(transport, mode=mode, read_timeout_seconds=TIMEOUT_SECONDS, **asks)


async def call(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return result, text


async def city_of(client, record):
    result, text = await call(client, "get_record", **TABLE, recordId=record)
    expect(not result.is_error, f"get_record: {text}")
    return result.structured_content["record"]["fields"].get("City")


async def questions(client):
    result, text = await call(client, "list_tables", base="Crew")
    expect(not result.is_error and "people" in text, f"list_tables: {text}")
    result, text = await call(client, "aggregate_records", **TABLE, groupBy=[{"field": "City"}])
    groups = {group["keys"][0]: group["values"][0] for group in result.structured_content["groups"]}
    expect(groups == {"London": 2, "Paris": 1}, f"aggregate_records: {groups}")
    result, text = await call(client, "search_records", query="compilers")
    expect(not result.is_error and "Grace" in text, f"search_records: {text}")
    result, text = await call(client, "list_records", **TABLE, filter=[{"field": "Name", "op": "=", "value": "Ada"}])
    expect(not result.is_error and len(result.structured_content["records"]) == 1, f"list_records: {text}")
    return result.structured_content["records"][0]["id"]


def change(record, city):
    return {**TABLE, "records": [{"recordId": record, "fields": {"City": city}}]}


async def accepting(command, mode):
    user = User("accept")
    async with connect(command, mode, user) as client:
        emit("connected", mode=mode, protocolVersion=client.protocol_version)
        record = await questions(client)
        result, text = await call(client, "update_records", **change(record, "Paris"), dryRun=True)
        expect(result.structured_content["status"] == "proposed" and not user.asked, f"dryRun: {text}")
        expect(await city_of(client, record) == "London", "a dry run changed something")
        result, text = await call(client, "update_records", **change(record, "Paris"))
        expect(not result.is_error and result.structured_content["status"] == "done", f"update_records: {text}")
        expect(len(user.asked) == 1 and "London" in user.asked[0] and "Paris" in user.asked[0], f"asked: {user.asked}")
        expect(await city_of(client, record) == "Paris", "nothing was changed")
        transaction = result.structured_content["transaction"]
        expect(str(transaction) in text, f"the answer does not name its transaction: {text}")
        result, text = await call(client, "revert", transaction=transaction)
        expect(not result.is_error and result.structured_content["status"] == "done", f"revert: {text}")
        expect(len(user.asked) == 2, f"asked: {user.asked}")
        expect(await city_of(client, record) == "London", "it was not taken back")
        emit("changed and undone", mode=mode, questions=user.asked)
        return record


async def declining(command, mode, record):
    user = User("decline")
    async with connect(command, mode, user) as client:
        result, text = await call(client, "update_records", **change(record, "Rome"))
        expect(result.structured_content["status"] == "declined" and len(user.asked) == 1, f"declined: {text}")
        expect(await city_of(client, record) == "London", "it was changed against the user's word")
        emit("declined", mode=mode)


async def unable(command, mode, record):
    async with connect(command, mode, None) as client:
        result, text = await call(client, "update_records", **change(record, "Rome"))
        expect(result.is_error, f"a client that cannot ask changed something: {text}")
        expect(await city_of(client, record) == "London", "it was changed without a word")
        emit("refused", mode=mode, text=text)


async def main(command):
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    for mode in ("auto", "legacy"):
        record = await accepting(command, mode)
        await declining(command, mode, record)
        await unable(command, mode, record)
    expect(not complaints.messages, f"the SDK complains: {complaints.messages}")
    emit("done")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except BaseException as error:  # noqa: BLE001: whatever it is ends the program with a line
        print(f"{type(first_cause(error)).__name__}: {first_cause(error)}", file=sys.stderr)
        sys.exit(1)
