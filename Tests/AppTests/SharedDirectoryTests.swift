import Domain
import Foundation
import TestSupport
import Testing

/// Several processes of ours on one data directory, as people run them: a server, two AI clients and an import.
@Suite("Processes on one data directory")
struct SharedDirectoryTests {
    private func rows(_ range: Range<Int>) -> Data {
        let lines = range.map { "Row \($0),\"a sentence about item \($0) of the list\"" }
        return Data(("Name,Text\n" + lines.joined(separator: "\n") + "\n").utf8)
    }

    @Test(
        "serve, two mcp and an import at once: nobody sees a torn index, and all see all",
        arguments: DatabaseKind.allCases
    )
    func together(kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let shared = ["--database-url", database, "--embedder", "hash"]
                let data = directory.path + "/data"
                let options = ["--data", data] + shared
                let file = directory.appendingPathComponent("Base.csv")
                try rows(0..<300).write(to: file)
                #expect(try await Binary.run(["import", file.path] + options).status == 0)
                #expect(try await Binary.run(["index"] + options).status == 0)

                try await withServer(data: data, adding: shared) { url, key, _ in
                    let clients = [try await MCPProcess(options), try await MCPProcess(options)]
                    defer { for client in clients { client.kill() } }
                    let doors: [@Sendable (String) async throws -> [String]] = [
                        { query in Self.names(try await Self.post(url, key, query)) },
                        { query in Self.names(try await clients[0].tool("search_records", ["query": .string(query)])) },
                        { query in Self.names(try await clients[1].tool("search_records", ["query": .string(query)])) },
                    ]

                    // Searched all the time while the import writes, and every search finds what was always there.
                    try rows(1_000..<13_000).write(to: file)
                    let importing = try Binary.Running(["import", "--append", "--json", file.path] + options)
                    defer { importing.kill() }
                    var searches = 0
                    while importing.process.isRunning || searches < 30 {
                        let row = 7 + searches % 250
                        for door in doors { #expect(try await door("item \(row)").contains("Row \(row)")) }
                        searches += 1
                    }
                    let imported = await importing.result()
                    #expect(imported.status == 0, "\(imported.errors)")

                    for row in [1_000, 6_500, 12_999] {
                        for (number, door) in doors.enumerated() {
                            try await eventually("door \(number) finds row \(row)", timeout: .seconds(60)) {
                                try await door("item \(row)").contains("Row \(row)")
                            }
                        }
                    }
                    // One more, by another process still: no waiting for the next thing to happen.
                    try rows(50_000..<50_001).write(to: file)
                    #expect(try await Binary.run(["import", "--append", file.path] + options).status == 0)
                    for (number, door) in doors.enumerated() {
                        try await eventually("door \(number) finds the last row") {
                            try await door("item 50000").contains("Row 50000")
                        }
                    }
                    for client in clients { #expect(client.strayLines == []) }
                    let beside = try await Binary.run(["doctor", "--verify", "--json"] + options)
                    #expect(beside.status == 0, "\(beside.output)\(beside.errors)")
                }
                let after = try await Binary.run(["doctor", "--verify", "--json"] + options)
                #expect(after.status == 0, "\(after.output)\(after.errors)")
            }
        }
    }

    private static func post(_ url: String, _ key: String, _ query: String) async throws -> JSONValue {
        let reply = try await Binary.run(
            [
                "-sS", "--fail-with-body", "\(url)/api/v1/search", "-H", "Authorization: Bearer \(key)",
                "-H", "Content-Type: application/json", "-d", JSONValue.object(["query": .string(query)]).text,
            ],
            program: URL(fileURLWithPath: "/usr/bin/curl")
        )
        guard reply.status == 0 else { throw TestSupportError("\(query): \(reply.output)\(reply.errors)") }
        return try JSONValue(parsing: reply.output)
    }

    private static func names(_ answer: JSONValue) -> [String] {
        answer["hits"]?.arrayValue?.compactMap { $0["fields"]?["Name"]?.stringValue } ?? []
    }
}
