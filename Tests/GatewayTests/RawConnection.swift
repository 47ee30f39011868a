import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection that sends and receives just the bytes it is told.
struct RawConnection: Sendable {
    private let channel: any Channel
    private let received: EventLoopFuture<String>

    init(port: Int) async throws {
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Collector(promise: promise))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .get()
        } catch {
            promise.fail(error)
            throw error
        }
        received = promise.futureResult
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    func close() { channel.close(promise: nil) }

    /// All that comes until the server closes, at most for 20 seconds.
    func readToEnd() async throws -> String {
        let isTooLate = Atomic(false)
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(20)) { [channel] in
            isTooLate.store(true, ordering: .relaxed)
            channel.close(promise: nil)
        }
        defer { timeout.cancel() }
        let text = try await received.get()
        if isTooLate.load(ordering: .relaxed) { throw NotClosed() }
        return text
    }

    struct NotClosed: Error {}

    /// Keeps what comes, and gives it when the connection is at its end, however that came.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<String>
        private var bytes = ByteBuffer()

        init(promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            bytes.writeBuffer(&part)
        }

        func channelInactive(context: ChannelHandlerContext) { promise.succeed(String(buffer: bytes)) }

        // A reset after the answer is an end, too.
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Fires once; waiting before or after makes no difference.
actor Signal {
    private var isFired = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func fire() {
        isFired = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func wait() async {
        if isFired { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}

/// A signal with a port.
actor PortSignal {
    private let signal = Signal()
    private var port = 0

    func fire(_ port: Int) async {
        self.port = port
        await signal.fire()
    }

    func wait() async -> Int {
        await signal.wait()
        return port
    }
}
