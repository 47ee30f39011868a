import TestSupport
import Testing

@testable import Outbound

@Suite("Connections of the transport")
struct ConnectionTests {
    private func post(_ server: RawServer) -> OutboundRequest {
        OutboundRequest(.post, server.url + "/v1/x", body: Array("{}".utf8))
    }

    @Test("cancelling before the head closes the socket")
    func cancelBeforeHead() async throws {
        let isAsked = Guarded(false)
        let isClosed = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            isAsked.value = true
            try peer.waitForClose()
            isClosed.value = true
        }
        let transport = AsyncHTTPTransport()
        let request = post(server)
        let call = Task { _ = try await transport.send(request) }
        try await eventually("the request") { isAsked.value }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try await eventually("the closing", timeout: .seconds(5)) { isClosed.value }
        await transport.shutdown()
    }

    @Test("cancelling in the middle of a body closes the socket")
    func cancelInBody() async throws {
        let isRead = Guarded(false)
        let isClosed = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk("one")
            try peer.waitForClose()
            isClosed.value = true
        }
        let transport = AsyncHTTPTransport()
        let request = post(server)
        let call = Task {
            for try await _ in try await transport.send(request).body { isRead.value = true }
        }
        try await eventually("the first piece") { isRead.value }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try await eventually("the closing", timeout: .seconds(5)) { isClosed.value }
        await transport.shutdown()
    }

    @Test("leaving a body, and never reading it, closes the socket too", arguments: [true, false])
    func leave(_ readsOnePiece: Bool) async throws {
        let isClosed = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.beginChunks()
            try peer.chunk("one")
            try peer.waitForClose()
            isClosed.value = true
        }
        let transport = AsyncHTTPTransport()
        do {
            let reply = try await transport.send(post(server))
            if readsOnePiece { for try await _ in reply.body { break } }
        }
        try await eventually("the closing", timeout: .seconds(5)) { isClosed.value }
        await transport.shutdown()
    }

    @Test("a connection is used again when its reply was read to the end")
    func reuse() async throws {
        let peers = Guarded<Set<Int>>([])
        let server = try RawServer { peer in
            while try peer.request() != nil {
                peers.update { $0.insert(peer.number) }
                try peer.reply(200, "{}")
            }
        }
        let transport = AsyncHTTPTransport()
        for _ in 0..<5 {
            #expect(try await transport.send(post(server)).body.collect(bytesMax: 10).count == 2)
        }
        #expect(peers.value == [1])
        await transport.shutdown()
    }

    @Test("a pooled connection that dies under the next request, unanswered, is replaced once")
    func pooledConnectionClosed() async throws {
        let requests = Guarded<[Int]>([])
        let server = try RawServer { peer in
            while let _ = try peer.request() {
                requests.update { $0.append(peer.number) }
                // The first connection takes a second request and closes without a word.
                if peer.number == 1, requests.value.count > 1 { return }
                try peer.reply(200, "ok")
            }
        }
        let transport = AsyncHTTPTransport()
        for _ in 0..<2 {
            #expect(try await transport.send(post(server)).body.collect(bytesMax: 10) == Array("ok".utf8))
        }
        #expect(requests.value == [1, 1, 2])
        await transport.shutdown()
    }

    @Test("a new connection that dies unanswered is not: the server may have worked")
    func newConnectionClosed() async throws {
        let requests = Guarded(0)
        let server = try RawServer { peer in
            _ = try peer.request()
            requests.update { $0 += 1 }
        }
        let transport = AsyncHTTPTransport()
        await #expect(throws: OutboundError(.connectionLost, "")) { try await transport.send(post(server)) }
        #expect(requests.value == 1)
        await transport.shutdown()
    }

    @Test("a pooled connection that dies after the first byte of its reply is not replaced")
    func answeredThenClosed() async throws {
        let requests = Guarded(0)
        let server = try RawServer { peer in
            while let _ = try peer.request() {
                let count = Guarded(0)
                requests.update { total in
                    total += 1
                    count.value = total
                }
                if count.value == 1 {
                    try peer.reply(200, "ok")
                } else {
                    try peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                    return
                }
            }
        }
        let transport = AsyncHTTPTransport()
        #expect(try await transport.send(post(server)).body.collect(bytesMax: 10) == Array("ok".utf8))
        await #expect(throws: OutboundError(.connectionLost, "")) {
            try await transport.send(post(server)).body.collect(bytesMax: 10)
        }
        #expect(requests.value == 2)
        await transport.shutdown()
    }

    @Test("shutting down ends calls under way")
    func shutdown() async throws {
        let isAsked = Guarded(false)
        let server = try RawServer { peer in
            _ = try peer.request()
            isAsked.value = true
            try peer.waitForClose()
        }
        let transport = AsyncHTTPTransport()
        let request = post(server)
        let call = Task { _ = try await transport.send(request) }
        try await eventually("the request") { isAsked.value }
        await transport.shutdown()
        await #expect(throws: OutboundError(.closed, "")) { try await call.value }
    }

    @Test("two hundred streams at once, each with its own bytes")
    func manyStreams() async throws {
        let server = try RawServer { peer in
            while let asked = try peer.request() {
                try peer.beginChunks()
                for number in 0..<20 { try peer.chunk("\(asked.path)#\(number);") }
                try peer.endChunks()
            }
        }
        let transport = AsyncHTTPTransport()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for stream in 0..<200 {
                group.addTask {
                    let reply = try await transport.send(OutboundRequest(.get, "\(server.url)/\(stream)"))
                    let text = String(decoding: try await reply.body.collect(bytesMax: 10_000), as: UTF8.self)
                    #expect(text == (0..<20).map { "/\(stream)#\($0);" }.joined())
                }
            }
            try await group.waitForAll()
        }
        await transport.shutdown()
    }
}

