import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("A streamed answer")
struct StreamTests {
    private static let request = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("sends its head at once, and each write as it is made")
    func headAtOnce() async throws {
        let (first, second) = (Signal(), Signal())
        try await withStream { writer in
            await first.wait()
            try await writer.write(Array("one".utf8))
            await second.wait()
            try await writer.write(Array("two".utf8))
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            try await connection.read(until: "\r\n\r\n")
            #expect(connection.text.hasPrefix("HTTP/1.1 200 "))
            #expect(connection.text.lowercased().contains("content-type: text/event-stream"))
            #expect(connection.text.lowercased().contains("cache-control: no-store"))
            await first.fire()
            try await connection.read(until: "3\r\none\r\n")
            #expect(!connection.text.contains("two"))
            await second.fire()
            try await connection.read { $0.isWholeChunked }
            #expect(connection.bytes.httpBody == Array("onetwo".utf8))
        }
    }

    @Test("leaves the connection to the next request")
    func nextRequest() async throws {
        try await withStream {
            try await $0.write(Array("one".utf8))
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            try await connection.read { $0.isWholeChunked }
            try await connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            try await connection.read(until: #"{"status":"ok"}"#)
        }
    }

    @Test("fills silence with comments, for longer than a request may take")
    func heartbeat() async throws {
        let done = Signal()
        let interval = Duration.milliseconds(20)
        try await withStream(heartbeatInterval: interval, requestTimeout: interval * 5) { writer in
            await done.wait()
            try await writer.write(Array("data: x\n\n".utf8))
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            let comments = [UInt8](Array(repeating: ServerSentEvent.comment, count: 20).joined())
            try await connection.read { ($0.httpBody?.count ?? 0) >= comments.count }
            #expect(connection.bytes.httpBody?.starts(with: comments) == true)
            await done.fire()
            try await connection.read { $0.isWholeChunked }
            let body = try #require(connection.bytes.httpBody)
            #expect(readEvents(body) == [ReadEvent(id: nil, type: nil, data: Array("x".utf8))])
        }
    }

    @Test("is cut when a heartbeat is what its client does not take", .timeLimit(.minutes(1)))
    func stalledHeartbeat() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let run = StreamRun(
            stream: ReplyStream(heartbeat: ServerSentEvent.comment) { _ in try await Task.sleep(for: .seconds(600)) },
            channel: channel,
            heartbeatInterval: .milliseconds(10),
            keyWatch: nil,
            stallLimit: .milliseconds(20),
            grace: .zero,
            lengthLimit: .seconds(600)
        )
        #expect(await run.run(ReplyWriter(StuckWriter(), on: channel.eventLoop)).end == .stalled)
        try await channel.closeFuture.get()
    }

