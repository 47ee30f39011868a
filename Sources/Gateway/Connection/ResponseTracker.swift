import NIOCore
import NIOHTTP1

/// Tells the `WireGuard` how far the answer to its request is, and makes the connection end where it has to.
///
/// Stands behind the decoder, so that it sees answers before they are bytes; removed when the connection is upgraded.
final class ResponseTracker: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let wire: WireGuard
    private var wireContext: ChannelHandlerContext?
    private var isClosing = false

    init(wire: WireGuard) { self.wire = wire }

    func handlerAdded(context: ChannelHandlerContext) {
        wireContext = try? context.pipeline.syncOperations.context(handler: wire)
    }

    func handlerRemoved(context: ChannelHandlerContext) { wireContext = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200 || head.status == .switchingProtocols:
            wire.answerBegan()
            isClosing = wire.closesAfterAnswer || head.headers[canonicalForm: "connection"].contains("close")
            if isClosing { head.headers.replaceOrAdd(name: "connection", value: "close") }
            if wire.isVersion10 {
                // Without it an answer of unknown length would come in chunks.
                head.version = .http1_0
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            guard isClosing else {
                context.write(data, promise: promise)
                if let wireContext { wire.answerEnded(isLast: false, context: wireContext) }
                return
            }
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in
                let context = loopBound.value
                context.close(mode: .output, promise: nil)
                context.eventLoop.scheduleTask(in: LingeringClose.grace) { loopBound.value.close(promise: nil) }
            }
            context.write(data, promise: written)
            if let wireContext { wire.answerEnded(isLast: true, context: wireContext) }
        default: context.write(data, promise: promise)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of a connection in the middle of a body is no fault of its bytes.
        let isEnd = [.invalidEOFState, .closedConnection].contains(error as? HTTPParserError)
        if error is HTTPParserError, !isEnd, let wireContext { wire.refuseParsed(context: wireContext) }
        context.fireErrorCaught(error)
    }
}
