import Access
import Airtable
import Domain
import Foundation
import TestSupport
import Testing

@testable import Tools

@Suite("Importing by a tool")
struct ImportDataTests {
    private static func csv(_ rows: Int) -> String {
        "Name,Hours\n" + (0..<rows).map { "r\($0),\($0)\n" }.joined()
    }

    @Test("rows come into a table that is there, and into a new one", arguments: DatabaseKind.allCases)
    func imports(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            let place: JSONObject = ["base": "Work", "table": "Tasks", "format": "csv"]
            let small = try await world.call("import_data", place.merging(["content": .string(Self.csv(10))]))
            #expect(small.structured?["created"] == 10, "\(small.text)")
            let large = place.merging(["content": .string(Self.csv(11))])
            #expect(try await world.call("import_data", large).isError)
            let no = AskedCaller.declining
            #expect(try await world.call("import_data", large, no).structured?["status"] == "declined")
            #expect(no.messages[0].hasPrefix("Import 11 rows into “Tasks (base Work)”?"))
            #expect(try await world.state().count == 10)
            let yes = AskedCaller.agreeing
            #expect(try await world.call("import_data", large, yes).structured?["created"] == 11)
            let json: JSONObject = [
                "base": "Work", "table": "Places", "format": "json", "content": #"[{"City":"Oslo","Size":3}]"#,
            ]
            let designer = world.context(with: world.context.principal.permissions.subtracting([.schemaWrite]))
            #expect(try await world.call("import_data", json, context: designer).isError)
            let made = try await world.call("import_data", json)
            #expect(made.structured?["made"]?[0]?["name"] == "Places")
            let broken = try await world.call("import_data", place.merging(["content": "Name,Hours\nx,many\n"]))
            #expect(broken.isError && broken.text.contains("line"))
        }
    }

    @Test("rows for a table there is are taken back by revert", arguments: DatabaseKind.allCases)
    func reverted(_ kind: DatabaseKind) async throws {
        try await withWriting(kind) { world in
            _ = try await world.make(world.projects, ["Name": "p"])
            _ = try await world.make(world.tasks, ["Name": "mine"])
            let before = try await world.state()
            let rows = (0..<40).map { "t\($0),\($0),new,\($0 % 3 == 0 ? "p" : "")\n" }.joined()
            let place: JSONObject = ["base": "Work", "table": "Tasks", "format": "csv"]
            let content: JSONObject = ["content": .string("Name,Hours,State,Project\n" + rows)]
            let caller = AskedCaller.agreeing
            let imported = try await world.call("import_data", place.merging(content), caller)
            #expect(imported.structured?["created"] == 40, "\(imported.text)")
            #expect(!caller.messages[0].contains("revert"))
            let number = try #require(imported.structured?["transaction"]?.intValue)
            #expect(imported.text.contains("revert with transaction \(number) takes this back."))
            let transaction = JSONValue.number(JSONNumber(number))
            let after = try await world.state()
            #expect(after.count == before.count + 40)
            // Who may not delete records takes none away.
            let writer = world.context(with: world.context.principal.permissions.subtracting([.recordsDelete]))
            let refused = try await world.call("revert", ["transaction": transaction], caller, context: writer)
            #expect(refused.isError && refused.text.contains("records:delete"), "\(refused.text)")
            let changed = try #require(after.values.first { before[$0.id] == nil }?.id)
            _ = try await world.airtable.update(
                [RecordUpdate(id: changed, fields: ["Note": "mine now"])],
                in: world.tasks.id,
                context: world.context
            )
            let conflict = try await world.call("revert", ["transaction": transaction], caller)
            #expect(conflict.structured?["conflicts"]?[0]?["record"]?.stringValue == changed.description)
            #expect(try await world.state().count == after.count)
            _ = try await world.airtable.update(
                [RecordUpdate(id: changed, fields: ["Note": .null])],
                in: world.tasks.id,
                context: world.context
            )
            let questions = caller.questions.count
            let reverted = try await world.call("revert", ["transaction": transaction], caller)
            #expect(reverted.structured?["deleted"] == 40, "\(reverted.text)")
            #expect(caller.questions.count == questions + 1, "the user is asked")
            #expect(try await world.state() == before)
        }
    }

    @Test("of a new table the user hears first, and the program then, that revert leaves it, and what does not")
    func notReverted() async throws {
        try await withWriting { world in
            let rows = (0..<11).map { "p\($0)\n" }.joined()
            let place: JSONObject = ["base": "Work", "table": "Places", "format": "csv"]
            let caller = AskedCaller.agreeing
            let made = try await world.call(
                "import_data",
                place.merging(["content": .string("City\n" + rows)]),
                caller
            )
            #expect(caller.messages[0].hasSuffix("revert does not take this import back."))
            #expect(made.structured?["status"] == "done" && made.structured?["transaction"] == nil)
            for part in ["revert does not take this back", "delete_records", "DELETE /api/v1/airtable/bases"] {
                #expect(made.text.contains(part), "\(made.text)")
            }
            let number = JSONValue.number(JSONNumber(Int(try await world.sequence())))
            let refused = try await world.call("revert", ["transaction": number], caller)
            #expect(refused.structured?["status"] == "conflict")
            #expect(refused.structured?["conflicts"]?[0]?["reason"] == "imported")
            #expect(refused.text.contains("delete_records") && refused.text.contains("DELETE /api/v1/airtable"))
            #expect(caller.questions.count == 1)
        }
    }

    @Test("who has a part of the table only is told so before anybody is asked, and of nothing that is hidden")
    func parts() async throws {
        try await withWriting { world in
            var sight = Reach()
            sight.excludedFields = [world.tasks.id: [try #require(world.tasks.field("Note")).id]]
            let tools = world.other(.asking, sight)
            let place: JSONObject = ["base": "Work", "table": "Tasks", "format": "csv"]
            for rows in [2, 20] {
                for dryRun in [true, false] {
                    let call = place.merging(["content": .string(Self.csv(rows)), "dryRun": .bool(dryRun)])
                    let caller = AskedCaller.agreeing
                    let refused = try await world.call("import_data", call, caller, tools: tools)
                    #expect(refused.isError && caller.questions.isEmpty, "\(refused.text)")
                    #expect(refused.text.contains("records:write for the whole of table \"Tasks\""))
                    #expect(refused.text.contains("write single records instead") && !refused.text.contains("Note"))
                }
            }
            let written = try await world.call(
                "create_records",
                ["base": "Work", "table": "Tasks", "records": [["Name": "a"]]],
                tools: tools
            )
            #expect(written.structured?["created"] == 1, "as the refusal says")
        }
    }

    @Test("a file is read below the import directory only, whatever it is called by")
    func files() async throws {
        try await withWriting { world in
            let root = world.directory.appendingPathComponent("imports")
            let outside = world.directory.appendingPathComponent("secret.csv")
            let files = FileManager.default
            try Self.csv(2).write(to: root.appendingPathComponent("good.csv"), atomically: true, encoding: .utf8)
            try Self.csv(3).write(to: outside, atomically: true, encoding: .utf8)
            try files.createDirectory(at: root.appendingPathComponent("inner"), withIntermediateDirectories: true)
            try files.createSymbolicLink(at: root.appendingPathComponent("link.csv"), withDestinationURL: outside)
            try files.createSymbolicLink(at: root.appendingPathComponent("up"), withDestinationURL: world.directory)
            try files.createSymbolicLink(
                at: root.appendingPathComponent("inner/good.csv"),
                withDestinationURL: root.appendingPathComponent("good.csv")
            )
            // A neighbour whose name begins like the directory's.
            let neighbour = world.directory.appendingPathComponent("imports-private")
            try files.createDirectory(at: neighbour, withIntermediateDirectories: true)
            try Self.csv(3).write(to: neighbour.appendingPathComponent("x.csv"), atomically: true, encoding: .utf8)
            let place: JSONObject = ["base": "Work", "table": "Tasks", "format": "csv"]
            for name in [
                "good.csv", "inner/../good.csv", "inner/good.csv", root.appendingPathComponent("good.csv").path,
            ] {
                let result = try await world.call("import_data", place.merging(["file": .string(name)]))
                #expect(result.structured?["created"] == 2, "\(name): \(result.text)")
            }
            let refused = [
                outside.path, "../secret.csv", "link.csv", "up/secret.csv", "nothing.csv", "inner", ".", "",
                "../imports-private/x.csv", "/etc/hostname", "good.csv\u{0}x",
            ]
            var messages: Set<String> = []
            for name in refused {
                let result = try await world.call("import_data", place.merging(["file": .string(name)]))
                #expect(result.isError, "\(name)")
                messages.insert(result.text)
            }
            #expect(messages.count == 1, "nothing is told of what else there is: \(messages)")
            #expect(try await world.state().count == 8)
        }
    }

    @Test("a file that is another by the time somebody has agreed is asked about again")
    func swapped() async throws {
        try await withWriting { world in
            let file = world.directory.appendingPathComponent("imports/a.csv")
            try Self.csv(11).write(to: file, atomically: true, encoding: .utf8)
            let arguments: JSONObject = ["base": "Work", "table": "Tasks", "format": "csv", "file": "a.csv"]
            var first: InputRequired?
            do { _ = try await world.call("import_data", arguments, ReturningCaller()) } catch let question
                as InputRequired
            {
                first = question
            }
            let asked = try #require(first)
            try Self.csv(12).write(to: file, atomically: true, encoding: .utf8)
            let key = try #require(asked.questions.first?.key)
            await #expect(throws: InputRequired.self) {
                let caller = ReturningCaller([key: .accepted(["confirm": true])], kept: asked.kept)
                _ = try await world.call("import_data", arguments, caller)
            }
            #expect(try await world.state().isEmpty)
        }
    }

    @Test("a server without an import directory takes no file at all")
    func closed() async throws {
        try await withWriting { world in
            let tool = ImportDataTool(
                desk: WriteDesk(airtable: world.airtable, mode: .asking, services: WritingServices()),
                root: nil
            )
            #expect(tool.definition.inputSchema.json["properties"]?["file"] == nil)
            #expect(tool.definition.inputSchema.json["required"] == ["base", "table", "format", "content"])
            let result = try await tool.call(
                ["base": "Work", "table": "Tasks", "format": "csv", "content": "Name\nx\n", "file": "x"],
                checkedBy: tool.argumentsSchema,
                caller: SilentCaller(),
                context: world.context
            )
            #expect(result.isError)
        }
    }
}
