import Airtable
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Tools

@Suite("Agreeing to changes")
struct ConsentTests {
    private static func place(_ members: JSONObject) -> JSONObject {
        (["base": "Work", "table": "Tasks"] as JSONObject).merging(members)
    }

    private static func deletion(_ ids: [RecordID]) -> JSONObject {
        place(["recordIds": .array(ids.map { .string($0.description) })])
    }

    @Test(
        "LLM-03: what overwrites, deletes or takes back is asked about, and everything over ten records; nothing else is"
    )
    func policy() async throws {
        try await withWriting { world in
            _ = try await world.make(world.tasks, ["Name": "spare"])
            let spare = try await world.sequence()
            let ids = try await world.make(world.tasks, ["Name": "a", "State": "new"], ["Name": "b"])
            func update(_ fields: JSONObject) -> JSONObject {
                Self.place(["records": [["recordId": .string(ids[0].description), "fields": .object(fields)]]])
            }
            func drafts(_ count: Int) -> JSONObject {
                Self.place(["records": .array((0..<count).map { ["Name": .string("\($0)")] })])
            }
            let calls: [(tool: String, arguments: JSONObject, asks: Bool)] = [
                ("create_records", drafts(10), false), ("create_records", drafts(11), true),
                ("update_records", update(["Hours": 1]), false), ("update_records", update(["Hours": 2]), true),
                ("update_records", update(["Hours": .null]), true), ("update_records", update(["Done": true]), false),
                ("update_records", update(["Done": false]), true),
                (
                    "upsert_records",
                    Self.place(["mergeOn": ["Name"], "records": [["Name": "b", "Hours": 2], ["Name": "z"]]]), false
                ),
                (
                    "upsert_records", Self.place(["mergeOn": ["Name"], "records": [["Name": "b", "Hours": 3]]]), true
                ),
                ("delete_records", Self.deletion([ids[1]]), true),
                ("revert", ["transaction": .number(JSONNumber(Int(spare)))], true),
            ]
            for call in calls {
                let caller = AskedCaller.agreeing
                let result = try await world.call(call.tool, call.arguments, caller)
                #expect(!result.isError && result.structured?["status"] == "done", "\(call): \(result.text)")
                #expect(caller.questions.count == (call.asks ? 1 : 0), "\(call)")
            }
        }
    }

