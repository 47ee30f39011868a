import Foundation
import TestSupport
import Testing

@testable import Outbound

@Suite("HTTP transport")
struct TransportTests {
    /// Deadlines that no test waits for, unless it is about them.
    private static let patient = OutboundDeadlines(firstByte: .seconds(20), stall: .seconds(20), total: .seconds(40))

    @discardableResult
    private func withTransport<Value>(
        options: AsyncHTTPTransport.Options = AsyncHTTPTransport.Options(),
        _ body: (AsyncHTTPTransport) async throws -> Value
    ) async throws -> Value {
        let transport = AsyncHTTPTransport(options: options)
        do {
            let value = try await body(transport)
            await transport.shutdown()
            return value
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private func request(_ server: RawServer, _ deadlines: OutboundDeadlines = patient) -> OutboundRequest {
        OutboundRequest(.post, server.url + "/v1/x", body: Array("{}".utf8), deadlines: deadlines)
    }

    @Test("sends method, path, headers, keys and body, and gives back status, headers and body")
    func ordinary() async throws {
        let seen = Guarded<RawRequest?>(nil)
        let server = try RawServer { peer in
            seen.value = try peer.request()
            try peer.reply(201, "hello", headers: ["X-One: a", "x-one: b"])
        }
        try await withTransport { transport in
            var request = OutboundRequest(
                .post,
                server.url + "/v1/x?alt=sse",
                headers: [("content-type", "application/json")]
            )
            request.secretHeaders = [("x-goog-api-key", OutboundSecret("KEY-123"))]
            request.body = Array("{\"a\":1}".utf8)
            let reply = try await transport.send(request)
            #expect(reply.status == 201)
            #expect(reply.headers.filter { $0.name == "x-one" }.map(\.value) == ["a", "b"])
            #expect(try await reply.body.collect(bytesMax: 100) == Array("hello".utf8))
        }
        let sent = try #require(seen.value)
        #expect(sent.line == "POST /v1/x?alt=sse HTTP/1.1")
        #expect(sent.header("x-goog-api-key") == "KEY-123")
        #expect(sent.header("content-type") == "application/json")
        #expect(sent.header("accept-encoding") == nil)
        #expect(sent.bodyText == "{\"a\":1}")
    }

    @Test("pieces arrive as they are sent, not when the reply is over")
    func pieces() async throws {
        let gate = Guarded(0)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            for number in 1...3 {
                try peer.chunk("piece \(number)")
                // Goes on only when the reader has this piece.
                for _ in 0..<4_000 where gate.value < number { rest() }
            }
            try peer.endChunks()
        }
        try await withTransport { transport in
            let reply = try await transport.send(request(server))
            var pieces: [String] = []
            for try await piece in reply.body {
                pieces.append(String(decoding: piece, as: UTF8.self))
                gate.update { $0 += 1 }
            }
            #expect(pieces == ["piece 1", "piece 2", "piece 3"])
        }
    }

    @Test("a redirect is handed over, not followed", arguments: [301, 302, 303, 307, 308])
    func redirects(_ status: Int) async throws {
        let requests = Guarded(0)
        let server = try RawServer { peer in
            while try peer.request() != nil {
                requests.update { $0 += 1 }
                try peer.reply(status, "", headers: ["location: /elsewhere"])
            }
        }
        try await withTransport { transport in
            let reply = try await transport.send(request(server))
            #expect(reply.status == status)
            #expect(reply.header("location") == "/elsewhere")
        }
        #expect(requests.value == 1)
    }

    @Test("no reply in time is `noReply`, and the connection is closed")
    func noReply() async throws {
        let isClosed = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.waitForClose()
            isClosed.value = true
        }
        try await withTransport { transport in
            let deadlines = OutboundDeadlines(firstByte: .milliseconds(200), stall: .seconds(20), total: .seconds(40))
            await #expect(throws: OutboundError(.noReply, "")) { try await transport.send(request(server, deadlines)) }
            try await eventually("the closing") { isClosed.value }
        }
    }

