import Domain
import Foundation
import TestSupport
import Testing

/// What no client should do, against the real binary over real data (`Tests/Clients/mcp_torture.py`): afterwards it answers as
/// before, and has kept nothing.
@Suite("MCP under torture", .serialized)
struct TortureTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

    @Test("endless lines, garbage, half lines, ids used twice and clients that vanish, over stdio")
    func stdio() async throws {
        try await withTemporaryDirectory { directory in
            let command = [Binary.url.path, "mcp", "--data", directory.path + "/data", "--embedder", "hash"]
            try await CheckingClient.expectAll("mcp_torture.py", ["stdio"] + command, atLeast: 56, timeout: 300)
        }
    }

    @Test(
        "endless bodies, garbage, ids used twice, clients that vanish and sessions that are forgotten, over HTTP and a bridge"
    )
    func http() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--embedder", "hash"]
            try await withServer(data: directory.path + "/data", adding: options) { url, key, server in
                let process = "\(server.process.processIdentifier)"
                try await CheckingClient.expectAll(
                    "mcp_torture.py",
                    ["http", url, key, process],
                    atLeast: 45,
                    timeout: 300
                )
                try await CheckingClient.expectAll(
                    "mcp_torture.py",
                    ["forgotten", url, process, "600", key],
                    atLeast: 6,
                    timeout: 300
                )
                // A bridge is a pipe as well, and keeps to the same.
                try await CheckingClient.expectAll(
                    "mcp_torture.py",
                    ["stdio", Binary.url.path, "mcp", "--url", url],
                    atLeast: 56,
                    adding: ["PYAIRTABLE_KEY": key],
                    timeout: 300
                )
            }
        }
    }

    @Test("ten thousand sessions of sixteen keys, opened and forgotten", .enabled(if: isLong))
    func forgotten() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.path + "/data"
            try await withServer(data: data, adding: ["--embedder", "hash"]) { url, key, server in
                var keys = [key]
                while keys.count < 16 {
                    let made = try await Binary.run(["key", "create", "--json", "--data", data])
                    keys.append(try #require(try made.json().first?["key"]?.stringValue, "\(made.errors)"))
                }
                let process = "\(server.process.processIdentifier)"
                try await CheckingClient.expectAll(
                    "mcp_torture.py",
                    ["forgotten", url, process, "10000"] + keys,
                    atLeast: 36
                )
            }
        }
    }
}
