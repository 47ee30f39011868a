import Domain
import Foundation
import TestSupport
import Testing

@Suite("Importing by command")
struct ImportCommandTests {
    private func write(_ text: String, to url: URL) throws -> String {
        try Data(text.utf8).write(to: url)
        return url.path
    }

    @Test("a file broken at line 70,002 leaves nothing, and its line is named", arguments: DatabaseKind.allCases)
    func broken(kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                var rows = (1...100_000).map { "row \($0),\($0)" }
                rows[70_000] = "row 70001,1,too many"
                let url = directory.appendingPathComponent("Rows.csv")
                let file = try write("Name,Number\n" + rows.joined(separator: "\n"), to: url)
                let options = ["--data", directory.path + "/data", "--database-url", database]
                let result = try await Binary.run(["import", "--json", file] + options)
                #expect(result.status == 1)
                #expect(
                    try JSONValue(parsing: result.errors)["error"]?["message"]?.stringValue?.contains("line 70002")
                        == true
                )
                let again = try await Binary.run(["import", "--json", "--skip-bad-rows", file] + options)
                let report = try #require(try again.json().first)
                #expect(report["tables"]?[0]?["records"]?.intValue == 99_999)
                #expect(report["tables"]?[0]?["skipped"]?.intValue == 1)
                let doctor = try await Binary.run(["doctor", "--verify", "--json", "--embedder", "hash"] + options)
                #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
            }
        }
    }

    @Test("refuses a base that is there, and replaces, appends or leaves it alone when told")
    func modes() async throws {
        try await withTemporaryDirectory { directory in
            let file = try write("Name,Kind\nA,x\nB,y\n", to: directory.appendingPathComponent("Things.csv"))
            let data = ["--data", directory.path + "/data", "--json"]
            func records(_ flags: [String]) async throws -> Int? {
                let result = try await Binary.run(["import", file] + flags + data)
                return try result.json().first?["tables"]?[0]?["records"]?.intValue
            }
            #expect(try await records([]) == 2)
            let refused = try await Binary.run(["import", file] + data)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("--append"))
            let absent = try await Binary.run(["import", file, "--if-absent"] + data)
            #expect(try absent.json().first?["outcome"]?.stringValue == "alreadyThere")
            let more = try await Binary.run(["import", file, "--append", "--data", directory.path + "/data"])
            let number = try #require(more.output.firstMatch(of: /`undo ([0-9]+)` takes it back/)?.output.1)
            let undone = try await Binary.run(["undo", String(number)] + data)
            #expect(try undone.json().first?["records"] == 2, "\(undone.errors)")
            #expect(try await records(["--append"]) == 2)
            #expect(try await records(["--replace"]) == 2)
            let dry = try await Binary.run(["import", file, "--dry-run"] + data)
            #expect(try dry.json().first?["outcome"]?.stringValue == "dryRun")
            #expect(try dry.json().first?["tables"]?[0]?["fields"]?[0]?["primary"]?.boolValue == true)
        }
    }

    @Test("a cell too long for any field is one bad row, named by its line, whatever its type")
    func longCell() async throws {
        try await withTemporaryDirectory { directory in
            let long = String(repeating: "é", count: 100_001)
            let url = directory.appendingPathComponent("Notes.csv")
            let file = try write("Name,Note\nA,short\nB,\(long)\nC,short\n", to: url)
            let data = ["--data", directory.path + "/data", "--json"]
            let refused = try await Binary.run(["import", file] + data)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("line 3, column \\\"Note\\\""), "\(refused.errors)")
            let kept = try await Binary.run(["import", "--skip-bad-rows", file] + data)
            #expect(try kept.json().first?["tables"]?[0]?["records"]?.intValue == 2, "\(kept.errors)")
        }
    }

    @Test("a link cell may be one name with a comma in it, or several names")
    func commasInLinks() async throws {
        try await withTemporaryDirectory { directory in
            let folder = directory.appendingPathComponent("Library")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            _ = try write(
                #"{"name":"Library","tables":[{"name":"Books","file":"Books.csv","fields":{"#
                    + #""By":{"type":"multipleRecordLinks","table":"People"}}},{"name":"People","file":"People.csv"}]}"#,
                to: folder.appendingPathComponent("base.json")
            )
            _ = try write("Name\n\"Smith, John\"\nAda\n", to: folder.appendingPathComponent("People.csv"))
            _ = try write(
                "Name,By\nOne,\"Smith, John\"\nTwo,\"Ada, \"\"Smith, John\"\"\"\nThree,Ada\n",
                to: folder.appendingPathComponent("Books.csv")
            )
            let options = ["--data", directory.path + "/data", "--embedder", "hash"]
            let made = try await Binary.run(["import", folder.path] + options)
            #expect(made.status == 0, "\(made.errors)")
            let client = try await MCPProcess(options)
            defer { client.kill() }
            let books = try await client.tool("list_records", ["base": "Library", "table": "Books"])
            let counts = books["records"]?.arrayValue?.map { $0["fields"]?["By"]?.arrayValue?.count }
            #expect(counts == [1, 2, 1])
        }
    }
}