    @Test("no is no, silence is no, and a form without the tick is no")
    func refusals() async throws {
        try await withWriting { world in
            let ids = try await world.make(world.tasks, ["Name": "a"])
            let sequence = try await world.sequence()
            let answers: [CallerAnswer] = [
                .declined, .cancelled, .accepted(["confirm": false]), .accepted([:]), .accepted(["confirm": "true"]),
                .result(["confirm": true]),
            ]
            for answer in answers {
                let result = try await world.call("delete_records", Self.deletion(ids), AskedCaller { _ in answer })
                #expect(!result.isError && result.structured?["status"] == "declined", "\(answer)")
                #expect(result.text.contains("Nothing was changed"))
            }
            await #expect(throws: CancellationError.self) {
                _ = try await world.call(
                    "delete_records",
                    Self.deletion(ids),
                    AskedCaller { _ in throw CancellationError() }
                )
            }
            let deaf = AskedCaller { _ in throw CallerError.unanswered("no answer came") }
            #expect(try await world.call("delete_records", Self.deletion(ids), deaf).isError)
            for mute in [AskedCaller(abilities: [.sampling, .url, .roots]) { _ in .accepted(["confirm": true]) }] {
                let result = try await world.call("delete_records", Self.deletion(ids), mute)
                #expect(result.isError && result.text.contains("--writes dry-run") && mute.questions.isEmpty)
            }
            #expect(try await world.call("delete_records", Self.deletion(ids)).isError)
            // Arguments agree to nothing.
            for extra in ["confirm", "confirmed", "approved"] {
                let result = try await world.call(
                    "delete_records",
                    Self.deletion(ids).merging([extra: .string(String(repeating: "a", count: 64))])
                )
                #expect(result.isError && result.text.contains(extra), "\(result.text)")
            }
            #expect(try await world.sequence() == sequence)
        }
    }

    @Test("who is asked by an answer comes again, and is asked again when the records have changed meanwhile")
    func rounds() async throws {
        try await withWriting { world in
            let ids = try await world.make(world.tasks, ["Name": "a"], ["Name": "b"])
            let arguments = Self.deletion(ids)
            func question(_ caller: ReturningCaller) async throws -> InputRequired? {
                do {
                    _ = try await world.call("delete_records", arguments, caller)
                    return nil
                } catch let question as InputRequired { return question }
            }
            let first = try #require(try await question(ReturningCaller()))
            let again = try #require(try await question(ReturningCaller()))
            #expect(first == again, "the same change is the same question")
            let sequence = try await world.sequence()
            let key = try #require(first.questions.first?.key)
            _ = try await world.airtable.update(
                [RecordUpdate(id: ids[0], fields: ["Hours": 7])],
                in: world.tasks.id,
                context: world.context
            )
            let yes = CallerAnswer.accepted(["confirm": true])
            let second = try #require(try await question(ReturningCaller([key: yes], kept: first.kept)))
            #expect(second != first && second.questions.first?.key != key)
            // An answer to another question is none.
            _ = try #require(try await question(ReturningCaller([key: yes], kept: second.kept)))
            let newKey = try #require(second.questions.first?.key)
            let forged = try await world.call(
                "delete_records",
                arguments,
                ReturningCaller([newKey: yes], kept: first.kept)
            )
            #expect(forged.structured?["status"] == "declined")
            #expect(try await world.sequence() == sequence + 1)
            let no = ReturningCaller([newKey: .declined], kept: second.kept)
            #expect(try await world.call("delete_records", arguments, no).structured?["status"] == "declined")
            let done = try await world.call(
                "delete_records",
                arguments,
                ReturningCaller([newKey: yes], kept: second.kept)
            )
            #expect(done.structured?["deleted"] == 2)
            #expect(try await world.state().isEmpty)
        }
    }

    @Test(
        "LLM-03: records that change while somebody is asked are asked about again; whoever never agrees to what is, changes nothing"
    )
    func changedMeanwhile() async throws {
        try await withWriting { world in
            let ids = try await world.make(world.tasks, ["Name": "a", "Hours": 1])
            let rounds = Mutex(0)
            let caller = AskedCaller { _ in
                let round = rounds.withLock { count in
                    count += 1
                    return count
                }
                guard round == 1 else { return .accepted(["confirm": true]) }
                _ = try await world.airtable.update(
                    [RecordUpdate(id: ids[0], fields: ["Hours": 2])],
                    in: world.tasks.id,
                    context: world.context
                )
                return .accepted(["confirm": true])
            }
            let arguments = Self.place([
                "records": [["recordId": .string(ids[0].description), "fields": ["Hours": 3]]]
            ])
            let result = try await world.call("update_records", arguments, caller)
            #expect(result.structured?["status"] == "done")
            #expect(caller.messages.map { $0.contains("“1” → “3”") } == [true, false])
            #expect(caller.messages[1].contains("“2” → “3”"))
            // Somebody else is always faster: it ends, and nothing was overwritten.
            let hours = Mutex(10)
            let chased = AskedCaller { _ in
                let next = hours.withLock { count in
                    count += 1
                    return count
                }
                _ = try await world.airtable.update(
                    [RecordUpdate(id: ids[0], fields: ["Hours": .number(JSONNumber(next))])],
                    in: world.tasks.id,
                    context: world.context
                )
                return .accepted(["confirm": true])
            }
            let more = Self.place([
                "records": [["recordId": .string(ids[0].description), "fields": ["Hours": 99]]]
            ])
            let lost = try await world.call("update_records", more, chased)
            #expect(lost.isError && lost.text.contains(ids[0].description), "\(lost.text)")
            #expect(chased.questions.count == Limits.proposalRounds)
            let record = try await world.airtable.record(ids[0], in: world.tasks.id, context: world.context)
            #expect(
                CellCodec.fields(of: record, table: world.tasks)["Hours"]
                    == .number(JSONNumber(10 + Limits.proposalRounds))
            )
        }
    }

    @Test(
        "a question shows the count, a bounded diff, and text of records only between its marks, with what hides shown"
    )
    func message() async throws {
        try await withWriting { world in
            let evil = "x”\nDelete nothing?\n\u{202E}gnihton\u{200B}" + String(repeating: "y", count: 500)
            let drafts = (0..<42).map { _ in RecordDraft(fields: ["Name": .string(evil)]) }
            let ids = try await world.airtable.create(drafts, in: world.tasks.id, context: world.context).map(\.id)
            let caller = AskedCaller.declining
            _ = try await world.call("delete_records", Self.deletion(ids), caller)
            let message = try #require(caller.messages.first)
            let lines = message.split(separator: "\n")
            #expect(lines[0] == "Delete 42 records in “Tasks (base Work)”?")
            #expect(lines.count == 12 && lines[11] == "… and 32 more")
            for line in lines[1...10] {
                #expect(line.hasPrefix("- delete “x'") && line.count < 250, "\(line)")
                #expect(line.filter { $0 == "”" }.count == 1 && line.contains("\\u{202E}"))
            }
            guard case .form(_, let schema) = caller.questions[0].content else { return }
            #expect(schema.json["properties"]?["confirm"]?["title"] == "Delete 42 records")
            #expect(schema.json["additionalProperties"] == nil)
        }
    }

    @Test(
        "LLM-03: dry-run mode: a hash is taken once, from whom it was given to, for unchanged records, within ten minutes"
    )
    func hashes() async throws {
        try await withWriting(mode: .dryRun) { world in
            let ids = try await world.make(world.tasks, ["Name": "a"], ["Name": "b"], ["Name": "c"])
            func hash(_ arguments: JSONObject, _ context: RequestContext? = nil) async throws -> JSONValue {
                let result = try await world.call(
                    "delete_records",
                    arguments.merging(["dryRun": true]),
                    context: context
                )
                return try #require(result.structured?["proposal"]?["hash"])
            }
            func confirm(_ arguments: JSONObject, _ hash: JSONValue, _ context: RequestContext? = nil) async throws
                -> ToolResult
            {
                try await world.call("delete_records", arguments.merging(["confirm": hash]), context: context)
            }
            let (a, b) = (Self.deletion([ids[0]]), Self.deletion([ids[1]]))
            let sequence = try await world.sequence()
            // Without, told how; guessed, of another change, somebody else's: refused.
            let plain = try await world.call("delete_records", a)
            #expect(plain.isError && plain.text.contains("dryRun"))
            #expect(try await confirm(a, .string(String(repeating: "0", count: 64))).isError)
            #expect(try await confirm(b, try await hash(a)).isError)
            let byKey = try await world.byKey()
            let mine = try await hash(a)
            #expect(try await confirm(a, mine, byKey).isError)
            // A hash that was tried on another change is used up.
            let used = try await hash(a)
            #expect(try await confirm(b, used).isError)
            #expect(try await confirm(a, used).isError)
            // Changed meanwhile.
            let changed = try await hash(a)
            _ = try await world.airtable.update(
                [RecordUpdate(id: ids[0], fields: ["Hours": 1])],
                in: world.tasks.id,
                context: world.context
            )
            #expect(try await confirm(a, changed).isError)
            // Too late, and just in time.
            let late = try await hash(a)
            world.clock.advance(seconds: Limits.proposalSeconds)
            #expect(try await confirm(a, late).isError)
            #expect(try await world.sequence() == sequence + 1)
            let good = try await hash(a)
            world.clock.advance(seconds: Limits.proposalSeconds - 1)
            let done = try await confirm(a, good)
            #expect(done.structured?["deleted"] == 1, "\(done.text)")
            #expect(try await confirm(a, good).isError)
            // Who can be asked is asked.
            let caller = AskedCaller.agreeing
            #expect(try await world.call("delete_records", b, caller).structured?["deleted"] == 1)
            #expect(caller.questions.count == 1)
        }
    }

    @Test("hashes that nobody gave back make room, the oldest first")
    func bounded() async throws {
        try await withWriting(mode: .dryRun) { world in
            let handed = HandedProposals()
            let now = world.clock.instant
            let end = Instant(microseconds: now.microseconds + 1)
            for number in 0...Limits.handedProposals {
                handed.add("\(number)", until: end, now: now, for: world.context)
            }
            #expect(!handed.take("0", now: now, for: world.context))
            #expect(handed.take("1", now: now, for: world.context))
            #expect(!handed.take("1", now: now, for: world.context))
            #expect(!handed.take("2", now: end, for: world.context))
        }
    }
}
