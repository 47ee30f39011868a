import Access
import Chat
import Domain
import Hummingbird
import HummingbirdTesting
import Logging
import TestSupport
import Testing

@testable import Gateway

@Suite("A WebSocket's handshake")
struct SocketHandshakeTests {
    private static let own = "Origin: http://127.0.0.1:1"

    @Test("is granted to a key, from a program or from this server's page")
    func key() async throws {
        try await withServer { fixture, port in
            let bearer = "Authorization: Bearer \(fixture.key)"
            for headers in [[bearer], [bearer, Self.own]] {
                let client = try await SocketClient(port: port)
                try await client.connection.send(SocketClient.handshake(headers: headers))
                try await client.opened()
                try await client.send(["type": "ping"])
                _ = try await client.next(.pong)
            }
            try await eventually("both are logged") {
                fixture.log.lines.count { line in
                    line.message == "request" && line.metadata["status"].map { "\($0)" } == "101"
                } == 2
            }
        }
    }

    @Test("TOK-09: is granted to a ticket, once, and with the rights its key has")
    func ticket() async throws {
        try await withServer { fixture, port in
            let ticket = try await Self.ticket(fixture, port)
            let client = try await SocketClient(port: port)
            try await client.connection.send(SocketClient.handshake(query: "?ticket=\(ticket)", headers: [Self.own]))
            try await client.opened()
            let run = try await fixture.openRun()
            try await client.send(["type": "run.cancel", "runId": .string(run.id.description)])
            _ = try await client.next(.cancelling)
            let again = try await Self.answer(port, "?ticket=\(ticket)", [Self.own])
            #expect(again.status == 401)
            #expect(again.code == "unauthenticated")
            #expect(!fixture.log.lines.contains { $0.text.contains(ticket) })
        }
    }

    @Test("a ticket is not used up by a handshake that is wrong otherwise")
    func ticketKept() async throws {
        try await withServer { fixture, port in
            let ticket = try await Self.ticket(fixture, port)
            let foreign = try await Self.answer(port, "?ticket=\(ticket)", ["Origin: https://evil.example"])
            #expect(foreign.status == 403)
            #expect(foreign.code == "foreignOrigin")
            #expect(try await Self.answer(port, "?ticket=\(ticket)", []).status == 403)
            let client = try await SocketClient(port: port)
            try await client.connection.send(SocketClient.handshake(query: "?ticket=\(ticket)", headers: [Self.own]))
            try await client.opened()
        }
    }

    @Test("a refused one has a proper answer, and the connection ends")
    func refused() async throws {
        try await withServer { fixture, port in
            let bearer = "Authorization: Bearer \(fixture.key)"
            let other = try await fixture.key([.search])
            let cases: [(Int, String, String, [String])] = [
                (401, "unauthenticated", "", []),
                (401, "unauthenticated", "", ["Authorization: Bearer nonsense", Self.own]),
                (401, "unauthenticated", "?ticket=nonsense", [Self.own]),
                (403, "foreignOrigin", "", [bearer, "Origin: https://evil.example"]),
                (403, "foreignOrigin", "", [bearer, "Origin: null"]),
                (403, "foreignOrigin", "", [bearer, Self.own, Self.own]),
                (403, "forbidden", "", ["Authorization: Bearer \(other)"]),
                (400, "invalidParameter", "?tickets=x", [bearer]),
                (400, "invalidParameter", "", [bearer, "Content-Length: 3"]),
            ]
            for (status, code, query, headers) in cases {
                let answer = try await Self.answer(port, query, headers)
                // Without an origin and a key nobody knows whether it is a page: that is the first thing wrong.
                let expected = status == 401 && headers.isEmpty ? 403 : status
                #expect(answer.status == expected, "\(code) \(query) \(headers)")
                #expect(expected != status || answer.code == code, "\(answer.text)")
                #expect(answer.text.lowercased().contains("content-type: application/problem+json"))
                #expect(answer.text.lowercased().contains("x-request-id: "))
                #expect(answer.text.lowercased().contains("connection: close"))
                #expect(answer.text.lowercased().contains("www-authenticate: bearer") == (expected == 401))
            }
        }
    }

