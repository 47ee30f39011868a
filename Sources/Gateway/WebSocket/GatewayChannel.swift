import Domain
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// One connection of the public listener: HTTP, or after a granted handshake a WebSocket.
struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
    typealias HTTPConnection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    enum Connection: Sendable {
        case http(HTTPConnection)
        case socket(SocketConnection.Frames)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        /// What the first request wants.
        let attempt: EventLoopFuture<UpgradeFilter.Attempt>
        /// What the connection then is.
        let connection: EventLoopFuture<Connection>
    }

    let responder: HTTPChannelHandler.Responder
    let configuration: HTTP1Channel.Configuration
    let times: WireGuard.Times
    let gateway: GatewayResponder
    let hub: SocketHub
    let ledger: ConnectionLedger
    let tls: TLSKeeper?

    // MARK: Pipeline

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let peer = RemoteAddress(channel)
            let isWithin = ledger.opened(peer)
            channel.closeFuture.whenComplete { [ledger] _ in ledger.closed(peer) }
            let wire = WireGuard(times: times, isSurplus: !isWithin) { [gateway] in gateway.refusal($0, from: $1) }
            let tracker = ResponseTracker(wire: wire)
            let attempt = channel.eventLoop.makePromise(of: UpgradeFilter.Attempt.self)
            let encoder = HTTPResponseEncoder()
            let decoder = ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits)
            )
            let filter = UpgradeFilter(
                path: SocketHandshake.path,
                idleTimeout: configuration.idleTimeout,
                attempt: attempt
            )
            let upgrade = NIOTypedHTTPServerUpgradeHandler(
                httpEncoder: encoder,
                extraHTTPHandlers: [decoder, tracker, filter],
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                    upgraders: [socketUpgrader],
                    notUpgradingCompletionHandler: { channel in addHTTP(to: channel, logger) }
                )
            )
            if let tls { try pipeline.addHandler(tls.makeHandler()) }
            try pipeline.addHandler(wire)
            try pipeline.addHandler(encoder)
            try pipeline.addHandler(decoder)
            try pipeline.addHandler(tracker)
            try pipeline.addHandler(filter)
            try pipeline.addHandler(upgrade)
            return Value(channel: channel, attempt: attempt.futureResult, connection: upgrade.upgradeResultFuture)
        }
    }

    private var decoderLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = configuration.httpDecoder.maxHeaderFieldSize
        limits.maxHeaderListSize = configuration.httpDecoder.maxHeaderListSize
        limits.maxHeaderFieldCount = configuration.httpDecoder.maxHeaderFieldCount
        return limits
    }

    /// Whatever gets this far was accepted by the filter.
    private var socketUpgrader: NIOTypedWebSocketServerUpgrader<Connection> {
        NIOTypedWebSocketServerUpgrader(
            maxFrameSize: Limits.socketMessageBytes,
            enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(FrameRules())
                    try pipeline.addHandler(
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0,
                            maxAccumulatedFrameCount: Limits.socketFragments,
                            maxAccumulatedFrameSize: Limits.socketMessageBytes
                        )
                    )
                    let frames = SocketConnection.Frames.self
                    let socket = try frames.init(wrappingChannelSynchronously: channel)
                    try pipeline.handler(type: WireGuard.self).becomeRaw()
                    return .socket(socket)
                }
            }
        )
    }

    private func addHTTP(to channel: any Channel, _ logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandlers(configuration.additionalChannelHandlers())
            try pipeline.addHandler(
                HTTPConnectionStateHandler(idleTimeout: configuration.idleTimeout.map { Duration($0) }, logger: logger)
            )
            return .http(
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true)
                )
            )
        }
    }

    // MARK: Life

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            do {
                var admission: SocketAdmission?
                if case .socket(let head) = try await value.attempt.get() {
                    admission = try await decide(head, value.channel)
                }
                switch try await value.connection.get() {
                case .http(let connection):
                    await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
                        await handleHTTP(asyncChannel: connection, logger: logger)
                    }
                case .socket(let frames):
                    guard let admission else { preconditionFailure("a socket that nobody admitted") }
                    await SocketConnection(gateway: gateway, hub: hub, admission: admission).run(frames)
                }
            } catch {
                // The client went before it was anybody's, or its handshake was refused.
                logger.trace("connection ended early", metadata: ["error": "\(error)"])
                // A refused client gets a moment to read why; the filter ends that.
                try? await value.channel.closeFuture.get()
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }

    /// - Throws: when the handshake was refused; it has its answer then.
    private func decide(_ head: HTTPRequestHead, _ channel: any Channel) async throws -> SocketAdmission {
        switch await gateway.handshake(head, hub: hub, peer: RemoteAddress(channel)) {
        case .accepted(let admission):
            try await channel.eventLoop.submit {
                let context = try channel.pipeline.syncOperations.context(handlerType: UpgradeFilter.self)
                (context.handler as? UpgradeFilter)?.accept(context: context)
            }.get()
            return admission
        case .refused(let response, let body):
            try await channel.eventLoop.submit {
                let context = try channel.pipeline.syncOperations.context(handlerType: UpgradeFilter.self)
                (context.handler as? UpgradeFilter)?.refuse(response, body, context: context)
            }.get()
            throw ChannelError.eof
        }
    }
}
