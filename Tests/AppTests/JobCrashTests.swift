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

    @Test(
        "killed anywhere, a model elsewhere is asked for one batch of texts more at most each time",
        arguments: DatabaseKind.allCases
    )
    func remote(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        let service = try CountingEmbeddingServer()
        defer { service.stop() }
        let environment = [
            "OPENAI_BASE_URL": service.url + "/v1", "PYAIRTABLE_EMBEDDING_MODEL": "openai/counting@8",
        ]
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let options = ["--data", directory.path + "/data", "--database-url", database]
                let file = directory.appendingPathComponent("Base.csv")
                let rows = (0..<3_000).map { "Row \($0),some words about number \($0)" }
                try Data(("Name,Text\n" + rows.joined(separator: "\n") + "\n").utf8).write(to: file)
                let imported = try await Binary.run(["import", file.path] + options, adding: environment)
                #expect(imported.status == 0, "\(imported.errors)")
                let server = ["serve", "--bind", "127.0.0.1:0", "--admin-bind", "off", "--json"] + options
                for _ in 0..<Self.points {
                    let doomed = try Binary.Running(server, adding: environment)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 1...900, using: &generator)))
                    doomed.kill()
                    _ = await doomed.result()
                }
                let index = try await Binary.run(["index", "--json"] + options, adding: environment)
                #expect(index.status == 0, "\(index.errors)")
                let readings = service.readings
                #expect(readings.count >= 3_000)
                let excess = readings.values.reduce(0) { $0 + $1 - 1 }
                #expect(
                    excess <= Self.points * Limits.embeddingTextsUnderWay,
                    "seed \(Self.seed): \(excess) texts were asked for again"
                )
            }
        }
    }

    private func shown(_ id: String, _ options: [String]) async throws -> JSONValue {
        let shown = try await Binary.run(["jobs", "show", id, "--json"] + options)
        #expect(shown.status == 0, "\(shown.errors)")
        return try #require(try shown.json().first)
    }
}

/// Counts how often each text is asked for, in OpenAI's dialect. Each answer takes some milliseconds, as real ones do.
private final class CountingEmbeddingServer: Sendable {
    private let counts = Guarded<[String: Int]>([:])
    private let server: RawServer

    var url: String { server.url }
    var readings: [String: Int] { counts.value }

    init() throws {
        server = try RawServer { [counts] peer in
            while let request = try peer.request() {
                let texts = (try JSONValue(parsing: request.bodyText)["input"]?.arrayValue ?? [])
                    .compactMap(\.stringValue)
                counts.update { for text in texts { $0[text, default: 0] += 1 } }
                usleep(10_000)
                let rows = texts.indices.map { position in
                    let vector = (0..<8).map { texts[position].utf8.count % 7 == $0 ? "1" : "0.25" }
                    return "{\"index\":\(position),\"embedding\":[\(vector.joined(separator: ","))]}"
                }
                try peer.reply(
                    200,
                    "{\"data\":[\(rows.joined(separator: ","))],\"usage\":{\"prompt_tokens\":\(texts.count)}}"
                )
            }
        }
    }

    func stop() { server.stop() }
}
