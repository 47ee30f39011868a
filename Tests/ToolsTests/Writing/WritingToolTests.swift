import Access
import Airtable
import Domain
import Foundation
import TestSupport
import Testing

@testable import Tools

@Suite("Writing tools")
struct WritingToolTests {
    private func cell(_ world: WritingFixture, _ id: RecordID, _ field: String) async throws -> JSONValue? {
        let record = try await world.airtable.record(id, in: world.tasks.id, context: world.context)
        let table = try await world.airtable.table(id: world.tasks.id, context: world.context)
        return CellCodec.fields(of: record, table: table)[field]
    }

    private func ids(_ result: ToolResult) -> [RecordID] {
        (result.structured?["records"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue.flatMap { RecordID($0) } }
    }

    @Test(
        "records are created, changed, upserted and deleted, and the answer tells each",
        arguments: DatabaseKind.allCases
    )
    func records(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            let place: JSONObject = ["base": "Work", "table": "Tasks"]
            func with(_ members: JSONObject) -> JSONObject {
                place.merging(members)
            }
            let made = try await world.call(
                "create_records",
                with(["records": [["Name": "a", "Hours": 1], ["Name": "b", "State": "brand new"]], "typecast": true])
            )
            let created = ids(made)
            #expect(created.count == 2 && made.structured?["created"] == 2 && made.structured?["status"] == "done")
            #expect(made.text.contains(created[0].description) && made.text.contains("revert with transaction"))
            #expect(try await cell(world, created[1], "State") == "brand new")
            // Fills an empty cell, and what is as wanted already is told as such.
            let filled = try await world.call(
                "update_records",
                with([
                    "records": [
                        ["recordId": .string(created[1].description), "fields": ["Hours": 5]],
                        ["recordId": .string(created[0].description), "fields": ["Hours": 1]],
                    ]
                ])
            )
            #expect(
                filled.structured?["records"]?.arrayValue?.map { $0["outcome"]?.stringValue } == [
                    "updated", "unchanged",
                ]
            )
            let same = try await world.call(
                "update_records",
                with(["records": [["recordId": .string(created[0].description), "fields": ["Hours": 1]]]])
            )
            #expect(same.structured?["status"] == "unchanged")
            let caller = AskedCaller.agreeing
            let upserted = try await world.call(
                "upsert_records",
                with(["mergeOn": ["Name"], "records": [["Name": "a", "Hours": 9], ["Name": "c"]]]),
                caller
            )
            #expect(
                upserted.structured?["records"]?.arrayValue?.map { $0["outcome"]?.stringValue } == [
                    "updated", "created",
                ]
            )
            #expect(caller.messages.count == 1 && caller.messages[0].contains("“Hours”: “1” → “9”"))
            let deleted = try await world.call(
                "delete_records",
                with(["recordIds": [.string(created[0].description), .string(created[1].description)]]),
                caller
            )
            #expect(deleted.structured?["deleted"] == 2)
            #expect(caller.messages.last?.hasPrefix("Delete 2 records in “Tasks (base Work)”?") == true)
            #expect(try await world.state().count == 1)
        }
    }

    @Test("what became of a change is logged to the program, in numbers and without text of records")
    func logging() async throws {
        try await withWriting { world in
            let caller = AskedCaller.agreeing
            let place: JSONObject = ["base": "Work", "table": "Tasks"]
            let secret = place.merging(["records": [["Name": "secret"]], "idempotencyKey": "once"])
            let made = try await world.call("create_records", secret, caller)
            let transaction = try #require(made.structured?["transaction"])
            let entry = AskedCaller.LogEntry(
                level: .debug,
                logger: "create_records",
                data: ["transaction": transaction, "records": 1]
            )
            #expect(caller.logs == [entry])
            // Nothing happens the second time, nor in a dry run.
            _ = try await world.call("create_records", secret, caller)
            _ = try await world.call(
                "create_records",
                place.merging(["records": [["Name": "b"]], "dryRun": true]),
                caller
            )
            #expect(caller.logs == [entry])
            let declining = AskedCaller.declining
            let content: JSONValue = .string("Name\n" + (0..<11).map { "r\($0)\n" }.joined())
            let rows = place.merging(["format": "csv", "content": content])
            _ = try await world.call("import_data", rows, declining)
            _ = try await world.call(
                "delete_records",
                place.merging(["recordIds": [.string(ids(made)[0].description)]]),
                declining
            )
            #expect(declining.logs.map(\.logger) == ["import_data", "delete_records"])
            #expect(declining.logs.allSatisfy { $0.level == .info && $0.data == ["declined": true] })
        }
    }

    @Test("a comment is written, a file is attached by its content or by its id, never by an address")
    func commentsAndFiles() async throws {
        try await withWriting { world in
            let id = try await world.make(world.tasks, ["Name": "a"])[0]
            let place: JSONObject = ["base": "Work", "table": "Tasks", "recordId": .string(id.description)]
            let comment = try await world.call("create_comment", place.merging(["text": "hello"]))
            #expect(comment.structured?["made"]?[0]?["kind"] == "comment")
            #expect(try await world.comments(id) == ["hello"])
            let content = Data("some bytes".utf8).base64EncodedString()
            let file: JSONObject = ["field": "Files", "content": .string(content), "filename": "a.txt"]
            let dry = try await world.call("upload_attachment", place.merging(file).merging(["dryRun": true]))
            #expect(dry.structured?["status"] == "proposed")
            #expect(try await cell(world, id, "Files") == nil)
            _ = try await world.call("upload_attachment", place.merging(file))
            let stored = try #require(try await cell(world, id, "Files")?[0]?["id"]?.stringValue)
            let second = try await world.make(world.tasks, ["Name": "b"])[0]
            _ = try await world.call(
                "upload_attachment",
                [
                    "base": "Work", "table": "Tasks", "recordId": .string(second.description), "field": "Files",
                    "attachmentId": .string(stored),
                ]
            )
            #expect(try await cell(world, second, "Files")?[0]?["filename"] == "a.txt")
            for wrong: JSONObject in [
                ["field": "Files"], ["field": "Files", "attachmentId": "https://example.test/a.png"],
                ["field": "Files", "content": "%%%", "filename": "x"], ["field": "Files", "content": .string(content)],
                ["field": "Name", "content": .string(content), "filename": "x"],
                ["field": "Files", "attachmentId": .string(AttachmentID.random().description)],
            ] {
                #expect(try await world.call("upload_attachment", place.merging(wrong)).isError, "\(wrong)")
            }
            let address: JSONObject = ["Files": [["url": "https://example.test/a.png"]]]
            let fetched = try await world.call(
                "create_records",
                ["base": "Work", "table": "Tasks", "records": [.object(address)]]
            )
            #expect(fetched.isError && fetched.text.contains("upload_attachment"))
        }
    }

    @Test("bases, tables and fields are made and changed")
    func design() async throws {
        try await withWriting { world in
            let caller = AskedCaller.agreeing
            let field: JSONValue = ["name": "Name", "type": "singleLineText"]
            let base = try await world.call(
                "create_base",
                ["name": "New", "tables": [["name": "T", "fields": [field]]]],
                caller
            )
            #expect(base.structured?["made"]?[0]?["kind"] == "base", "\(base.text)")
            let table = try await world.call("create_table", ["base": "New", "name": "U", "fields": [field]], caller)
            #expect(table.structured?["made"]?[0]?["name"] == "U", "\(table.text)")
            let link: JSONObject = [
                "base": "New", "table": "U", "name": "Link", "type": "multipleRecordLinks",
                "options": ["linkedTableId": "T"],
            ]
            _ = try await world.call("create_field", link, caller)
            #expect(caller.questions.isEmpty)
            _ = try await world.call("update_table", ["base": "New", "table": "U", "name": "V"], caller)
            let changed: JSONObject = ["base": "New", "table": "V", "field": "Link", "name": "To T"]
            _ = try await world.call("update_field", changed, caller)
            try #require(caller.messages.count == 2)
            #expect(caller.messages[1].contains("Field “Link” is renamed to “To T”."))
            let place = try await world.airtable.base("New", context: world.context)
            let tables = try await world.airtable.tables(in: place.id, context: world.context)
            #expect(tables.map(\.name) == ["T", "V"] && tables[1].fields.map(\.name) == ["Name", "To T"])
            let wrong = try await world.call("update_field", ["base": "New", "table": "V", "field": "To", "name": "x"])
            #expect(wrong.isError && wrong.text.contains("'To'"))
            for (tool, arguments): (String, JSONObject) in [
                ("create_base", ["name": "Work", "tables": [["name": "T", "fields": [field]]]]),
                ("create_table", ["base": "New", "name": "V", "fields": [field]]),
                ("create_field", ["base": "New", "table": "V", "name": "x", "type": "singleLineTex"]),
            ] {
                let result = try await world.call(tool, arguments, caller)
                #expect(result.isError, "\(tool): \(result.text)")
            }
        }
    }

    @Test("every writing tool can be asked what it would do, and does nothing then", arguments: WriteMode.allCases)
    func dryRuns(_ mode: WriteMode) async throws {
        try await withWriting(mode: mode) { world in
            let made = try await world.make(world.tasks, ["Name": "a"])
            let number = try await world.sequence()
            let record = JSONValue.string(made[0].description)
            let place: JSONObject = ["base": "Work", "table": "Tasks"]
            let field: JSONValue = ["name": "Name", "type": "singleLineText"]
            let calls: [(String, JSONObject)] = [
                ("create_records", place.merging(["records": [["Name": "x"]]])),
                ("update_records", place.merging(["records": [["recordId": record, "fields": ["Name": "x"]]]])),
                ("upsert_records", place.merging(["mergeOn": ["Name"], "records": [["Name": "a", "Hours": 3]]])),
                ("delete_records", place.merging(["recordIds": [record]])),
                ("import_data", place.merging(["format": "csv", "content": "Name,Hours\nx,1\n"])),
                (
                    "upload_attachment",
                    place.merging(["recordId": record, "field": "Files", "content": "YWJj", "filename": "a.txt"])
                ),
                ("create_comment", place.merging(["recordId": record, "text": "x"])),
                ("create_base", ["name": "X", "tables": [["name": "T", "fields": [field]]]]),
                ("create_table", ["base": "Work", "name": "T", "fields": [field]]),
                ("update_table", place.merging(["name": "T"])),
                ("create_field", place.merging(["name": "F", "type": "url"])),
                ("update_field", place.merging(["field": "Name", "name": "F"])),
                ("revert", ["transaction": .number(JSONNumber(Int(number)))]),
            ]
            let writing = Set(world.tools.definitions.filter { !$0.annotations.readOnlyHint }.map(\.name))
            guard mode != .off else {
                #expect(writing.isEmpty)
                for (tool, arguments) in calls {
                    await #expect(throws: ToolProviderError.self) { _ = try await world.call(tool, arguments) }
                }
                return
            }
            #expect(writing == Set(calls.map(\.0)))
            let before = try await world.state()
            for (tool, arguments) in calls {
                let result = try await world.call(tool, arguments.merging(["dryRun": true]))
                #expect(!result.isError && result.structured?["status"] == "proposed", "\(tool): \(result.text)")
                let hash = try #require(result.structured?["proposal"]?["hash"]?.stringValue)
                #expect(hash.count == 64 && result.text.contains(hash) == (mode == .dryRun), "\(tool)")
            }
            #expect(try await world.sequence() == number)
            #expect(try await world.state() == before)
            #expect(try await world.comments(made[0]).isEmpty)
            #expect(try await world.airtable.bases(context: world.context).map(\.name) == ["Work"])
        }
    }

    @Test("every call asks for its own permission, and for no other")
    func permissions() async throws {
        try await withWriting(mode: .dryRun) { world in
            for tool in world.tools.definitions where !tool.annotations.readOnlyHint {
                let others = world.context(with: Set(Permission.allCases).subtracting([tool.permission]))
                let result = try await world.call(tool.name, [:], context: others)
                #expect(result.isError && result.text.contains(tool.permission.rawValue), "\(tool.name)")
                let own = world.context(with: [tool.permission])
                #expect(try await world.tools.tools(context: own).map(\.name).contains(tool.name))
            }
        }
    }

    @Test("what is hidden from the caller is not in a question, an answer or a refusal")
    func hidden() async throws {
        try await withWriting { world in
            let id = try await world.make(world.tasks, ["Name": "a", "Note": "zqsecretzq"])[0]
            let note = try #require(world.tasks.field("Note"))
            var sight = Reach()
            sight.excludedFields = [world.tasks.id: [note.id]]
            let tools = world.other(.asking, sight)
            let caller = AskedCaller.declining
            let place: JSONObject = ["base": "Work", "table": "Tasks"]
            for (tool, arguments): (String, JSONObject) in [
                ("delete_records", place.merging(["recordIds": [.string(id.description)]])),
                (
                    "update_records",
                    place.merging(["records": [["recordId": .string(id.description), "fields": ["Name": "b"]]]])
                ),
                (
                    "update_records",
                    place.merging(["records": [["recordId": .string(id.description), "fields": ["Note": "b"]]]])
                ),
            ] {
                let result = try await world.call(tool, arguments, caller, tools: tools)
                #expect(!"\(result)".contains("zq"))
                let dry = try await world.call(tool, arguments.merging(["dryRun": true]), caller, tools: tools)
                #expect(!"\(dry)".contains("zq"))
            }
            #expect(caller.messages.count == 2 && !"\(caller.messages)".contains("zq"))
        }
    }
}

extension JSONObject {
    func merging(_ other: JSONObject) -> JSONObject {
        var result = self
        for (key, value) in other { result[key] = value }
        return result
    }
}
