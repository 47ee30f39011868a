import Domain
import Foundation
import TestSupport
import Testing

/// A server at saturation for minutes, a twentieth of its clients hostile (`Tests/Clients/siege.py`).
@Suite("Sieges", .enabled(if: ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"))
struct SiegeTests {
    private static let seconds = ProcessInfo.processInfo.environment["PYAIRTABLE_SIEGE_SECONDS"] ?? "600"
    private static let python = repositoryRoot.appendingPathComponent(".venv/bin/python")
    private static let script = repositoryRoot.appendingPathComponent("Tests/Clients/siege.py").path

    @Test("GW-14: honest clients get answers or a 503 that says when to come back, and memory stays bounded")
    func saturation() async throws {
        try await withSiegedServer { url, key, server, _ in
            let load = try await Binary.run(
                [Self.script, "load", url, key, "\(server.process.processIdentifier)", Self.seconds],
                program: Self.python,
                timeout: 900
            )
            let report = try #require(try load.json().first, "\(load.errors.suffix(2_000))")
            #expect(report["unfitCount"] == 0, "\(report)")
            #expect(report["broken"] == 0, "\(report)")
            let memory = try #require(report["memoryMegabytes"])
            let (first, last) = (try #require(memory["first"]?.doubleValue), try #require(memory["last"]?.doubleValue))
            // Each record that came is in the index: its vector, its place in the graph, its text.
            let records = try #require(report["acknowledged"]?.doubleValue) * 0.004
            #expect(last < first * 1.3 + 30 + records, "memory grows: \(report)")
            let alone = try #require(report["aloneP99Milliseconds"])
            let (before, after) = (
                try #require(alone["before"]?.doubleValue), try #require(alone["fiveSecondsAfter"]?.doubleValue)
            )
            #expect(after < before * 2 + 5, "five seconds later it is still slow: \(report)")
        }
    }

    @Test("GW-13: SIGTERM under load ends with 0, and every acknowledged write is there")
    func drain() async throws {
        try await withSiegedServer { url, key, server, restart in
            let load = try Binary.Running(
                [Self.script, "load", url, key, "\(server.process.processIdentifier)", "600"],
                program: Self.python
            )
            try await eventually("writes are acknowledged", timeout: .seconds(60)) {
                load.errors.split(separator: "\n").count > 500 || !load.process.isRunning
            }
            server.terminate()
            let end = await server.result(timeout: 45)
            #expect(end.status == 0 && !end.wasKilled, "\(end.errors.suffix(2_000))")
            load.kill()
            let acknowledged = await load.result().errors
            try await restart { url in
                let check = try await Binary.run(
                    [Self.script, "check", url, key],
                    input: acknowledged,
                    program: Self.python
                )
                #expect(check.status == 0, "\(check.output)\(check.errors)")
            }
        }
    }

    private func withSiegedServer(
        _ body: (String, String, Binary.Running, _ restart: ((String) async throws -> Void) async throws -> Void)
            async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            // One client address and one key make all the load.
            let settings = #"{"acceptAnyWorkspace":"on","requestLimits":"off"}"#
            try Data(settings.utf8).write(to: URL(fileURLWithPath: data + "/config.json"))
            let options = ["--embedder", "hash"]
            try await withServer(data: data, adding: options) { url, key, server in
                try await body(url, key, server) { check in
                    try await withServer(data: data, adding: options) { url, _, _ in try await check(url) }
                }
            }
        }
    }
}
