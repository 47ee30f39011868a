import Domain
import Foundation
import TestSupport
import Testing

/// Killed at random moments, the product loses nothing it acknowledged, and goes on where it was.
@Suite("Crashes")
struct CrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    /// Points for each test on each database: together more than a hundred in the long run.
    private static let points = isLong ? 40 : 2

    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    private func rows(_ count: Int, from first: Int = 0) -> String {
        let lines = (first..<(first + count)).map { "Row \($0),\($0 % 7),\"some words about number \($0)\"" }
        return "Name,Group,Text\n" + lines.joined(separator: "\n") + "\n"
    }

    private func expectSound(_ options: [String], _ comment: String) async throws {
        let doctor = try await Binary.run(["doctor", "--verify", "--json"] + options)
        #expect(doctor.status == 0, "\(comment): \(doctor.output)\(doctor.errors)")
    }

    private func kill(_ arguments: [String], within milliseconds: Int, _ generator: inout SeededGenerator) async throws
        -> Binary.Result
    {
        let running = try Binary.Running(arguments)
        let delay = Int.random(in: 1...milliseconds, using: &generator)
        try await Task.sleep(for: .milliseconds(delay))
        running.kill()
        return await running.result()
    }

    /// The first cells of all records of the base's only table, read as an AI client reads them.
    private func names(_ base: String, _ options: [String]) async throws -> [String] {
        let client = try await MCPProcess(options)
        defer { client.kill() }
        var names: [String] = []
        var arguments: JSONObject = ["base": .string(base), "table": .string(base), "fields": ["Name"], "limit": 100]
        while true {
            let page = try await client.tool("list_records", arguments)
            names += page["records"]?.arrayValue?.compactMap { $0["fields"]?["Name"]?.stringValue } ?? []
            guard let cursor = page["cursor"] else { return names }
            arguments["cursor"] = cursor
        }
    }

    @Test("an import killed anywhere is whole or absent, and the next one succeeds", arguments: DatabaseKind.allCases)
    func imports(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database, "--embedder", "hash"]
                for point in 0..<Self.points {
                    let file = directory.appendingPathComponent("Base\(point).csv")
                    try Data(rows(12_000).utf8).write(to: file)
                    let killed = try await kill(["import", "--json", file.path] + options, within: 700, &generator)
                    let comment = "seed \(Self.seed), point \(point)"
                    try await expectSound(options, comment)
                    let again = try await Binary.run(["import", "--json", "--if-absent", file.path] + options)
                    #expect(again.status == 0, "\(comment): \(again.errors)")
                    let outcome = try again.json().first?["outcome"]?.stringValue
                    // What was acknowledged before the kill must be there; what was not may be.
                    if killed.output.contains("imported") { #expect(outcome == "alreadyThere", "\(comment)") }
                    let read = try await names("Base\(point)", options)
                    #expect(read == (0..<12_000).map { "Row \($0)" }, "\(comment)")
                    try await expectSound(options, comment)
                }
            }
        }
    }

    @Test(
        "rows appended by a killed import are all there or none, and the others stay",
        arguments: DatabaseKind.allCases
    )
    func appends(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database, "--embedder", "hash"]
                let file = directory.appendingPathComponent("Log.csv")
                try Data(rows(10).utf8).write(to: file)
                #expect(try await Binary.run(["import", file.path] + options).status == 0)
                var acknowledged = (0..<10).map { "Row \($0)" }
                for point in 0..<Self.points {
                    let comment = "seed \(Self.seed), point \(point)"
                    let first = 10_000 * (point + 1)
                    try Data(rows(1_500, from: first).utf8).write(to: file)
                    let attempt = (first..<first + 1_500).map { "Row \($0)" }
                    let killed = try await kill(
                        ["import", "--append", "--json", file.path] + options,
                        within: 250,
                        &generator
                    )
                    try await expectSound(options, comment)
                    let read = try await names("Log", options)
                    if killed.output.contains("imported") || read.count > acknowledged.count {
                        acknowledged += attempt
                    }
                    #expect(read == acknowledged, "\(comment): \(read.count) read, \(acknowledged.count) expected")
                }
            }
        }
    }

    private enum Victim: CaseIterable { case index, server, serverBesideImport }

    @Test(
        "indexing and serving killed anywhere go on, and the index equals the store",
        arguments: DatabaseKind.allCases
    )
    func indexing(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database, "--embedder", "hash"]
                let file = directory.appendingPathComponent("Base.csv")
                try Data(rows(3_000).utf8).write(to: file)
                #expect(try await Binary.run(["import", file.path] + options).status == 0)
                var acknowledged = (0..<3_000).map { "Row \($0)" }
                for point in 0..<(Self.points + 1) {
                    let comment = "seed \(Self.seed), point \(point)"
                    let first = 10_000 + 200 * point
                    try Data(rows(200, from: first).utf8).write(to: file)
                    let append = ["import", "--append", file.path] + options
                    let serve = ["serve", "--bind", "127.0.0.1:0", "--admin-bind", "off", "--json"] + options
                    switch Victim.allCases[point % 3] {
                    case .index:
                        #expect(try await Binary.run(append).status == 0, "\(comment)")
                        _ = try await kill(["index"] + options, within: 600, &generator)
                    case .server:
                        #expect(try await Binary.run(append).status == 0, "\(comment)")
                        _ = try await kill(serve, within: 900, &generator)
                    case .serverBesideImport:
                        let appending = try Binary.Running(append)
                        _ = try await kill(serve, within: 900, &generator)
                        #expect(await appending.result().status == 0, "\(comment)")
                    }
                    acknowledged += (first..<first + 200).map { "Row \($0)" }
                    try await expectSound(options, comment)
                    let index = try await Binary.run(["index", "--json"] + options)
                    #expect(index.status == 0, "\(comment): \(index.errors)")
                    try await expectSound(options, comment)
                    #expect(try await names("Base", options) == acknowledged, "\(comment)")
                    let found = try await Binary.run(["search", "number \(first + 7)", "--json"] + options)
                    let hits = try found.json().first?["hits"]?.arrayValue?.compactMap {
                        $0["fields"]?["Name"]?.stringValue
                    }
                    #expect(hits?.contains("Row \(first + 7)") == true, "\(comment): \(found.output)")
                }
            }
        }
    }
}
