import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Calls that are done once")
struct WriteOnceTests {
    @Test(
        "a call that comes again with its key is answered as before, and nothing is written",
        arguments: DatabaseKind.allCases
    )
    func again(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            let arguments: JSONObject = [
                "base": "Work", "table": "Tasks", "records": [["Name": "a"], ["Name": "b"]], "idempotencyKey": "k1",
            ]
            let first = try await world.call("create_records", arguments)
            #expect(first.structured?["created"] == 2 && first.structured?["repeated"] == nil)
            let sequence = try await world.sequence()
            let second = try await world.call("create_records", arguments)
            #expect(second.structured?["records"] == first.structured?["records"])
            #expect(second.structured?["transaction"] == first.structured?["transaction"])
            #expect(second.structured?["repeated"] == true && second.data.hasSuffix(first.data))
            // With other arguments it is a mistake; another tool, and another caller, have keys of their own.
            let other = try await world.call("create_records", arguments.merging(["records": [["Name": "c"]]]))
            #expect(other.isError && other.text.contains("idempotencyKey"))
            #expect(try await world.sequence() == sequence)
            let byKey = try await world.byKey()
            #expect(try await world.call("create_records", arguments, context: byKey).structured?["created"] == 2)
            #expect(try await world.sequence() == sequence + 2)
        }
    }

    @Test("nobody is asked twice for what is done, and what was refused can be tried again with its key")
    func asking() async throws {
        try await withWriting { world in
            let id = try await world.make(world.tasks, ["Name": "a"])[0]
            let arguments: JSONObject = [
                "base": "Work", "table": "Tasks", "recordIds": [.string(id.description)], "idempotencyKey": "k",
            ]
            #expect(try await world.call("delete_records", arguments).isError)
            let no = AskedCaller.declining
            #expect(try await world.call("delete_records", arguments, no).structured?["status"] == "declined")
            let dry = try await world.call("delete_records", arguments.merging(["dryRun": true]))
            #expect(dry.structured?["status"] == "proposed")
            let yes = AskedCaller.agreeing
            #expect(try await world.call("delete_records", arguments, yes).structured?["deleted"] == 1)
            // The record is gone; the answer is still the first one.
            let again = try await world.call("delete_records", arguments, yes)
            #expect(again.structured?["deleted"] == 1 && yes.questions.count == 1)
        }
    }

    @Test("of many at once one does it")
    func race() async throws {
        try await withWriting { world in
            let arguments: JSONObject = [
                "base": "Work", "table": "Tasks", "records": [["Name": "a"]], "idempotencyKey": "k",
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { _ = try await world.call("create_records", arguments) }
                }
                try await group.waitForAll()
            }
            #expect(try await world.state().count == 1)
        }
    }
}