    @Test("another version, and no handshake at all, are told what is asked for")
    func upgradeRequired() async throws {
        try await withServer { fixture, port in
            let bearer = "Authorization: Bearer \(fixture.key)"
            let plain =
                "GET \(SocketHandshake.path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(bearer)\r\nConnection: close\r\n\r\n"
            for request in [SocketClient.handshake(headers: [bearer], version: "8"), plain] {
                let answer = try await Self.answer(port, request)
                #expect(answer.status == 426)
                #expect(answer.text.lowercased().contains("sec-websocket-version: 13"))
                #expect(answer.text.lowercased().contains("upgrade: websocket"))
                #expect(answer.code == "upgradeRequired")
            }
            let badKey = try await Self.answer(port, SocketClient.handshake(headers: [bearer], key: "c2hvcnQ="))
            #expect(badKey.status == 400)
        }
    }

    @Test("elsewhere an upgrade is left out, and the request answered as any other")
    func otherUpgrades() async throws {
        try await withServer { fixture, port in
            let h2c =
                "GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
            let connection = try await ByteConnection(port: port)
            try await connection.send(h2c)
            try await connection.read(until: #"{"status":"ok"}"#)
            #expect(connection.text.hasPrefix("HTTP/1.1 200 "))
            // The connection goes on.
            try await connection.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(await connection.readToEnd().contains("connection: close".utf8) || connection.isEnded)

            #expect(
                try await Self.answer(port, SocketClient.handshake(headers: ["Connection: close"], path: "/health"))
                    .status == 200
            )
            #expect(try await Self.answer(port, SocketClient.handshake(path: "/api/v1/chat/wss")).status == 404)
            let body = #"{"query":"x"}"#
            let post = """
                POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nUpgrade: websocket\r
                Connection: upgrade\r\n\r\n\(body)
                """
            let search = try await ByteConnection(port: port)
            try await search.send(post)
            try await search.read(until: #""hits""#)
            #expect(search.text.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("a page that the settings name may open one")
    func allowedOrigin() async throws {
        try await withServer(allowedOrigins: ["https://notes.example"]) { fixture, port in
            let ticket = try await Self.ticket(fixture, port)
            let client = try await SocketClient(port: port)
            let headers = ["Origin: https://notes.example"]
            try await client.connection.send(SocketClient.handshake(query: "?ticket=\(ticket)", headers: headers))
            try await client.opened()
        }
    }

    @Test("GW-06: one user has a bounded number, and gets a place back when one closes")
    func places() throws {
        let hub = SocketHub(registry: PrometheusRegistry())
        let (user, other) = (UserID.random(), UserID.random())
        var places = try (0..<Limits.socketsPerUser).map { _ in try hub.place(for: user) }
        #expect(throws: GatewayError(.tooManySockets, "")) { try hub.place(for: user) }
        _ = try hub.place(for: other)
        places.removeLast()
        #expect(hub.count(of: user) == Limits.socketsPerUser - 1)
        places.append(try hub.place(for: user))
        places = []
        #expect(hub.count(of: user) == 0)
        #expect(hub.count(of: other) == 0)
    }

    // MARK: Support

    private struct RawAnswer {
        let text: String
        var status: Int { Int(text.dropFirst(9).prefix(3)) ?? 0 }
        var code: String? {
            guard let body = text.firstRange(of: "\r\n\r\n") else { return nil }
            return (try? JSONValue(parsing: String(text[body.upperBound...])))?["code"]?.stringValue
        }
    }

    private static func answer(_ port: Int, _ query: String, _ headers: [String]) async throws -> RawAnswer {
        try await answer(port, SocketClient.handshake(query: query, headers: headers))
    }

    /// The answer to a request after which the server closes.
    private static func answer(_ port: Int, _ request: String) async throws -> RawAnswer {
        let connection = try await ByteConnection(port: port)
        try await connection.send(request)
        try await connection.read(until: "\r\n\r\n")
        if connection.text.hasPrefix("HTTP/1.1 101") { return RawAnswer(text: connection.text) }
        if connection.text.lowercased().contains("connection: close") { _ = await connection.readToEnd() }
        return RawAnswer(text: connection.text)
    }

    private static func ticket(_ fixture: GatewayFixture, _ port: Int) async throws -> String {
        let connection = try await ByteConnection(port: port)
        try await connection.send(
            "POST /api/v1/chat/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        let bytes = await connection.readToEnd()
        let body = try #require(bytes.httpBody)
        return try #require(try JSONValue(parsing: body)["ticket"]?.stringValue)
    }

    private func withServer(
        allowedOrigins: [String] = [],
        _ body: @escaping @Sendable (GatewayFixture, Int) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            try await fixture.server(allowedOrigins: allowedOrigins).publicApplication.test(.live) { client in
                try await body(fixture, try #require(client.port))
            }
        }
    }
}
