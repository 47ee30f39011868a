import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Taking changes back")
struct RevertTests {
    @Test(
        "an upsert of 5,000 records is one transaction, and taking it back restores every cell",
        arguments: DatabaseKind.allCases
    )
    func large(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            let projects = try await world.make(world.projects, ["Name": "p"], ["Name": "q"])
            for start in stride(from: 0, to: 2_500, by: 500) {
                let drafts = (start..<start + 500)
                    .map { number in
                        RecordDraft(fields: [
                            "Name": .string("t\(number)"), "Hours": .number(JSONNumber(number)),
                            "Project": [.string(projects[number % 2].description)],
                        ])
                    }
                _ = try await world.airtable.create(drafts, in: world.tasks.id, context: world.context)
            }
            let before = try await world.state()
            let records = (0..<5_000)
                .map { number -> JSONValue in
                    [
                        "Name": .string("t\(number)"), "Hours": .number(JSONNumber(number + 1)), "State": "old",
                        "Project": [.string(projects[(number + 1) % 2].description)],
                    ]
                }
            let caller = AskedCaller.agreeing
            let upserted = try await world.call(
                "upsert_records",
                ["base": "Work", "table": "Tasks", "mergeOn": ["Name"], "records": .array(records)],
                caller
            )
            try #require(!upserted.isError, "\(upserted.text)")
            #expect(upserted.structured?["created"] == 2_500 && upserted.structured?["updated"] == 2_500)
            #expect(upserted.structured?["records"]?.arrayValue?.count == Limits.reportedRecords)
            #expect(caller.progress.last?.done == 5_000)
            #expect(caller.messages[0].hasPrefix("Create 2500 records, change 2500 records in"))
            let after = try await world.state()
            #expect(after.count == 5_002 && after != before)
            let number = try #require(upserted.structured?["transaction"])
            let reverted = try await world.call("revert", ["transaction": number], caller)
            #expect(reverted.structured?["status"] == "done", "\(reverted.text)")
            #expect(reverted.structured?["deleted"] == 2_500)
            #expect(try await world.state() == before)
            let redo = try #require(reverted.structured?["transaction"])
            _ = try await world.call("revert", ["transaction": redo], caller)
            #expect(try await world.state() == after)
        }
    }

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
}
