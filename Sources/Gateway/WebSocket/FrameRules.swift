import NIOCore
import NIOWebSocket

/// What RFC 6455 asks of frames and NIO leaves open: a client masks (5.1), no reserved bit or opcode is used without
/// an extension (5.2), and nothing follows a close frame (5.5.1).
final class FrameRules: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    enum Violation: Error { case unmasked, reserved }
    struct Closed: Error {}

    private var isBroken = false
    private var isClosed = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        let frame = unwrapInboundIn(data)
        if frame.maskKey == nil { return fail(.unmasked, context) }
        guard frame.reservedBits.isEmpty else { return fail(.reserved, context) }
        switch frame.opcode {
        case .continuation, .text, .binary, .connectionClose, .ping, .pong: context.fireChannelRead(data)
        default: fail(.reserved, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isClosed else {
            promise?.fail(Closed())
            return
        }
        if unwrapOutboundIn(data).opcode == .connectionClose { isClosed = true }
        context.write(data, promise: promise)
    }

    private func fail(_ violation: Violation, _ context: ChannelHandlerContext) {
        isBroken = true
        context.fireErrorCaught(violation)
    }
}
