import Domain
import Foundation
import TestSupport
import Testing

/// Killed while files come in, the server has every file that it acknowledged, and no cell names one that is not there.
@Suite("Crashes of uploads")
struct AttachmentCrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let points = isLong ? 20 : 2
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)
    private static let python = repositoryRoot.appendingPathComponent(".venv/bin/python")
    private static let script = repositoryRoot.appendingPathComponent("Tests/Clients/airtable_uploads.py").path

    @Test("lose no acknowledged file, and leave no cell without its bytes", arguments: DatabaseKind.allCases)
    func killed(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: Self.seed)
        var acknowledged = ""
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let data = directory.path + "/data"
                try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
                let settings = #"{"outboundAllow":"127.0.0.1/32","acceptAnyWorkspace":"on"}"#
                try Data(settings.utf8).write(to: URL(fileURLWithPath: data + "/config.json"))
                let options = ["--database-url", database, "--embedder", "hash"]
                for point in 0..<Self.points {
                    let comment = "seed \(Self.seed), point \(point)"
                    acknowledged += try await withServer(data: data, adding: options) { url, key, server in
                        let load = try Binary.Running([Self.script, "load", url, key], program: Self.python)
                        try await eventually("files come in", timeout: .seconds(60)) {
                            load.output.contains("\n") || !load.process.isRunning
                        }
                        let delay = Int.random(in: 1...800, using: &generator)
                        try await Task.sleep(for: .milliseconds(delay))
                        server.kill()
                        let end = await load.result()
                        #expect(end.status == 0, "\(comment): \(end.errors)")
                        return end.output
                    }
                    #expect(!acknowledged.isEmpty, "\(comment)")
                    let told = acknowledged
                    try await withServer(data: data, adding: options) { url, key, _ in
                        let check = try await Binary.run(
                            [Self.script, "check", url, key],
                            input: told,
                            program: Self.python
                        )
                        #expect(check.status == 0, "\(comment): \(check.output)\(check.errors)")
                    }
                    let doctor = try await Binary.run(["doctor", "--verify", "--json", "--data", data] + options)
                    #expect(doctor.status == 0, "\(comment): \(doctor.output)\(doctor.errors)")
                }
            }
        }
    }
}
