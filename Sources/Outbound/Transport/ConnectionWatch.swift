import AsyncHTTPClient
import Domain
import NIOCore
import NIOHTTP1

/// Looks at one connection of the pool: where it leads, and whether it died before it answered anything.
///
/// The client library reports a connection lost in the same words whether it was new (then the server may have
/// worked on the request) or had been idle and was closed by the server just as we wrote to it (then it has not). The
/// difference decides whether sending again is right, so this handler, which stands where it sees requests and
/// replies, fails the latter with an error of its own.
final class ConnectionWatch: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart

    /// The server had closed this pooled connection; nothing was answered.
    struct Stale: Error {}

    /// The connection leads where it may not.
    struct Refused: Error {}

    private var requestCount = 0
    private var isUnanswered = false

    /// To be called on the channel's event loop, when its HTTP handlers are in place.
    static func install(in channel: any Channel, addresses: AddressGuard?) throws {
        if let addresses {
            guard let remote = channel.remoteAddress, let port = remote.port,
                let address = remote.ipAddress.flatMap(IPAddress.init),
                addresses.permitsConnection(to: address, port: port)
            else {
                // The library forgets a connection that is refused here; it would stay open.
                channel.close(promise: nil)
                throw Refused()
            }
        }
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(ConnectionWatch(), position: .after(decoder))
    }

    static func wasStale(_ error: any Error) -> Bool {
        if error is Stale { return true }
        // The pool handed out a connection that was closed before the request was written to it.
        if let error = error as? ChannelError, case .ioOnClosedChannel = error { return true }
        return false
    }

    /// Whether a stale connection may have carried the request to the server all the same.
    static func wasWritten(_ error: any Error) -> Bool { error is Stale }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head = unwrapOutboundIn(data) {
            requestCount += 1
            isUnanswered = true
        }
        context.write(data, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isUnanswered = false
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(isStale ? Stale() : error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isStale { context.fireErrorCaught(Stale()) }
        context.fireChannelInactive()
    }

    private var isStale: Bool { isUnanswered && requestCount > 1 }
}
