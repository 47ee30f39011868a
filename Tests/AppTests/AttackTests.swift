import Domain
import Foundation
import TestSupport
import Testing

/// The server attacked from outside, by `Tests/Clients/attacks`, which knows nothing but the API document.
@Suite("Attacks from outside")
struct AttackTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let python = repositoryRoot.appendingPathComponent(".venv/bin/python")
    private static let script = repositoryRoot.appendingPathComponent("Tests/Clients/attacks/run.py").path

    @Test(
        "AUTHZ-03, AUTHZ-08: what is another tenant's is answered like what does not exist, on every route",
        arguments: DatabaseKind.allCases
    )
    func isolation(kind: DatabaseKind) async throws { try await attack(kind, ["isolation"]) }

    @Test(
        "every attack is held off: forged tokens, refresh races, guessing, injection, framing, slow clients, foreign pages",
        .enabled(if: isLong),
        arguments: DatabaseKind.allCases
    )
    func everything(kind: DatabaseKind) async throws { try await attack(kind, ["--long"]) }

    private func attack(_ kind: DatabaseKind, _ arguments: [String]) async throws {
        try await withDatabaseURL(kind) { database in
            try await withTemporaryDirectory { directory in
                let data = directory.path + "/data"
                try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
                // Callers come from many addresses, and nobody has to wait for mail.
                let settings = """
                    {"registration":"open","trustedProxies":"127.0.0.1/32"}
                    """
                try Data(settings.utf8).write(to: URL(fileURLWithPath: data + "/config.json"))
                let options = ["--database-url", database, "--embedder", "hash"]
                try await withServer(data: data, adding: options) { url, _, server in
                    let attack = try await Binary.run(
                        [Self.script, url] + arguments,
                        program: Self.python,
                        timeout: Self.isLong ? 3_000 : 240
                    )
                    #expect(attack.status == 0, "\(attack.output)\(attack.errors)")
                    server.terminate()
                    let end = await server.result()
                    #expect(end.status == 0 && !end.wasKilled, "\(end.errors.suffix(2_000))")
                }
            }
        }
    }
}
