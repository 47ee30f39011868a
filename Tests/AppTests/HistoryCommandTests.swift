import Domain
import Foundation
import TestSupport
import Testing

@Suite("history and undo")
struct HistoryCommandTests {
    @Test("show what a server wrote, and take it back unless something stands against it")
    func throughServer() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("Things.csv")
            try Data("Name,Kind\nA,x\nB,y\n".utf8).write(to: file)
            let options = ["--data", directory.path + "/data"]
            #expect(try await Binary.run(["import", file.path] + options).status == 0)
            let hash = ["--embedder", "hash"]
            let made = Guarded<[String: String]>([:])
            try await withServer(data: directory.path + "/data", adding: hash) { url, key, _ in
                let bases = try await Self.send("GET", url + "/v0/meta/bases", key)
                let base = try #require(bases["bases"]?[0]?["id"]?.stringValue)
                let records = try await Self.send("GET", "\(url)/v0/\(base)/Things", key)
                let record = try #require(records["records"]?[0]?["id"]?.stringValue)
                let body = #"{"fields":{"Kind":"\u001b[2Jz\nfalse  entry"},"typecast":true}"#
                _ = try await Self.send("PATCH", "\(url)/v0/\(base)/Things/\(record)", key, body)
                made.value = ["base": base, "record": record]
            }
            let record = try #require(made.value["record"])
            let ofRecord = ["--table", "things", "--record", record]
            let json = try await Binary.run(["history", "things", "--json", "--limit", "1"] + ofRecord + options)
            let entry = try #require(try json.json().first?["entries"]?[0])
            #expect(entry["kind"] == "updated" && entry["recordId"] == .string(record))
            #expect(entry["cells"]?[0]?["fieldName"] == "Kind" && entry["cells"]?[0]?["before"] == "x")
            let text = try await Binary.run(["history", "Things"] + ofRecord + options)
            #expect(text.status == 0)
            #expect(text.output.contains("owner  updated \(record) of Things  Kind: x → "))
            // What a cell says does not command the terminal.
            #expect(!text.output.contains("\u{1b}"))
            #expect(text.output.contains("z false  entry\n"))
            let number = try #require(entry["transaction"]?.intValue)
            let undone = try await Binary.run(["undo", "\(number)", "--json"] + options)
            #expect(try undone.json().first?["records"] == 1, "\(undone.errors)")
            let again = try await Binary.run(["undo", "\(number)"] + options)
            #expect(again.status == 1 && again.output.isEmpty)
            #expect(again.errors.hasPrefix("\(record): changed, by transaction "))
            let unknown = try await Binary.run(["undo", "99999"] + options)
            #expect(unknown.status == 3)
        }
    }

    @Test("misuse is told, and no data directory is made")
    func misuse() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--data", directory.path + "/data"]
            for arguments in [
                ["history"], ["history", "B", "--limit", "0"], ["history", "B", "--record", "recAAAAAAAAAAAAAA"],
                ["history", "B", "--table", "T", "--record", "x"], ["undo"], ["undo", "x"],
            ] {
                let misused = try await Binary.run(arguments + options)
                #expect(misused.status == 2, "\(arguments)")
            }
            let nowhere = try await Binary.run(["history", "B"] + options)
            #expect(nowhere.status == 3)
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/data"))
        }
    }

    static func send(
        _ method: String,
        _ address: String,
        _ key: String,
        _ body: String? = nil
    ) async throws -> JSONValue {
        let json = ["-H", "Content-Type: application/json"]
        let reply = try await Binary.run(
            ["-sS", "--fail-with-body", "-X", method, address, "-H", "Authorization: Bearer \(key)"]
                + (body.map { json + ["-d", $0] } ?? []),
            program: URL(fileURLWithPath: "/usr/bin/curl")
        )
        guard reply.status == 0 else { throw TestSupportError("\(address): \(reply.output)\(reply.errors)") }
        return try JSONValue(parsing: reply.output)
    }
}
