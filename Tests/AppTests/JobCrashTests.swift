import Domain
import Foundation
import TestSupport
import Testing

/// An embedding job whose processes are killed at random moments comes to its end, in any of them.
@Suite("Crashes of embedding jobs")
struct JobCrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let points = isLong ? 30 : 3
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    @Test(
        "killed anywhere a job goes on, its progress only rises, and the index equals the store",
        arguments: DatabaseKind.allCases
    )
    func jobs(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database, "--embedder", "hash"]
                let file = directory.appendingPathComponent("Base.csv")
                let rows = (0..<4_000).map { "Row \($0),some words about number \($0)" }
                try Data(("Name,Text\n" + rows.joined(separator: "\n") + "\n").utf8).write(to: file)
                #expect(try await Binary.run(["import", file.path] + options).status == 0)
                let started = try await Binary.run(
                    ["jobs", "embed", "--base", "Base", "--no-wait", "--json"] + options
                )
                #expect(started.status == 0, "\(started.errors)")
                let id = try #require(try started.json().first?["id"]?.stringValue)
                var done = 0
                for point in 0..<Self.points {
                    let comment = "seed \(Self.seed), point \(point)"
                    let server = try Binary.Running(
                        ["serve", "--bind", "127.0.0.1:0", "--admin-bind", "off", "--json"] + options
                    )
                    try await Task.sleep(for: .milliseconds(Int.random(in: 1...900, using: &generator)))
                    server.kill()
                    _ = await server.result()
                    let job = try await shown(id, options)
                    let now = job["done"]?.intValue ?? -1
                    #expect(now >= done, "\(comment): \(job.text)")
                    #expect(job["state"] != "failed", "\(comment): \(job.text)")
                    done = max(done, now)
                }
                let last = try Binary.Running(
                    ["serve", "--bind", "127.0.0.1:0", "--admin-bind", "off", "--json"] + options
                )
                defer { last.kill() }
                // The job may be done already; a signal before the server listens would just kill it.
                try await eventually("the server is ready", timeout: .seconds(60)) { last.output.contains("\n") }
                try await eventually("the job is done", timeout: .seconds(120)) {
                    try await shown(id, options)["state"] == "succeeded"
                }
                last.terminate()
                #expect(await last.result().status == 0, "the server ends in order")
                let job = try await shown(id, options)
                #expect(job["done"] == 4_000 && job["total"] == 4_000, "\(job.text)")
                let index = try await Binary.run(["index", "--json"] + options)
                #expect(index.status == 0, "\(index.errors)")
                let doctor = try await Binary.run(["doctor", "--verify", "--json"] + options)
                #expect(doctor.status == 0, "seed \(Self.seed): \(doctor.output)\(doctor.errors)")
            }
        }
    }

    private func shown(_ id: String, _ options: [String]) async throws -> JSONValue {
        let shown = try await Binary.run(["jobs", "show", id, "--json"] + options)
        #expect(shown.status == 0, "\(shown.errors)")
        return try #require(try shown.json().first)
    }
}
