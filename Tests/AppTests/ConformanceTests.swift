import Domain
import Foundation
import TestSupport
import Testing

/// Our own conformance client (`Tests/Clients/mcp_conformance.py`) against the real binary in fixture mode: every revision, and
/// no failure and no warning at any.
@Suite("Conformance to MCP", .serialized)
struct ConformanceTests {
    @Test("over HTTP, for who has a key and where none is asked for", arguments: [true, false])
    func http(asksForKey: Bool) async throws {
        try await withFixtures(asksForKey ? [] : ["--without-authorization"]) { url, key in
            let arguments = ["http", "\(url)/mcp"] + (asksForKey ? [key] : [])
            try await CheckingClient.expectAll("mcp_conformance.py", arguments, atLeast: 1_500)
        }
    }

    @Test("over stdio")
    func stdio() async throws {
        let arguments = ["stdio", Binary.url.path, "mcp", "--fixtures"]
        try await CheckingClient.expectAll("mcp_conformance.py", arguments, atLeast: 1_200)
    }

    @Test("over a bridge to a server, at the newest revision of each era")
    func bridge() async throws {
        try await withFixtures { url, key in
            let arguments = ["stdio", Binary.url.path, "mcp", "--url", url]
            try await CheckingClient.expectAll(
                "mcp_conformance.py",
                ["--revisions", "2025-11-25,2026-07-28"] + arguments,
                atLeast: 600,
                adding: ["PYAIRTABLE_KEY": key]
            )
        }
    }

    private func withFixtures(
        _ options: [String] = [],
        _ body: (_ url: String, _ key: String) async throws -> Void
    ) async throws {
        let server = try Binary.Running(
            ["serve", "--json", "--fixtures", "--bind", "127.0.0.1:0", "--admin-bind", "off"] + options
        )
        defer { server.kill() }
        try await eventually("the server is ready", timeout: .seconds(60)) {
            server.output.contains("\n") || !server.process.isRunning
        }
        let line = try #require(server.output.split(separator: "\n").first, "\(server.errors)")
        let ready = try JSONValue(parsing: String(line))
        try await body(try #require(ready["url"]?.stringValue), try #require(ready["key"]?.stringValue))
        server.terminate()
        let end = await server.result()
        #expect(end.status == 0 && !end.wasKilled, "\(end.errors.suffix(2_000))")
    }
}
