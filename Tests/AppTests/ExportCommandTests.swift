import Domain
import Foundation
import TestSupport
import Testing

@Suite("Exporting by command")
struct ExportCommandTests {
    @Test(
        "a base is written to a file, and another data directory makes the same base of it",
        arguments: DatabaseKind.allCases
    )
    func base(_ kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let kitchen = repositoryRoot.appendingPathComponent("Tests/AppTests/Answers/kitchen").path
                let first = ["--data", directory.path + "/first", "--database-url", database]
                let second = ["--data", directory.path + "/second"]
                let imported = try await Binary.run(["import", "--json", kitchen] + first)
                let name = try #require(try imported.json().first?["base"]?.stringValue, "\(imported.errors)")
                let files = ["a", "b"].map { directory.path + "/\($0).base.jsonl" }
                let written = try await Binary.run(["export", name, "--output", files[0]] + first)
                #expect(written.status == 0, "\(written.errors)")
                let read = try await Binary.run(["import", "--json", files[0]] + second)
                #expect(read.status == 0, "\(read.errors)")
                #expect(try read.json().first?["baseId"] == imported.json().first?["baseId"])
                #expect(try await Binary.run(["export", name, "--output", files[1]] + second).status == 0)
                let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
                // All but the first line, which says when.
                let lines = texts.map { $0.split(separator: "\n").dropFirst() }
                #expect(lines[0].count > 10 && lines[0] == lines[1])
                let doctor = try await Binary.run(["doctor", "--verify", "--json", "--embedder", "hash"] + second)
                #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
            }
        }
    }

    @Test("a table goes to standard output as CSV, and wrong options are told")
    func table() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("Things.csv")
            try Data("Name,Size\nA,1\nB,2\n=C,3\n".utf8).write(to: file)
            let data = ["--data", directory.path + "/data"]
            #expect(try await Binary.run(["import", file.path] + data).status == 0)
            let all = try await Binary.run(["export", "Things", "--table", "things"] + data)
            #expect(all.output == "Name,Size\r\nA,1\r\nB,2\r\n'=C,3\r\n")
            let some = try await Binary.run(
                [
                    "export", "Things", "--table", "Things", "--filter", "{Size}>1", "--sort", "Size:desc", "--field",
                    "Name",
                    "--keep-formulas",
                ] + data
            )
            #expect(some.output == "Name\r\n=C\r\nB\r\n")
            let lines = try await Binary.run(
                ["export", "Things", "--table", "Things", "--format", "jsonl", "--max-records", "1"] + data
            )
            #expect(try lines.json().first?["fields"] == ["Name": "A", "Size": 1])
            let misplaced = try await Binary.run(["export", "Things", "--format", "csv"] + data)
            #expect(misplaced.status == 2 && misplaced.errors.contains("--table"))
            let unknown = try await Binary.run(["export", "Nothing"] + data)
            #expect(unknown.status == 3 && unknown.errors.contains("no such base"))
            let left = try FileManager.default.contentsOfDirectory(atPath: directory.path + "/data/spool")
            #expect(left.isEmpty)
        }
    }
}
