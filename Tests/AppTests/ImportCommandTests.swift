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
            #expect(try await records(["--append"]) == 2)
            #expect(try await records(["--replace"]) == 2)
            let dry = try await Binary.run(["import", file, "--dry-run"] + data)
            #expect(try dry.json().first?["outcome"]?.stringValue == "dryRun")
            #expect(try dry.json().first?["tables"]?[0]?["fields"]?[0]?["primary"]?.boolValue == true)
        }
    }
}
