import Domain
import NIOCore
import NIOPosix
public import NIOSSL

/// Hands mails to a relay by SMTP, a connection each: they are few, and a kept connection is one that dies unnoticed.
public final class SMTPMailer: Mailer {
    private let relay: SMTPRelay
    private let tls: NIOSSLContext

    /// - Parameter roots: who is believed to have named the relay; the system's by default.
    /// - Throws: what NIOSSL says when those cannot be read.
    public init(_ relay: SMTPRelay, roots: NIOSSLTrustRoots = .default) throws {
        self.relay = relay
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = roots
        tls = try NIOSSLContext(configuration: configuration)
    }

    public func send(_ message: MailMessage, timeout: Duration) async throws(OutboundError) {
        let limit = TimeAmount(timeout)
        let relay = relay
        let tls = tls
        let group = MultiThreadedEventLoopGroup.singleton
        let done = group.next().makePromise(of: Void.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if relay.protection == .implicit { try pipeline.addHandler(SMTPHandler.tls(tls, relay.host)) }
                        try pipeline.addHandler(SMTPHandler(relay, message, tls, limit, done))
                    }
                }
                .connect(host: relay.host, port: relay.port)
                .get()
        } catch {
            let failure = OutboundError(.cannotConnect, "The mail relay cannot be reached.", detail: "\(error)")
            done.fail(failure)
            throw failure
        }
        do {
            try await done.futureResult.get()
            channel.close(promise: nil)
        } catch {
            channel.close(promise: nil)
            throw error as? OutboundError
                ?? OutboundError(.connectionLost, "The mail relay went away.", detail: "\(error)")
        }
    }
}

/// Drives one `SMTPDialogue` on its connection's event loop.
private final class SMTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let relay: SMTPRelay
    private let tls: NIOSSLContext
    private let limit: TimeAmount
    private let done: EventLoopPromise<Void>
    private var dialogue: SMTPDialogue
    private var unread = ByteBuffer()
    private var isOver = false
    private var alarm: Scheduled<Void>?

    /// The longest line of a reply is 512 bytes (RFC 5321, section 4.5.3.1.5).
    private static let lineBytes = 2_048

    init(
        _ relay: SMTPRelay,
        _ message: MailMessage,
        _ tls: NIOSSLContext,
        _ limit: TimeAmount,
        _ done: EventLoopPromise<Void>
    ) {
        self.relay = relay
        self.tls = tls
        self.limit = limit
        self.done = done
        dialogue = SMTPDialogue(relay, message)
    }

    /// Checks the relay's certificate against its name; an address in numbers has none to be asked for by.
    static func tls(_ context: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        let isNumeric = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isNumeric ? nil : host)
    }

    func channelActive(context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: limit) {
            let (handler, context) = loopBound.value
            handler.fail(OutboundError(.timedOut, "The mail relay took too long."), context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        unread.writeBuffer(&buffer)
        while !isOver, let end = unread.readableBytesView.firstIndex(of: 0x0A) {
            var line = unread.readSlice(length: end - unread.readerIndex + 1) ?? ByteBuffer()
            let text = line.readString(length: line.readableBytes) ?? ""
            perform(
                dialogue.received(String(text.unicodeScalars.filter { $0 != "\r" && $0 != "\n" }.map(Character.init))),
                context
            )
        }
        if unread.readableBytes > Self.lineBytes {
            fail(OutboundError(.malformedReply, "What the mail relay says is no SMTP."), context)
        }
        unread.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(OutboundError(.connectionLost, "The mail relay went away."), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let what =
            error is NIOSSLError || error is BoringSSLError
            ? "TLS with the mail relay failed." : "The mail relay went away."
        fail(OutboundError(.cannotConnect, what, detail: "\(error)"), context)
    }

    private func perform(_ actions: [SMTPDialogue.Action], _ context: ChannelHandlerContext) {
        for action in actions where !isOver {
            switch action {
            case .send(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            case .beginTLS:
                // What came before TLS anybody may have put there: none of it is taken for what the relay says under it.
                guard unread.readableBytes == 0 else {
                    return fail(OutboundError(.malformedReply, "The mail relay spoke before TLS began."), context)
                }
                do {
                    try context.pipeline.syncOperations.addHandler(Self.tls(tls, relay.host), position: .first)
                } catch {
                    return fail(
                        OutboundError(.cannotConnect, "TLS with the mail relay failed.", detail: "\(error)"),
                        context
                    )
                }
                // Held back by the handler of TLS until the certificate is checked.
                perform(dialogue.protected(), context)
            case .accepted:
                done.succeed()
            case .fail(let error):
                fail(error, context)
            }
        }
    }

    private func fail(_ error: OutboundError, _ context: ChannelHandlerContext) {
        isOver = true
        alarm?.cancel()
        // Without effect once the mail was accepted.
        done.fail(error)
        context.close(promise: nil)
    }
}
