import NIOCore
import NIOHTTP1

/// Stands before NIO's upgrade handler and shows it only upgrades that are granted.
///
/// That handler swallows a request which carries `Upgrade` and is not upgraded: its client would wait for ever, be it
/// a refused WebSocket or a browser's offer of `h2c`. So the first request of a connection stops here. One for chat's
/// socket waits for a decision; every other loses its `Upgrade` and goes on as plain HTTP. Until then the connection
/// is nobody's, so this handler also ends it when it stays idle or the server shuts down.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the first request of a connection wants.
    enum Attempt: Sendable {
        case plain
        /// A WebSocket, with a body or without: with one it must be refused.
        case socket(HTTPRequestHead)
    }

    private enum State {
        case waiting
        case deciding(HTTPRequestHead, isEnded: Bool)
        case passing
        case refused
    }

    private let path: String
    private let idleTimeout: TimeAmount?
    private var state = State.waiting
    private var idle: Scheduled<Void>?
    private var promise: EventLoopPromise<Attempt>?

    /// - Parameter attempt: learns what the first request wants; fails when the connection ends before one.
    init(path: String, idleTimeout: TimeAmount?, attempt: EventLoopPromise<Attempt>) {
        self.path = path
        self.idleTimeout = idleTimeout
        promise = attempt
    }

    // MARK: Decisions

    /// Lets the upgrade handler see the request.
    func accept(context: ChannelHandlerContext) {
        guard case .deciding(let head, let isEnded) = state else { return }
        state = .passing
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if isEnded {
            context.fireChannelRead(wrapInboundOut(.end(nil)))
            context.fireChannelReadComplete()
        }
    }

    /// Answers the request and ends the connection.
    func refuse(_ response: HTTPResponseHead, _ body: ByteBuffer, context: ChannelHandlerContext) {
        guard case .deciding = state else { return }
        answer(response, body, context)
    }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) {
        guard let idleTimeout else { return }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        idle = context.eventLoop.scheduleTask(in: idleTimeout) { loopBound.value.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { gone() }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Not looked into: after an upgrade this may be a socket's first bytes.
        if case .passing = state { return context.fireChannelRead(data) }
        switch (state, unwrapInboundIn(data)) {
        case (.waiting, .head(let head)): first(head, context)
        case (.deciding(let head, isEnded: false), .end): state = .deciding(head, isEnded: true)
        case (.deciding, _):
            // A body, or a second request before this one has its answer.
            answer(HTTPResponseHead(version: .http1_1, status: .badRequest), ByteBuffer(), context)
        case (.waiting, _), (.refused, _), (.passing, _): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .waiting, .deciding:
            if error is HTTPParserError {
                answer(HTTPResponseHead(version: .http1_1, status: .badRequest), ByteBuffer(), context)
            } else {
                context.close(promise: nil)
            }
        case .passing: context.fireErrorCaught(error)
        case .refused: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (state, event) {
        case (.waiting, is ChannelShouldQuiesceEvent), (.deciding, is ChannelShouldQuiesceEvent),
            (.waiting, ChannelEvent.inputClosed), (.deciding, ChannelEvent.inputClosed):
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Private

    private func first(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if isSocket(head) {
            // The decision has a deadline of its own.
            idle?.cancel()
            state = .deciding(head, isEnded: false)
            promise?.succeed(.socket(head))
            promise = nil
            return
        }
        idle?.cancel()
        state = .passing
        promise?.succeed(.plain)
        promise = nil
        context.fireChannelRead(wrapInboundOut(.head(Self.withoutUpgrade(head))))
    }

    private func isSocket(_ head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.uri.prefix { $0 != "?" } == path
            && head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }

    private static func withoutUpgrade(_ head: HTTPRequestHead) -> HTTPRequestHead {
        guard head.headers.contains(name: "upgrade") else { return head }
        var head = head
        head.headers.remove(name: "upgrade")
        head.headers.remove(name: "http2-settings")
        let options = head.headers[canonicalForm: "connection"]
            .filter { !["upgrade", "http2-settings"].contains($0.lowercased()) }
        head.headers.remove(name: "connection")
        if !options.isEmpty { head.headers.add(name: "connection", value: options.joined(separator: ", ")) }
        return head
    }

    private func answer(_ head: HTTPResponseHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        state = .refused
        var head = head
        head.headers.replaceOrAdd(name: "connection", value: "close")
        head.headers.replaceOrAdd(name: "content-length", value: "\(body.readableBytes)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            let context = loopBound.value
            context.close(mode: .output, promise: nil)
            // What still arrives is dropped, so that the answer is not thrown away with it.
            context.eventLoop.scheduleTask(in: LingeringClose.grace) { loopBound.value.close(promise: nil) }
        }
        gone()
    }

    private func gone() {
        idle?.cancel()
        promise?.fail(ChannelError.eof)
        promise = nil
    }
}