    @Test("a reply that stops is `stalled`, and the connection is closed")
    func stall() async throws {
        let isClosed = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk("one")
            try peer.waitForClose()
            isClosed.value = true
        }
        try await withTransport { transport in
            let deadlines = OutboundDeadlines(firstByte: .seconds(20), stall: .milliseconds(200), total: .seconds(40))
            let reply = try await transport.send(request(server, deadlines))
            var text: [UInt8] = []
            await #expect(throws: OutboundError(.stalled, "")) { for try await piece in reply.body { text += piece } }
            #expect(text == Array("one".utf8))
            try await eventually("the closing") { isClosed.value }
        }
    }

    @Test("a reply that trickles for ever ends by the deadline of the whole")
    func trickle() async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            while true {
                try peer.chunk(".")
                rest()
            }
        }
        try await withTransport { transport in
            let deadlines = OutboundDeadlines(firstByte: .seconds(20), stall: .seconds(20), total: .milliseconds(700))
            let reply = try await transport.send(request(server, deadlines))
            await #expect(throws: OutboundError(.timedOut, "")) { for try await _ in reply.body {} }
        }
    }

    @Test("a reply past its bound is `replyTooLarge`: by its announced length before it is read, else while it is")
    func tooLarge() async throws {
        let server = try RawServer { peer in
            guard let asked = try peer.request() else { return }
            if asked.path == "/announced" {
                try peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000001\r\n\r\n")
            } else {
                try peer.beginChunks()
                for _ in 0..<2_000 { try peer.chunk([UInt8](repeating: 0x61, count: 1_000)) }
                try peer.endChunks()
            }
            try peer.waitForClose()
        }
        try await withTransport { transport in
            var request = request(server)
            request.replyBytesMax = 1_000_000
            let reply = try await transport.send(request)
            let byteCount = Guarded(0)
            await #expect(throws: OutboundError(.replyTooLarge, "")) {
                for try await piece in reply.body { byteCount.update { $0 += piece.count } }
            }
            #expect(byteCount.value <= 1_000_000)
            request.url = server.url + "/announced"
            let announced = request
            await #expect(throws: OutboundError(.replyTooLarge, "")) { try await transport.send(announced) }
        }
    }

    @Test("a reader that does not read slows the sender")
    func backPressure() async throws {
        let sent = Guarded(0)
        let isBlocked = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            let piece = [UInt8](repeating: 0x61, count: 64 * 1_024)
            for _ in 0..<400 {
                try peer.chunk(piece)
                sent.update { $0 += piece.count }
            }
            try peer.endChunks()
            isBlocked.value = true
        }
        try await withTransport { transport in
            let reply = try await transport.send(request(server))
            // The sender stands still once the buffers between are full, which is when its count stops changing.
            var before = -1
            var unchanged = 0
            for _ in 0..<600 where unchanged < 40 {
                unchanged = sent.value == before ? unchanged + 1 : 0
                before = sent.value
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(before < 400 * 64 * 1_024, "all was sent though nothing was read")
            #expect(!isBlocked.value)
            #expect(try await reply.body.collect(bytesMax: 1 << 26).count == 400 * 64 * 1_024)
        }
    }

    @Test("a connection that ends or is reset in the middle of a reply is `connectionLost`", arguments: [true, false])
    func cut(_ isReset: Bool) async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk("half")
            if isReset { peer.reset() }
        }
        try await withTransport { transport in
            let reply: OutboundReply
            do {
                reply = try await transport.send(request(server))
            } catch let error as OutboundError where isReset && error == OutboundError(.connectionLost, "") {
                return  // The reset overtook the head.
            }
            await #expect(throws: OutboundError(.connectionLost, "")) { for try await _ in reply.body {} }
        }
    }

    @Test("a body shorter than it was announced is `connectionLost`, not an end")
    func short() async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":")
        }
        try await withTransport { transport in
            let reply = try await transport.send(request(server))
            await #expect(throws: OutboundError(.connectionLost, "")) { try await reply.body.collect(bytesMax: 1_000) }
        }
    }

    @Test("nobody listening is `cannotConnect`, at once; no such host too")
    func nobody() async throws {
        let server = try RawServer { _ in }
        let port = server.port
        server.stop()
        try await withTransport { transport in
            // The listener closes a moment after `stop()`.
            try await eventually("the refusal") {
                do {
                    _ = try await transport.send(OutboundRequest(.get, "http://127.0.0.1:\(port)/"))
                    return false
                } catch { return (error as? OutboundError)?.code == .cannotConnect }
            }
            await #expect(throws: OutboundError(.cannotConnect, "")) {
                try await transport.send(OutboundRequest(.get, "http://nobody.invalid/"))
            }
        }
    }

    @Test(
        "what is no HTTP is `malformedReply`; a compressed reply, which nobody asked for, too",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx",
        ]
    )
    func malformed(_ text: String) async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.send(text)
            try peer.waitForClose()
        }
        try await withTransport { transport in
            await #expect(throws: OutboundError(.malformedReply, "")) { try await transport.send(request(server)) }
        }
    }

    @Test("calls after the shutdown are `closed`")
    func afterShutdown() async throws {
        let transport = AsyncHTTPTransport()
        await transport.shutdown()
        await #expect(throws: OutboundError(.closed, "")) {
            try await transport.send(OutboundRequest(.get, "http://127.0.0.1:1/"))
        }
    }

    @Test("a body is read once; the second reader gets an error, not a crash")
    func once() async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.reply(200, "abc")
        }
        try await withTransport { transport in
            let reply = try await transport.send(request(server))
            #expect(try await reply.body.collect(bytesMax: 10) == Array("abc".utf8))
            await #expect(throws: OutboundError(.closed, "")) { try await reply.body.collect(bytesMax: 10) }
        }
    }
}

/// A trickle's pace, for scripts on their own threads; nothing waits for it to have passed.
func rest() { usleep(5_000) }
