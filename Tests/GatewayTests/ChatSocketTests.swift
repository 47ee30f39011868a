import Access
import Chat
import Domain
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

@Suite("Chat's WebSocket")
struct ChatSocketTests {
    @Test("a question is taken, and its run's events come as they are everywhere")
    func send() async throws {
        try await withSockets { fixture, port in
            let run = try await fixture.answeredRun()
            fixture.chat.onSend { run, chat in chat.playAnswer(to: run, deltas: ["A gas", " [1]."]) }
            let client = try await SocketClient.open(port: port, key: fixture.key)
            try await client.send([
                "type": "message.send", "id": "q1", "conversationId": .string(run.conversation.description),
                "content": "What is helium?", "settings": ["model": "extractive"],
            ])
            let accepted = try await client.next()
            #expect(accepted.json?["type"] == "message.accepted")
            #expect(accepted.json?["id"] == "q1")
            let id = try #require(accepted.json?["runId"]?.stringValue.flatMap { RunID($0) })
            for event in fixture.chat.events(of: id) {
                #expect(try await client.next().bytes == event.wire.encoded())
            }
            #expect(try await fixture.chat.run(id, context: fixture.owner).model == "extractive")
            try await client.send(8, [0x03, 0xE8])
            #expect(try await client.closeCode() == 1000)
        }
    }

    @Test("several runs share a socket, each in its own order")
    func multiplex() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            var runs: [ChatRun] = []
            for _ in 0..<5 {
                let run = try await fixture.openRun()
                runs.append(run)
                try await client.send(["type": "run.follow", "runId": .string(run.id.description)])
                _ = try await client.next(.following)
            }
            for step in 0..<10 {
                for run in runs {
                    fixture.chat.append(.textDelta, ["messageId": "m", "text": .string("\(step)")], to: run.id)
                }
            }
            for run in runs { fixture.chat.finish(run) }
            var read: [RunID: [Int]] = [:]
            for _ in 0..<55 {
                let event = try await client.next { $0.json?["seq"] != nil }.json
                let run = try #require(event?["runId"]?.stringValue.flatMap { RunID($0) })
                read[run, default: []].append(try #require(event?["seq"]?.intValue))
            }
            #expect(read.count == 5)
            for run in runs { #expect(read[run.id] == Array(1...11)) }
            // Nobody follows what has ended, so it may be followed again.
            try await eventually("followers are done") { fixture.chat.followers == 0 }
            try await client.send([
                "type": "run.follow", "runId": .string(runs[0].id.description), "after": 10,
            ])
            #expect(try await client.next(.following)["state"] == "completed")
            #expect(try await client.next { $0.json?["seq"] != nil }.json?["seq"] == 11)
        }
    }

    @Test("a run is cancelled, and an unknown one is an error that names the message")
    func cancel() async throws {
        try await withSockets { fixture, port in
            let run = try await fixture.openRun()
            let client = try await SocketClient.open(port: port, key: fixture.key)
            try await client.send(["type": "run.cancel", "id": "c", "runId": .string(run.id.description)])
            #expect(try await client.next(.cancelling)["id"] == "c")
            #expect(fixture.chat.cancelled == [run.id])
            for type in ["run.cancel", "run.follow"] {
                try await client.send([
                    "type": .string(type), "id": "x", "runId": .string(RunID.random().description),
                ])
                let error = try await client.next(.error)
                #expect(error["code"] == "notFound")
                #expect(error["id"] == "x")
            }
            try await client.send(["type": "ping", "id": "p"])
            #expect(try await client.next(.pong)["id"] == "p")
        }
    }

    @Test("when following fails, the client is told for which run, and may try again")
    func followFails() async throws {
        try await withSockets { fixture, port in
            let run = try await fixture.openRun()
            fixture.chat.failFollowers(with: GatewayError(.timedOut, "Too late."))
            let client = try await SocketClient.open(port: port, key: fixture.key)
            try await client.send(["type": "run.follow", "id": "f", "runId": .string(run.id.description)])
            let error = try await client.next(.error)
            #expect(error["runId"]?.stringValue == run.id.description)
            #expect(error["code"] == "timedOut")
            fixture.chat.failFollowers(with: nil)
            fixture.chat.finish(run)
            try await client.send(["type": "run.follow", "runId": .string(run.id.description)])
            _ = try await client.next("run.completed")
        }
    }

