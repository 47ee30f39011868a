import Domain
import Foundation
import TestSupport
import Testing

@Suite("audit")
struct AuditCommandTests {
    @Test("AUD-02: verify says that the log is sound, and names what was cut off; export writes it")
    func verify() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            let options = ["--data", data]
            let made = Guarded<String>("")
            try await withServer(data: data, adding: ["--embedder", "hash"]) { url, key, _ in
                made.value = key
                let answer = try await HistoryCommandTests.send("GET", url + "/api/v1/audit?action=tenant.created", key)
                #expect(answer["entries"]?.arrayValue?.count == 1)
                #expect(answer["entries"]?[0]?["sequence"] == 1)
            }
            for name in ["a", "b", "c"] {
                #expect(try await Binary.run(["key", "create", "--name", name] + options).status == 0)
            }
            let sound = try await Binary.run(["audit", "verify", "--json"] + options)
            #expect(sound.status == 0, "\(sound.errors)")
            #expect(try sound.json().first?["sound"] == true)
            let chain = try #require(try sound.json().first?["chains"]?.arrayValue?.first { $0["chain"] != "server" })
            #expect((chain["checkpoints"]?.intValue ?? 0) >= 1)

            let file = directory.path + "/audit.jsonl"
            #expect(try await Binary.run(["audit", "export", "--output", file] + options).status == 0)
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == (chain["entries"]?.intValue ?? 0) + 1)
            #expect(lines.last?.contains("checkpoint") == true)
            #expect(!lines.joined().contains(made.value.suffix(20)))

            // Cut the log off where the server's last checkpoint was not yet.
            let database = data + "/pyairtable.sqlite"
            try Self.sqlite(
                database,
                """
                DROP TRIGGER access_audit_kept;
                DELETE FROM access_audit WHERE sequence > 1;
                DELETE FROM access_audit_checkpoints;
                """
            )
            let broken = try await Binary.run(["audit", "verify"] + options)
            #expect(broken.status == 1)
            #expect(broken.output.contains("the log was cut off: entry 2 and what followed are gone"))
        }
    }

    private static func sqlite(_ path: String, _ sql: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2])", path,
            sql,
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