@Suite("Keys of outgoing calls")
struct SecretTests {
    private static let key = "AIzaSyD-1234567890abcdefXYZ"

    @Test("LLM-16: a key is printed, dumped and interpolated as redacted")
    func printing() {
        let secret = OutboundSecret(Self.key)
        var dumped = ""
        dump(OutboundRequest(.get, "http://127.0.0.1/", secretHeaders: [("x-goog-api-key", secret)]), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", dumped] {
            #expect(!text.contains(Self.key))
            #expect(text.contains("<redacted>"))
        }
    }

    @Test("LLM-16: what an upstream echoes of a key is taken out: whole, or its halves; of `Bearer KEY` the key")
    func echo() {
        var request = OutboundRequest(.get, "http://127.0.0.1/")
        request.secretHeaders = [("authorization", OutboundSecret("Bearer \(Self.key)"))]
        #expect(request.redacted("API key \(Self.key) not valid") == "API key <redacted> not valid")
        #expect(!request.redacted("Incorrect key: \(Self.key.prefix(15))***").contains(Self.key.prefix(13)))
        #expect(!request.redacted("key ending in \(Self.key.suffix(14))").contains(Self.key.suffix(13)))
        #expect(request.redacted("Bearer of news") == "Bearer of news")
    }

    @Test(
        "a key that no header can carry is an error that does not say it",
        arguments: ["a\r\nb: c", "schlüssel", "a\u{0}b"]
    )
    func unusableKey(_ key: String) async throws {
        let transport = AsyncHTTPTransport()
        let request = OutboundRequest(.get, "http://127.0.0.1:1/", secretHeaders: [("x-api-key", OutboundSecret(key))])
        do {
            _ = try await transport.send(request)
            Issue.record("the key was sent")
        } catch let error as OutboundError {
            #expect(error.code == .invalidAddress)
            #expect(!"\(error)\(error.detail ?? "")".contains(key))
        }
        await transport.shutdown()
    }
}