    @Test("a client that goes ends its followers and gives its place back")
    func gone() async throws {
        try await withSockets { fixture, port in
            let run = try await fixture.openRun()
            let client = try await SocketClient.open(port: port, key: fixture.key)
            try await client.send(["type": "run.follow", "runId": .string(run.id.description)])
            _ = try await client.next(.following)
            try await eventually("it is followed") { fixture.chat.followers == 1 }
            client.connection.close()
            try await eventually("nobody follows") { fixture.chat.followers == 0 }
            try await eventually("the place is free") {
                fixture.metrics.text().contains("pyairtable_sockets_open 0")
            }
            #expect(fixture.metrics.text().contains(#"pyairtable_sockets_total{code="1006"} 1"#))
        }
    }

    @Test("text in pieces is one message; ping is answered between them")
    func fragments() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            let message = (["type": "ping", "id": "é🎈"] as JSONValue).encoded()
            // Cut inside a character.
            let middle = message.firstIndex(of: 0xC3)! + 1
            try await client.send(1, Array(message[..<middle]), isFinal: false)
            try await client.send(9, [1, 2, 3])
            try await client.send(0, Array(message[middle...]))
            #expect(try await client.next() == SocketClient.Frame(opcode: 10, bytes: [1, 2, 3]))
            #expect(try await client.next(.pong)["id"] == "é🎈")
        }
    }

    @Test("a frame that comes byte by byte, and many that come at once")
    func chunking() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            let frame = SocketClient.frame(1, (["type": "ping", "id": "slow"] as JSONValue).encoded())
            for byte in frame { try await client.connection.send([byte]) }
            #expect(try await client.next(.pong)["id"] == "slow")
            var many: [UInt8] = []
            for number in 0..<20 {
                many += SocketClient.frame(1, (["type": "ping", "id": .string("\(number)")] as JSONValue).encoded())
            }
            try await client.connection.send(many)
            for number in 0..<20 { #expect(try await client.next(.pong)["id"]?.stringValue == "\(number)") }
        }
    }

    @Test("the first message may come with the handshake")
    func eager() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient(port: port)
            let handshake = SocketClient.handshake(headers: ["Authorization: Bearer \(fixture.key)"])
            let frame = SocketClient.frame(1, (["type": "ping", "id": "eager"] as JSONValue).encoded())
            try await client.connection.send(Array(handshake.utf8) + frame)
            try await client.opened()
            #expect(try await client.next(.pong)["id"] == "eager")
        }
    }

    @Test(
        "what breaks the protocol closes the socket with the code for it",
        arguments: [
            (2, [1, 2, 3], true, true, 1003), (1, [0xFF, 0xFE], true, true, 1007),
            (1, [0xED, 0xA0, 0x80], true, true, 1007), (1, [0x7B], true, false, 1002), (3, [], true, true, 1002),
            (11, [], true, true, 1002), (0, [1], true, true, 1002), (9, [], false, true, 1002),
            (9, [UInt8](repeating: 0, count: 126), true, true, 1002), (0x41, [0x7B], true, true, 1002),
            (1, [UInt8](repeating: 0x20, count: Limits.socketMessageBytes + 1), true, true, 1009),
        ] as [(UInt8, [UInt8], Bool, Bool, Int)]
    )
    func broken(_ opcode: UInt8, _ bytes: [UInt8], _ isFinal: Bool, _ isMasked: Bool, _ code: Int) async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            try await client.send(opcode, bytes, isFinal: isFinal, isMasked: isMasked)
            #expect(try await client.closeCode() == code)
            _ = await client.connection.readToEnd()
            #expect(client.connection.isEnded)
        }
    }

    @Test("pieces that together are too long are refused as well")
    func longFragments() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            let half = [UInt8](repeating: 0x20, count: Limits.socketMessageBytes / 2 + 1)
            try await client.send(1, half, isFinal: false)
            try await client.send(0, half)
            #expect(try await client.closeCode() == 1009)
        }
    }

    @Test("a message of the longest length is read")
    func longest() async throws {
        try await withSockets { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            var message = (["type": "ping"] as JSONValue).encoded()
            message += [UInt8](repeating: 0x20, count: Limits.socketMessageBytes - message.count)
            try await client.send(1, message)
            _ = try await client.next(.pong)
        }
    }

    @Test("shutting down says 1001 and waits for nobody")
    func shutdown() async throws {
        try await withGateway { fixture in
            let running = PortSignal()
            let server = fixture.server { port in await running.fire(port ?? 0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server.publicApplication)],
                    logger: fixture.log.logger(.critical)
                )
            )
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                let port = await running.wait()
                let run = try await fixture.openRun()
                let client = try await SocketClient.open(port: port, key: fixture.key)
                try await client.send(["type": "run.follow", "runId": .string(run.id.description)])
                _ = try await client.next(.following)
                // A connection that has said nothing yet, and one that is half way through its handshake.
                let silent = try await ByteConnection(port: port)
                let half = try await ByteConnection(port: port)
                try await half.send("GET \(SocketHandshake.path) HTTP/1.1\r\nHost")
                await group.triggerGracefulShutdown()
                #expect(try await client.closeCode() == 1001)
                // Does not answer the close frame: the server ends it all the same.
                _ = await client.connection.readToEnd()
                _ = await silent.readToEnd()
                _ = await half.readToEnd()
                try await tasks.waitForAll()
            }
            #expect(fixture.chat.followers == 0)
        }
    }

    @Test("a key that dies takes its sockets with it")
    func revoked() async throws {
        try await withSockets(heartbeatInterval: .milliseconds(30)) { fixture, port in
            let issued = try await fixture.access.createKey(
                APIKeyDraft(name: "short", scopes: [.chat]),
                context: fixture.owner
            )
            let (silent, speaking) = (
                try await SocketClient.open(port: port, key: issued.text),
                try await SocketClient.open(port: port, key: issued.text)
            )
            try await fixture.access.revokeKey(issued.key.id, context: fixture.owner)
            try await speaking.send(["type": "run.cancel", "runId": .string(RunID.random().description)])
            #expect(try await speaking.closeCode() == 1008)
            #expect(try await silent.closeCode() == 1008)
        }
    }

    @Test("silence is pinged; a client that never answers is dropped")
    func dead() async throws {
        try await withSockets(heartbeatInterval: .milliseconds(20)) { fixture, port in
            let client = try await SocketClient.open(port: port, key: fixture.key)
            #expect(try await client.next { $0.opcode == 9 }.bytes == [])
            _ = await client.connection.readToEnd()
            #expect(client.connection.isEnded)
            // One that answers stays.
            let alive = try await SocketClient.open(port: port, key: fixture.key)
            for _ in 0..<12 {
                _ = try await alive.next { $0.opcode == 9 }
                try await alive.send(10, [])
            }
            try await alive.send(["type": "ping"])
            _ = try await alive.next(.pong)
        }
    }

    @Test("a client that does not read holds up nobody else, and nothing piles up for it")
    func slowReader() async throws {
        try await withSockets { fixture, port in
            let run = try await fixture.openRun()
            let text = String(repeating: "x", count: 1 << 18)
            for _ in 0..<200 {
                fixture.chat.append(.textDelta, ["messageId": "m", "text": .string(text)], to: run.id)
            }
            fixture.chat.setBatch(1)
            fixture.chat.finish(run)
            let slow = try await SocketClient.open(port: port, key: fixture.key, readsAll: false)
            try await slow.send(["type": "run.follow", "runId": .string(run.id.description)])
            let fast = try await SocketClient.open(port: port, key: fixture.key)
            try await fast.send(["type": "run.follow", "runId": .string(run.id.description)])
            // 50 MB pass by the one that stands still.
            try await fast.connection.read { $0.count > 200 << 18 }
            // It is still being sent what it does not read: its follower waits.
            #expect(fixture.chat.followers >= 1)
            slow.connection.close()
            try await eventually("nobody follows") { fixture.chat.followers == 0 }
        }
    }

    private func withSockets(
        heartbeatInterval: Duration = .seconds(15),
        _ body: @escaping @Sendable (GatewayFixture, Int) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            try await fixture.server(heartbeatInterval: heartbeatInterval).publicApplication.test(.live) { client in
                try await body(fixture, try #require(client.port))
            }
        }
    }
}
