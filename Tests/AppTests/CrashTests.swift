import Domain
import Foundation
import TestSupport
import Testing

/// Killed at random moments, the product loses nothing it acknowledged, and goes on where it was.
@Suite("Crashes")
struct CrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    /// Points for each of import, indexing and serving, on each database.
    private static let points = isLong ? 20 : 2

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

    @Test("an import killed anywhere is whole or absent, and the next one succeeds", arguments: DatabaseKind.allCases)
    func imports(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database, "--embedder", "hash"]
                for point in 0..<Self.points {
                    let file = directory.appendingPathComponent("Base\(point).csv")
                    try Data(rows(20_000).utf8).write(to: file)
                    let killed = try await kill(["import", "--json", file.path] + options, within: 900, &generator)
                    let comment = "seed \(Self.seed), point \(point)"
                    try await expectSound(options, comment)
                    let again = try await Binary.run(["import", "--json", "--if-absent", file.path] + options)
                    #expect(again.status == 0, "\(comment): \(again.errors)")
                    let outcome = try again.json().first?["outcome"]?.stringValue
                    // What was acknowledged before the kill must be there; what was not may be.
                    if killed.output.contains("imported") { #expect(outcome == "alreadyThere", "\(comment)") }
                    try await expectSound(options, comment)
                }
            }
        }
    }

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
                try Data(rows(5_000).utf8).write(to: file)
                #expect(try await Binary.run(["import", file.path] + options).status == 0)
                for point in 0..<Self.points {
                    let comment = "seed \(Self.seed), point \(point)"
                    let more = directory.appendingPathComponent("Base.csv")
                    try Data(rows(200, from: 10_000 + 200 * point).utf8).write(to: more)
                    #expect(
                        try await Binary.run(["import", "--append", more.path] + options).status == 0,
                        "\(comment)"
                    )
                    let doing =
                        point % 2 == 0
                        ? ["index"] : ["serve", "--bind", "127.0.0.1:0", "--admin-bind", "off", "--json"]
                    _ = try await kill(doing + options, within: 1_200, &generator)
                    let index = try await Binary.run(["index", "--json"] + options)
                    #expect(index.status == 0, "\(comment): \(index.errors)")
                    try await expectSound(options, comment)
                    let found = try await Binary.run(
                        ["search", "number \(10_000 + 200 * point + 7)", "--json"] + options
                    )
                    let names = try found.json().first?["hits"]?.arrayValue?.compactMap {
                        $0["fields"]?["Name"]?.stringValue
                    }
                    #expect(names?.contains("Row \(10_000 + 200 * point + 7)") == true, "\(comment): \(found.output)")
                }
            }
        }
    }
}
