import Domain
import Foundation
import TestSupport
import Testing

/// Who may be asked, what stands for the user's word, and what is left of the tools: `Tests/Clients/mcp_product.py`.
@Suite("Asking, dry runs and narrowing through the official SDK", .serialized)
struct ProductWritesTests {
    private func stdio(_ mode: String, data: String, _ options: [String] = [], atLeast count: Int) async throws {
        let command = [Binary.url.path, "mcp", "--data", data, "--embedder", "hash"] + options
        try await CheckingClient.expectAll("mcp_product.py", [mode, "stdio"] + command, atLeast: count, timeout: 120)
    }

    private func http(_ mode: String, _ server: [String], atLeast count: Int) async throws {
        try await CheckingClient.expectAll("mcp_product.py", [mode, "http"] + server, atLeast: count, timeout: 120)
    }

    private func bridge(_ mode: String, _ url: String, _ key: String, atLeast count: Int) async throws {
        let command = [Binary.url.path, "mcp", "--url", url]
        try await CheckingClient.expectAll(
            "mcp_product.py",
            [mode, "bridge", url, key] + command,
            atLeast: count,
            timeout: 120
        )
    }

    private func key(_ data: String, _ options: [String] = []) async throws -> String {
        let made = try await Binary.run(["key", "create", "--json", "--data", data] + options)
        return try #require(try made.json().first?["key"]?.stringValue, "\(made.errors)")
    }

    @Test("over stdio")
    func stdio() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            try await stdio("asking", data: data, atLeast: 45)
            try await stdio("narrowing", data: data, atLeast: 37)
            try await stdio("dry-run", data: data, ["--writes", "dry-run"], atLeast: 370)
        }
    }

    @Test("over HTTP, and over a bridge", arguments: ["ask", "dry-run"])
    func http(writes: String) async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            let options = ["--embedder", "hash", "--writes", writes]
            try await withServer(data: data, adding: options) { url, key, _ in
                if writes == "dry-run" {
                    try await http("dry-run", [url, key, try await self.key(data)], atLeast: 380)
                    try await bridge("dry-run", url, key, atLeast: 370)
                } else {
                    let reader = try await self.key(data, ["--scopes", "records:read,schema:read,search"])
                    try await http("asking", [url, key], atLeast: 45)
                    try await http("narrowing", [url, key, reader], atLeast: 48)
                    try await bridge("narrowing", url, key, atLeast: 37)
                }
            }
        }
    }
}