    @Test("ends its handler when the client goes away in silence")
    func clientGone() async throws {
        let (started, ended) = (Signal(), Signal())
        try await withStream { writer in
            await started.fire()
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                await ended.fire()
                throw error
            }
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            await started.wait()
            connection.close()
            await ended.wait()
            try await server.expectEnd(.gone)
        }
    }

    @Test("ends, properly, when the server shuts down")
    func shutdown() async throws {
        let (started, ended) = (Signal(), Signal())
        try await withStream { writer in
            try await writer.write(Array("data: x\n\n".utf8))
            await started.fire()
            do { try await Task.sleep(for: .seconds(600)) } catch { await ended.fire() }
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            await started.wait()
            await server.group.triggerGracefulShutdown()
            await ended.wait()
            let bytes = await connection.readToEnd()
            #expect(bytes.isWholeChunked)
            try await server.expectEnd(.shutdown)
        }
    }

    @Test("GW-13: goes on to its own end when the server shuts down")
    func grace() async throws {
        let (started, release) = (Signal(), Signal())
        try await withStream(drainGrace: .seconds(60)) { writer in
            try await writer.write(Array("data: x\n\n".utf8))
            await started.fire()
            await release.wait()
            try await writer.write(Array("data: y\n\n".utf8))
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            await started.wait()
            await server.group.triggerGracefulShutdown()
            try await eventually("nobody new is taken") { (try? await ByteConnection(port: server.port)) == nil }
            await release.fire()
            let bytes = await connection.readToEnd()
            #expect(bytes.isWholeChunked)
            #expect(bytes.httpBody.map { readEvents($0).map(\.data) } == [Array("x".utf8), Array("y".utf8)])
            try await server.expectEnd(.complete)
        }
    }

    @Test("is cut when its handler fails, so that the client can tell")
    func failure() async throws {
        try await withStream { writer in
            try await writer.write(Array("data: x\n\n".utf8))
            throw GatewayError(.timedOut, "Too late.")
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            let bytes = await connection.readToEnd()
            #expect(bytes.contains("data: x\n\n".utf8))
            #expect(!bytes.isWholeChunked)
            let line = try await server.expectEnd(.failed)
            #expect(line.metadata["code"] == "timedOut")
        }
    }

    @Test("gives HEAD its head and no more, without calling the handler")
    func head() async throws {
        try await withStream { _ in
            Issue.record("called for HEAD")
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            let text = String(decoding: await connection.readToEnd(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 "))
            #expect(text.lowercased().contains("content-type: text/event-stream"))
            #expect(text.lowercased().contains("connection: close"))
            #expect(text.hasSuffix("\r\n\r\n") && !text.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test("waits for a client that reads slowly")
    func backPressure() async throws {
        let written = Atomic(0)
        let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 18)
        let (chunks, bound) = (512, 24 << 20)
        try await withStream { writer in
            for _ in 0..<chunks {
                try await writer.write(chunk)
                written.add(chunk.count, ordering: .relaxed)
            }
        } body: { server in
            let connection = try await ByteConnection(port: server.port, readsAll: false)
            try await connection.send(Self.request)
            // Far below the 128 MB there are; what the system buffers on both sides is a few.
            while !connection.isEnded, connection.bytes.count < 32 << 20 {
                _ = await connection.readSome()
                #expect(written.load(ordering: .relaxed) - connection.bytes.count < bound)
            }
            #expect(written.load(ordering: .relaxed) < chunks * chunk.count)
            connection.close()
            try await server.expectEnd(.gone)
        }
    }

    @Test("is counted and logged when it ends, with its bytes")
    func account() async throws {
        let done = Signal()
        try await withStream { writer in
            try await writer.write(Array("12345".utf8))
            await done.wait()
        } body: { server in
            let connection = try await ByteConnection(port: server.port)
            try await connection.send(Self.request)
            try await connection.read(until: "12345")
            #expect(server.metrics.text().contains(#"pyairtable_http_streams_open{listener="public"} 1"#))
            #expect(!server.log.lines.contains { $0.message == "request" })
            await done.fire()
            try await connection.read { $0.isWholeChunked }
            let line = try await server.expectEnd(.complete)
            #expect(line.metadata["bytes"].map { "\($0)" } == "5")
            #expect(line.metadata["route"] == "/stream")
            let text = server.metrics.text()
            #expect(text.contains(#"pyairtable_http_streams_open{listener="public"} 0"#))
            #expect(text.contains(#"pyairtable_http_requests_in_flight{listener="public"} 0"#))
            #expect(text.contains(#"pyairtable_http_stream_bytes_total{listener="public",route="/stream"} 5"#))
            #expect(
                text.contains(#"pyairtable_http_streams_total{end="complete",listener="public",route="/stream"} 1"#)
            )
        }
    }

    @Test("the text of an event has one line of each kind and ends with an empty one")
    func eventText() {
        let bytes = ServerSentEvent.bytes(id: "7", type: "text.delta", data: Array(#"{"a":"\u2028"}"#.utf8))
        #expect(String(decoding: bytes, as: UTF8.self) == "id: 7\nevent: text.delta\ndata: {\"a\":\"\\u2028\"}\n\n")
        #expect(String(decoding: ServerSentEvent.bytes(data: [0x78]), as: UTF8.self) == "data: x\n\n")
    }

    // MARK: A server with one stream

    private struct Running: Sendable {
        let port: Int
        let group: ServiceGroup
        let log: LogRecorder
        let metrics: PrometheusRegistry

        /// Waits for the stream's log line.
        @discardableResult
        func expectEnd(_ end: StreamEnd) async throws -> LogRecorder.Line {
            var found: LogRecorder.Line?
            try await eventually("the request is logged") {
                found = log.lines.first { $0.message == "request" }
                return found != nil
            }
            let line = try #require(found)
            #expect(line.metadata["end"] == .string(end.rawValue))
            return line
        }
    }

    private func withStream(
        heartbeatInterval: Duration = .seconds(15),
        requestTimeout: Duration = .seconds(30),
        drainGrace: Duration = .zero,
        _ write: @escaping @Sendable (ReplyWriter) async throws -> Void,
        body: @escaping @Sendable (Running) async throws -> Void
    ) async throws {
        try await withGateway { fixture in
            let route = Route(
                .get,
                "/stream",
                name: "stream",
                summary: "A stream.",
                reply: .other(ServerSentEvent.contentType, "A stream."),
                handler: .open { _ in .events(write) }
            )
            let running = PortSignal()
            let application = GatewayServer.application(
                table: RouteTable([route, OperationRoutes.health]),
                address: .init(host: "127.0.0.1", port: 0),
                name: "public",
                GatewayConfiguration(
                    requestTimeout: requestTimeout,
                    heartbeatInterval: heartbeatInterval,
                    drainGrace: drainGrace
                ),
                fixture.services(),
                fixture.metrics,
                fixture.log.logger(),
                { port in await running.fire(port ?? 0) }
            )
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: application)],
                    logger: fixture.log.logger(.critical)
                )
            )
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                let port = await running.wait()
                do {
                    try await body(Running(port: port, group: group, log: fixture.log, metrics: fixture.metrics))
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }
}

/// A client that takes nothing more.
private struct StuckWriter: ResponseBodyWriter {
    mutating func write(_ buffer: ByteBuffer) async throws { try await Task.sleep(for: .seconds(600)) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
