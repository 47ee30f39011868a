import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import NIOCore
import Search
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The same answers through a real socket, and what only a socket can show.
@Suite("On a socket")
struct SocketTests {
    @Test("answers as the in-process router does")
    func ordinary() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                #expect(try await client.send(.get, "/health").json == ["status": "ok"])
                #expect(try await client.send(.get, "/").status == 200)
                #expect(try await client.send(.get, "/api/v1/airtable/bases").status == 401)
                #expect(try await client.send(.get, "/api/v1/airtable/bases", key: fixture.key).status == 200)
                let search = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    body: #"{"query":"gas"}"#
                )
                #expect(search.status == 200)
                let head = try await client.send(.head, "/openapi.json")
                #expect(head.headers[.contentLength] == "\(RouteTable.standard.document.count)")
                #expect(head.text.isEmpty)
                #expect(try await client.send(.options, "/api/v1/search").status == 204)
                #expect(try await client.send(.get, "/health").headers[.date] != nil)
            }
        }
    }

    @Test("a refused body is answered, then the connection ends")
    func refusedBody() async throws {
        try await withGateway { fixture in
            try await withRunningServer(fixture) { port in
                let connection = try await RawConnection(port: port)
                try await connection.send(
                    """
                    POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{"query":
                    """
                )
                let text = try await connection.readToEnd()
                #expect(text.hasPrefix("HTTP/1.1 413 "))
                #expect(text.lowercased().contains("connection: close"))
                #expect(text.contains("bodyTooLarge"))
            }
        }
    }

    @Test("after a short body that nobody read the connection goes on")
    func skippedBody() async throws {
        try await withGateway { fixture in
            try await withRunningServer(fixture) { port in
                let connection = try await RawConnection(port: port)
                try await connection.send(
                    """
                    POST /api/v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r
                    Content-Length: 13\r\n\r\n{"query":"x"}GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
                    """
                )
                let text = try await connection.readToEnd()
                #expect(text.hasPrefix("HTTP/1.1 401 "))
                #expect(text.components(of: "HTTP/1.1 ") == 2)
                #expect(text.hasSuffix(#"{"status":"ok"}"#))
            }
        }
    }

    @Test("INP-02: an endless chunked body is cut at the limit")
    func endlessBody() async throws {
        try await withGateway { fixture in
            try await withRunningServer(fixture) { port in
                let connection = try await RawConnection(port: port)
                try await connection.send(
                    """
                    POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n
                    """
                )
                let chunk = "4000\r\n" + String(repeating: "a", count: 0x4000) + "\r\n"
                // More than the limit; what the server no longer reads may fail to be sent.
                for _ in 0..<(2 * Limits.searchBodyBytes / 0x4000) {
                    do { try await connection.send(chunk) } catch { break }
                }
                let text = try await connection.readToEnd()
                #expect(text.hasPrefix("HTTP/1.1 413 "))
            }
        }
    }

    @Test(
        "what is no HTTP is refused, never answered",
        arguments: [
            "NONSENSE\r\n\r\n", "GET /health HTTP/1.1\r\nHost : x\r\n\r\n", "GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
            "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 40_000))\r\n\r\n",
            "GET /health HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 200) + "\r\n",
        ]
    )
    func malformed(_ request: String) async throws {
        try await withGateway { fixture in
            try await withRunningServer(fixture) { port in
                let connection = try await RawConnection(port: port)
                try await connection.send(request)
                let text = try await connection.readToEnd()
                #expect(text.contains(#/^HTTP\/1\.1 (400|431|505) /#), "\(text.prefix(60))")
            }
        }
    }

    @Test("a bad chunk ends the request with 400")
    func badChunk() async throws {
        try await withGateway { fixture in
            try await withRunningServer(fixture) { port in
                let connection = try await RawConnection(port: port)
                try await connection.send(
                    """
                    POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n
                    """
                )
                let text = try await connection.readToEnd()
                #expect(text.hasPrefix("HTTP/1.1 400 "), "\(text.prefix(60))")
                #expect(text.components(of: "HTTP/1.1 ") == 1)
            }
        }
    }

    @Test("GW-13: shutting down answers what is under way and takes nothing new")
    func shutdown() async throws {
        try await withGateway { fixture in
            let started = Signal()
            let release = Signal()
            let search = FixedSearch { _, _ in
                await started.fire()
                await release.wait()
                return SearchResponse(hits: [], tookMilliseconds: 0)
            }
            let running = PortSignal()
            let server = fixture.server(search: search) { port in await running.fire(port ?? 0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server.publicApplication)],
                    logger: fixture.log.logger()
                )
            )
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                let port = await running.wait()
                let connection = try await RawConnection(port: port)
                try await connection.send(
                    """
                    POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"query":"x"}
                    """
                )
                await started.wait()
                await group.triggerGracefulShutdown()
                try await eventually("the listener refuses connections") {
                    do {
                        try await RawConnection(port: port).close()
                        return false
                    } catch {
                        return true
                    }
                }
                await release.fire()
                let text = try await connection.readToEnd()
                #expect(text.hasPrefix("HTTP/1.1 200 "))
                #expect(text.contains("\"hits\":[]"))
                try await tasks.waitForAll()
            }
        }
    }

    private func withRunningServer(
        _ fixture: GatewayFixture,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await fixture.server().publicApplication.test(.live) { client in
            try await body(try #require(client.port))
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
