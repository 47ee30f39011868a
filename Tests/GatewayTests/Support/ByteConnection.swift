import NIOCore
import NIOPosix

/// A TCP connection whose bytes can be looked at as they come. For one task at a time.
final class ByteConnection {
    struct Ended: Error, CustomStringConvertible {
        let bytes: [UInt8]
        var description: String { "the connection ended after \(String(decoding: bytes.suffix(400), as: UTF8.self))" }
    }

    private let channel: any Channel
    private var parts: AsyncStream<ByteBuffer>.Iterator
    /// All that came.
    private(set) var bytes: [UInt8] = []
    private(set) var isEnded = false

    /// - Parameter readsAll: false for a client that takes only what it is asked to.
    init(port: Int, readsAll: Bool = true) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: readsAll)
        // Otherwise the system takes in tens of megabytes for a client that reads none, as it sees fit that day.
        if !readsAll { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: 1 << 18) }
        channel = try await bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Forwarder(continuation))
            }
        }
        .connect(host: "127.0.0.1", port: port)
        .get()
        parts = stream.makeAsyncIterator()
        // A test that waits for what never comes ends.
        channel.eventLoop.scheduleTask(in: .seconds(30)) { [channel] in channel.close(promise: nil) }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Waits until what came is enough.
    ///
    /// - Throws: `Ended` when it never is.
    func read(until isEnough: ([UInt8]) -> Bool) async throws {
        while !isEnough(bytes) {
            guard await readSome() else { throw Ended(bytes: bytes) }
        }
    }

    func read(until text: String) async throws { try await read { $0.contains(text.utf8) } }

    func readToEnd() async -> [UInt8] {
        while await readSome() {}
        return bytes
    }

    /// Takes one more piece; for a client that does not read all.
    func readSome() async -> Bool {
        channel.read()
        guard var part = await parts.next() else {
            isEnded = true
            return false
        }
        bytes += part.readBytes(length: part.readableBytes) ?? []
        return true
    }

    func close() { channel.close(promise: nil) }

    private final class Forwarder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

extension [UInt8] {
    func contains(_ part: some Collection<UInt8>) -> Bool { firstRange(of: part) != nil }

    /// The body of an HTTP answer as far as it is whole: chunks joined, the last one perhaps in part. Nil while the
    /// head is not whole.
    var httpBody: [UInt8]? {
        guard let head = firstRange(of: "\r\n\r\n".utf8) else { return nil }
        guard
            String(decoding: self[..<head.lowerBound], as: UTF8.self).lowercased().contains(
                "transfer-encoding: chunked"
            )
        else { return Array(self[head.upperBound...]) }
        var body: [UInt8] = []
        var rest = self[head.upperBound...]
        while let line = rest.firstRange(of: "\r\n".utf8) {
            guard let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
            else { break }
            body += rest[line.upperBound...].prefix(size)
            guard rest.distance(from: line.upperBound, to: rest.endIndex) >= size + 2 else { break }
            rest = rest[(line.upperBound + size + 2)...]
        }
        return body
    }

    /// Whether the last chunk came.
    var isWholeChunked: Bool { suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8) }
}
