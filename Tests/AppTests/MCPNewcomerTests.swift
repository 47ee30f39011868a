import Domain
import Foundation
import TestSupport
import Testing

/// docs/mcp.md followed by somebody new, with the official SDK in the place of a desktop client.
@Suite("A newcomer with an AI client")
struct MCPNewcomerTests {
    private static let python = repositoryRoot.appendingPathComponent(".venv/bin/python")
    private static let script = repositoryRoot.appendingPathComponent("Tests/Clients/mcp_newcomer.py").path
    private static let people = """
        Name,City,Skills
        Ada,London,"mathematics, engines"
        Grace,London,"compilers, languages"
        Marie,Paris,chemistry

        """

    @Test("connects, asks three questions, changes a record safely and takes it back, in either era")
    func path() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("people.csv")
            try Self.people.write(to: file, atomically: true, encoding: .utf8)
            let data = ["--data", directory.path + "/data", "--embedder", "hash"]
            let imported = try await Binary.run(
                ["import", file.path, "--base", "Crew"] + data,
                timeout: 60
            )
            try #require(imported.status == 0, "\(imported.errors)")
            let result = try await Binary.run(
                [Self.script, Binary.url.path, "mcp"] + data,
                program: Self.python,
                timeout: 180
            )
            #expect(result.status == 0, "\(result.errors.suffix(2_000)) \(result.output.suffix(2_000))")
            let events = try result.json()
            #expect(events.compactMap { $0["protocolVersion"]?.stringValue } == ["2026-07-28", "2025-11-25"])
            #expect(events.last?["event"] == "done")
        }
    }
}
