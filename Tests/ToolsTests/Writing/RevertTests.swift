import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Taking changes back")
struct RevertTests {
    @Test("what was changed since is told, and not overwritten", arguments: DatabaseKind.allCases)
    func conflict(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            let ids = try await world.make(world.tasks, ["Name": "a"], ["Name": "b"], ["Name": "c"])
            let caller = AskedCaller.agreeing
            let updates = ids.map { ["recordId": .string($0.description), "fields": ["Name": "x"]] as JSONValue }
            let changed = try await world.call(
                "update_records",
                ["base": "Work", "table": "Tasks", "records": .array(updates)],
                caller
            )
            let number = try #require(changed.structured?["transaction"])
            _ = try await world.airtable.update(
                [RecordUpdate(id: ids[1], fields: ["Name": "mine"])],
                in: world.tasks.id,
                context: world.context
            )
            let state = try await world.state()
            let questions = caller.questions.count
            for dryRun in [false, true] {
                let result = try await world.call(
                    "revert",
                    ["transaction": number, "dryRun": .bool(dryRun)],
                    caller
                )
                #expect(result.structured?["status"] == "conflict")
                #expect(result.structured?["conflicts"]?[0]?["record"]?.stringValue == ids[1].description)
                #expect(result.structured?["conflicts"]?[0]?["reason"] == "changed")
                #expect(result.text.contains(ids[1].description) && !result.text.contains(ids[0].description))
            }
            #expect(try await world.state() == state)
            #expect(caller.questions.count == questions, "nobody is asked for what cannot be done")
            let unknown = try await world.call("revert", ["transaction": 100_000], caller)
            #expect(unknown.isError)
        }
    }

    @Test("of what it does not take back, the answer says so at once, and revert says what does")
    func others() async throws {
        try await withWriting { world in
            let caller = AskedCaller.agreeing
            let record = try await world.make(world.tasks, ["Name": "a"])[0]
            let field: JSONValue = ["name": "Name", "type": "singleLineText"]
            let place: JSONObject = ["base": "Work", "table": "Tasks"]
            let calls: [(tool: String, arguments: JSONObject, way: String)] = [
                ("create_base", ["name": "New", "tables": [["name": "T", "fields": [field]]]], "DELETE"),
                ("create_table", ["base": "Work", "name": "U", "fields": [field]], "DELETE"),
                ("create_field", place.merging(["name": "Site", "type": "url"]), "DELETE"),
                ("update_field", place.merging(["field": "Hours", "name": "Time"]), "update_field"),
                ("update_table", place.merging(["name": "Jobs"]), "update_table"),
            ]
            for call in calls {
                let made = try await world.call(call.tool, call.arguments, caller)
                #expect(made.text.contains("revert does not take this back") && made.text.contains(call.way))
                let number = try #require(made.structured?["transaction"], "\(call.tool): \(made.text)")
                let sequence = try await world.sequence()
                let (questions, reverted) = (
                    caller.questions.count, try await world.call("revert", ["transaction": number], caller)
                )
                #expect(reverted.structured?["status"] == "conflict", "\(call.tool): \(reverted.text)")
                #expect(reverted.structured?["conflicts"]?[0]?["reason"] == "schemaChanged")
                #expect(reverted.text.contains("update_field") && reverted.text.contains("with DELETE at"))
                #expect(caller.questions.count == questions)
                #expect(try await world.sequence() == sequence)
            }
            // What is needed to do it is in the answer.
            let renamed = try await world.call(
                "update_field",
                ["base": "Work", "table": "Jobs", "field": "Time", "name": "Hours"],
                caller
            )
            #expect(renamed.text.contains("Field “Time” is renamed to “Hours”."), "\(renamed.text)")
            let comment = try await world.call(
                "create_comment",
                ["base": "Work", "table": "Jobs", "recordId": .string(record.description), "text": "x"],
                caller
            )
            #expect(comment.structured?["transaction"] == nil)
            #expect(comment.text.contains("revert does not take this back: its author can delete it"))
        }
    }

    @Test("a change and what took it back are each taken back once")
    func twice() async throws {
        try await withWriting { world in
            let record = try await world.make(world.tasks, ["Name": "a"])[0]
            let caller = AskedCaller.agreeing
            let update: JSONValue = ["recordId": .string(record.description), "fields": ["Name": "b"]]
            let changed = try await world.call(
                "update_records",
                ["base": "Work", "table": "Tasks", "records": [update]],
                caller
            )
            var number = try #require(changed.structured?["transaction"])
            for name in ["a", "b", "a"] {
                let reverted = try await world.call("revert", ["transaction": number], caller)
                #expect(reverted.structured?["updated"] == 1, "\(reverted.text)")
                let present = try await world.airtable.record(record, in: world.tasks.id, context: world.context)
                #expect(CellCodec.fields(of: present, table: world.tasks)["Name"]?.stringValue == name)
                let again = try await world.call("revert", ["transaction": number], caller)
                #expect(again.structured?["conflicts"]?[0]?["since"] == reverted.structured?["transaction"])
                number = try #require(reverted.structured?["transaction"])
            }
        }
    }
}
