import Access
import Chat
import Database
import Domain
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("A key that dies while its stream is open")
struct KeyWatchTests {
    @Test("a run's event stream ends, properly, and the run goes on")
    func revokedStream() async throws {
        try await withWatch { fixture, port in
            let issued = try await fixture.access.createKey(
                APIKeyDraft(name: "test", scopes: [.chat]),
                context: fixture.owner
            )
            let run = try await fixture.openRun()
            let stream = try await stream(of: run, port, issued.text)
            fixture.chat.append(.textDelta, ["messageId": "m", "text": "before"], to: run.id)
            try await stream.read(until: "before")
            try await fixture.access.revokeKey(issued.key.id, context: fixture.owner)
            try await stream.read { $0.isWholeChunked }
            try await eventually("the follower is gone") { fixture.chat.followers == 0 }
            fixture.chat.append(.textDelta, ["messageId": "m", "text": "behind"], to: run.id)
            #expect(!stream.text.contains("behind"))
            #expect(fixture.chat.cancelled.isEmpty)
            // Whoever comes back is told why.
            let again = try await self.stream(of: run, port, issued.text)
            #expect(again.text.hasPrefix("HTTP/1.1 401 "))
            try await eventually("it is counted") {
                fixture.metrics.text().contains(#"end="keyDied""#)
            }
        }
    }

    @Test("one that runs out does the same to a stream and to a socket that follows a run")
    func expired() async throws {
        let time = Guarded(Instant.now())
        try await withWatch(now: { time.value }) { fixture, port in
            let expiry = Instant(microseconds: time.value.microseconds + 3_600_000_000)
            let key = try await fixture.access.createKey(
                APIKeyDraft(name: "test", scopes: [.chat], expires: expiry),
                context: fixture.owner
            ).text
            let run = try await fixture.openRun()
            let stream = try await stream(of: run, port, key)
            let socket = try await SocketClient.open(port: port, key: key)
            try await socket.send(["type": "run.follow", "runId": .string(run.id.description)])
            _ = try await socket.next(.following)
            try await eventually("both follow") { fixture.chat.followers == 2 }
            time.value = Instant(microseconds: expiry.microseconds + 1)
            try await stream.read { $0.isWholeChunked }
            #expect(try await socket.closeCode() == 1008)
            // The client has not answered the close frame, and nothing stands behind it.
            let length = socket.connection.bytes.count
            fixture.chat.append(.textDelta, ["messageId": "m", "text": "behind"], to: run.id)
            try await eventually("no follower is left") { fixture.chat.followers == 0 }
            _ = await socket.connection.readToEnd()
            #expect(socket.connection.bytes.count == length)
        }
    }

    @Test("AUTHZ-12: a stream and a socket end with the session they began with, however it ends")
    func sessionEnds() async throws {
        let ways: [@Sendable (GatewayFixture, Domain.RequestContext) async throws -> Void] = [
            { fixture, context in try await fixture.access.logOut(context: context) },
            { fixture, context in
                try await fixture.access.setUser(context.principal.user, isDisabled: true, context: fixture.owner)
            },
            { fixture, context in
                let sql = "UPDATE access_users SET role = 'guest' WHERE id = $1"
                let user = context.principal.user.description
                // As another process does it.
                try await fixture.database.write(of: .everyTenant) {
                    try $0.execute(sql, [.text(user)])
                    try AccessStore.bump(context.tenant, in: $0)
                }
            },
        ]
        try await withWatch { fixture, port in
            for (number, end) in ways.enumerated() {
                let user = try await fixture.access.createUser(name: "ada \(number)", context: fixture.owner).id
                let pair = try await fixture.access.beginSession(
                    user: user,
                    tenant: fixture.owner.tenant,
                    client: SessionClient()
                )
                let context = try await fixture.access.authenticate(
                    bearer: pair.accessToken,
                    timeout: .seconds(30),
                    requestID: "session-\(number)",
                    logger: fixture.owner.logger
                )
                let run = try await fixture.openRun(by: context)
                let stream = try await stream(of: run, port, pair.accessToken)
                let socket = try await SocketClient.open(port: port, key: pair.accessToken)
                try await socket.send(["type": "run.follow", "runId": .string(run.id.description)])
                _ = try await socket.next(.following)
                try await eventually("both follow") { fixture.chat.followers == 2 }
                try await end(fixture, context)
                try await stream.read { $0.isWholeChunked }
                #expect(try await socket.closeCode() == 1008)
                try await eventually("no follower is left") { fixture.chat.followers == 0 }
                _ = await socket.connection.readToEnd()
                let again = try await self.stream(of: run, port, pair.accessToken)
                #expect(again.text.hasPrefix(number == 2 ? "HTTP/1.1 403 " : "HTTP/1.1 401 "))
            }
        }
    }

    @Test("another key's stream of the same run goes on")
    func others() async throws {
        try await withWatch { fixture, port in
            let dying = try await fixture.access.createKey(
                APIKeyDraft(name: "test", scopes: [.chat]),
                context: fixture.owner
            )
            let run = try await fixture.openRun()
            let (first, second) = (
                try await stream(of: run, port, dying.text), try await stream(of: run, port, fixture.key)
            )
            try await fixture.access.revokeKey(dying.key.id, context: fixture.owner)
            try await first.read { $0.isWholeChunked }
            fixture.chat.append(.textDelta, ["messageId": "m", "text": "on"], to: run.id)
            fixture.chat.finish(run)
            try await second.read { $0.isWholeChunked }
            #expect(readEvents(second.bytes.httpBody ?? []).count == 2)
        }
    }

    private func stream(of run: ChatRun, _ port: Int, _ key: String) async throws -> ByteConnection {
        let connection = try await ByteConnection(port: port)
        try await connection.send(Self.request(run, key))
        try await connection.read(until: "\r\n\r\n")
        return connection
    }

    private static func request(_ run: ChatRun, _ key: String) -> String {
        "GET /api/v1/chat/runs/\(run.id)/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n\r\n"
    }

    /// A server that looks at keys all the time, and pings nobody.
    private func withWatch(
        now: @escaping InstantSource = { .now() },
        _ body: @escaping @Sendable (GatewayFixture, Int) async throws -> Void
    ) async throws {
        try await withGateway(now: now) { fixture in
            try await fixture.server(
                heartbeatInterval: .seconds(600),
                keyCheckInterval: .milliseconds(10)
            ).publicApplication.test(.live) { client in
                try await body(fixture, try #require(client.port))
            }
        }
    }
}
