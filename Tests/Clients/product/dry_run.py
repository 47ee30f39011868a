"""A server with `--writes dry-run`, and a client that cannot ask its user: the hash of a dry run stands for the user's word."""

from .tools import cells_of, ids, make_base
from .world import Caller, User, new_name


async def confirmations(checks, target, mode):
    async with target.connect(mode) as client:
        call = await Caller.of(checks, client)
        base = new_name("Dry run")
        await make_base(call, base)
        place = {"base": base, "table": "Tasks"}
        first, second = ids(await call("create_records", **place, records=[{"Name": "a", "Hours": 1}, {"Name": "b", "Hours": 1}]))

        def change(hours, record=first):
            return {**place, "records": [{"recordId": record, "fields": {"Hours": hours}}]}

        async def hours(record=first):
            return (await cells_of(call, place, record))["Hours"]

        async def hash_of(arguments, tool="update_records"):
            dry = await call(tool, **arguments, dryRun=True)
            checks.ours("a dry run tells its hash in words as well", dry["proposal"]["hash"] in call.text, call.text)
            return dry["proposal"]["hash"]

        async def refused(what, tool, arguments):
            text = await call.refused(tool, **arguments)
            checks.ours(f"{what}: what to do is said, and nothing is changed", "dryRun" in text and await hours() == 1
                        and await hours(second) == 1, text)

        await refused("without a hash", "update_records", change(2))
        await refused("a hash that nobody handed out", "update_records", {**change(2), "confirm": "0" * 64})
        await refused("a hash for another value", "update_records", {**change(3), "confirm": await hash_of(change(2))})
        await refused("a hash for another record", "update_records", {**change(2, second), "confirm": await hash_of(change(2))})
        await refused("a hash for another tool", "delete_records",
                      {**place, "recordIds": [first], "confirm": await hash_of(change(2))})
        kept = await hash_of(change(2))
        await refused("a hash that went to the wrong call", "update_records", {**change(9), "confirm": kept})
        await refused("and is used up by it", "update_records", {**change(2), "confirm": kept})

        kept = await hash_of(change(2))
        # Notes were empty: filling a cell needs nobody's word, and makes the record another than was looked at.
        await call("update_records", **place, records=[{"recordId": first, "fields": {"Notes": "changed"}}])
        await refused("a hash of a record that was changed since", "update_records", {**change(2), "confirm": kept})

        kept = await hash_of(change(2))
        done = await call("update_records", **change(2), confirm=kept)
        checks.ours("its hash makes the change", done["status"] == "done" and await hours() == 2, done)
        undo = {"transaction": done["transaction"]}
        await call("revert", **undo, confirm=await hash_of(undo, "revert"))
        checks.ours("and so does that of taking it back", await hours() == 1)
        await refused("a hash that was used", "update_records", {**change(2), "confirm": kept})

        many = {**place, "records": [{"Name": f"n{number}"} for number in range(11)]}
        await refused("eleven records without a hash", "create_records", many)
        made = await call("create_records", **many, confirm=await hash_of(many, "create_records"))
        checks.ours("eleven records with one", made["created"] == 11, made)
        await others(checks, target, mode, change, hash_of, hours)


async def others(checks, target, mode, change, hash_of, hours):
    """A hash is of who asked for it. Over HTTP that is a key, and another client of the key is the same caller."""
    kept = await hash_of(change(2))
    if target.transport == "http":
        other = type(target)("http", url=target.url, key=target.command[0])
        async with other.connect(mode) as client:
            text = await (await Caller.of(checks, client)).refused("update_records", **change(2), confirm=kept)
            checks.ours("a hash of somebody else", "dryRun" in text and await hours() == 1, text)
    user = User("decline")
    async with target.connect(mode, user) as client:
        call = await Caller.of(checks, client)
        answer = await call("update_records", **change(2))
        checks.ours("who can ask is asked", len(user.asked) == 1 and answer["status"] == "declined" and await hours() == 1, answer)


async def default_mode(checks, target, mode):
    """The default mode knows no hash, whatever a client sends."""
    async with target.connect(mode) as client:
        call = await Caller.of(checks, client)
        base = new_name("Asking")
        await make_base(call, base)
        place = {"base": base, "table": "Tasks"}
        record = ids(await call("create_records", **place, records=[{"Name": "a", "Hours": 1}]))[0]
        change = {**place, "records": [{"recordId": record, "fields": {"Hours": 2}}]}
        text = await call.refused("update_records", **change)
        checks.ours("who cannot ask is refused, and told what can be done", "elicitation" in text and "--writes dry-run" in text, text)
        dry = await call("update_records", **change, dryRun=True)
        text = await call.refused("update_records", **change, confirm=dry["proposal"]["hash"])
        checks.ours("a hash is no argument", "confirm" in text, text)
        checks.ours("no tool takes a hash", not any("confirm" in tool.input_schema["properties"] for tool in call.tools.values()))
        checks.ours("nothing was changed", (await cells_of(call, place, record))["Hours"] == 1)


DRY_RUN = [confirmations]
DEFAULT = [default_mode]
