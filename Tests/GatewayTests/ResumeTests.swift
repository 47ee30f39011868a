import Chat
import Domain
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// A client that is cut anywhere and comes back has, byte for byte, what one has that never was.
@Suite("Coming back to a run")
struct ResumeTests {
    private static let cuts = 200

    @Test("by server-sent events, cut at random bytes", arguments: [UInt64(20_261_129), .random(in: 0...(.max))])
    func serverSentEvents(_ seed: UInt64) async throws {
        try await withFinishedRun { fixture, run, port in
            let whole = try await Self.stream(run, after: nil, fixture, port, upTo: .max)
            let expected = readEvents(whole.httpBody ?? [])
            #expect(expected.count == run.lastSequence)
            let events = fixture.chat.events(of: run.id)
            #expect(expected.map(\.data) == events.map { $0.wire.encoded() })
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<Self.cuts {
                fixture.chat.setBatch(Int.random(in: 1...20, using: &generator))
                let cut = Int.random(in: 0...whole.count, using: &generator)
                let first = try await Self.stream(run, after: nil, fixture, port, upTo: cut)
                var read = readEvents(first.httpBody ?? [])
                if read.count < expected.count {
                    let second = try await Self.stream(run, after: read.last?.id, fixture, port, upTo: .max)
                    read += readEvents(second.httpBody ?? [])
                }
                #expect(read == expected, "seed \(seed), cut \(cut)")
            }
        }
    }

    @Test("by WebSocket, cut at random bytes", arguments: [UInt64(20_261_129), .random(in: 0...(.max))])
    func webSocket(_ seed: UInt64) async throws {
        try await withFinishedRun { fixture, run, port in
            let expected = fixture.chat.events(of: run.id).map { $0.wire.encoded() }
            let whole = try await Self.socket(run, after: 0, fixture, port, upTo: .max)
            #expect(Self.events(in: whole) == expected)
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<Self.cuts {
                fixture.chat.setBatch(Int.random(in: 1...20, using: &generator))
                let cut = Int.random(in: 0...whole.count, using: &generator)
                var read = Self.events(in: try await Self.socket(run, after: 0, fixture, port, upTo: cut))
                if read.count < expected.count {
                    let position = try read.last.map { try JSONValue(parsing: $0)["seq"]?.intValue ?? -1 } ?? 0
                    let rest = try await Self.socket(run, after: position, fixture, port, upTo: .max)
                    read += Self.events(in: rest)
                }
                #expect(read == expected, "seed \(seed), cut \(cut)")
            }
        }
    }

    @Test("while the answer is still being made, over both in turn")
    func live() async throws {
        try await withGateway { fixture in
            let run = try await fixture.openRun()
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                var seed = SeededGenerator(seed: 7)
                var read: [[UInt8]] = []
                let texts = ScriptedChat.difficultText(60)
                var written = 0
                while written < texts.count {
                    // Some events come while nobody listens, some while somebody does.
                    let bySocket = Bool.random(using: &seed)
                    let absent = Int.random(in: 0...3, using: &seed)
                    for _ in 0..<absent where written < texts.count {
                        fixture.chat.append(
                            .textDelta,
                            ["messageId": "m", "text": .string(texts[written])],
                            to: run.id
                        )
                        written += 1
                    }
                    let socket = bySocket ? try await SocketClient.open(port: port, key: fixture.key) : nil
                    let stream = bySocket ? nil : try await ByteConnection(port: port)
                    if let socket {
                        try await socket.send(
                            [
                                "type": "run.follow", "runId": .string(run.id.description),
                                "after": .number(JSONNumber(read.count)),
                            ]
                        )
                        _ = try await socket.next(.following)
                    }
                    try await stream?.send(Self.request(run, "?after=\(read.count)", fixture, []))
                    for _ in 0..<Int.random(in: 1...3, using: &seed) where written < texts.count {
                        fixture.chat.append(
                            .textDelta,
                            ["messageId": "m", "text": .string(texts[written])],
                            to: run.id
                        )
                        written += 1
                    }
                    let wanted = written - read.count
                    if let socket {
                        for _ in 0..<wanted { read.append(try await socket.next { $0.opcode == 1 }.bytes) }
                        socket.connection.close()
                    } else if let stream {
                        try await stream.read { readEvents($0.httpBody ?? []).count >= wanted }
                        read += readEvents(stream.bytes.httpBody ?? []).map(\.data)
                        stream.close()
                    }
                }
                #expect(read == fixture.chat.events(of: run.id).map { $0.wire.encoded() })
            }
        }
    }

    // MARK: Clients

    private static func request(_ run: ChatRun, _ query: String, _ fixture: GatewayFixture, _ headers: [String])
        -> String
    {
        """
        GET /api/v1/chat/runs/\(run.id)/events\(query) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
        Connection: close\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n
        """
    }

    /// The first `count` bytes that a client of the event stream gets, head included.
    private static func stream(
        _ run: ChatRun,
        after: String?,
        _ fixture: GatewayFixture,
        _ port: Int,
        upTo count: Int
    ) async throws -> [UInt8] {
        let connection = try await ByteConnection(port: port)
        try await connection.send(request(run, "", fixture, after.map { ["Last-Event-ID: \($0)"] } ?? []))
        while connection.bytes.count < count, await connection.readSome() {}
        connection.close()
        return Array(connection.bytes.prefix(count))
    }

    /// The first `count` bytes after the handshake that a client gets who follows `run`; at most to its last event.
    private static func socket(
        _ run: ChatRun,
        after: Int,
        _ fixture: GatewayFixture,
        _ port: Int,
        upTo count: Int
    ) async throws -> [UInt8] {
        let client = try await SocketClient.open(port: port, key: fixture.key)
        try await client.send(
            ["type": "run.follow", "runId": .string(run.id.description), "after": .number(JSONNumber(after))]
        )
        let end = Array(#""type":"run.completed""#.utf8)
        try await client.connection.read { bytes in
            let body = bytes.dropFirst(client.start)
            return body.count >= count || SocketClient.frames(in: body).last.map { $0.bytes.contains(end) } == true
        }
        client.connection.close()
        return Array(client.connection.bytes.dropFirst(client.start).prefix(count))
    }

    /// The events among the whole frames in `bytes`.
    private static func events(in bytes: [UInt8]) -> [[UInt8]] {
        SocketClient.frames(in: bytes).map(\.bytes).filter { $0.starts(with: #"{"seq":"#.utf8) }
    }

    private func withFinishedRun(
        _ body: @escaping @Sendable (GatewayFixture, ChatRun, Int) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            let run = try await fixture.answeredRun(deltas: ScriptedChat.difficultText(120))
            try await fixture.server().publicApplication.test(.live) { client in
                try await body(fixture, run, try #require(client.port))
            }
        }
    }
}
