import NIOCore

/// Knows when the client of a connection is gone: it closed, or it says that it sends no more.
///
/// A client that closes only its sending side and goes on reading is taken for gone as well. No client of an event
/// stream does that, and otherwise a closed one is noticed only by the second write that fails.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private var promise: EventLoopPromise<Void>?
    private var gone: EventLoopFuture<Void>?

    /// Succeeds when the client of `channel` is gone; nil when nobody watches it, as in tests without a socket.
    static func on(_ channel: any Channel) async -> EventLoopFuture<Void>? {
        let found = channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: ClientWatch.self).gone
        }
        // No such handler: then nothing is known before a write fails.
        return try? await found.get()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let promise = context.eventLoop.makePromise(of: Void.self)
        self.promise = promise
        gone = promise.futureResult
    }

    func handlerRemoved(context: ChannelHandlerContext) { fire() }

    func channelInactive(context: ChannelHandlerContext) {
        fire()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { fire() }
        context.fireUserInboundEventTriggered(event)
    }

    private func fire() {
        promise?.succeed(())
        promise = nil
    }
}
