import Access
import Chat
import Domain
import Logging
import NIOCore
import NIOWebSocket
import ServiceLifecycle
import Synchronization

/// Drives one WebSocket: reads frames, asks `SocketSession` what to do, and does it.
///
/// Messages are acted on one after the other, in the order they came. Each followed run has a task of its own that
/// writes its events: what the client does not take holds up the run's reader, which then reads from the store again,
/// so nothing piles up here.
final class SocketConnection: Sendable {
    typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    private struct Account {
        /// Of the close frame that was sent; 1006 for a connection that just went.
        var code: UInt16 = 1006
        var messageCount = 0
    }

    private let gateway: GatewayResponder
    private let hub: SocketHub
    private let admission: SocketAdmission
    private let session: Mutex<SocketSession>
    private let account = Mutex(Account())

    init(gateway: GatewayResponder, hub: SocketHub, admission: SocketAdmission) {
        self.gateway = gateway
        self.hub = hub
        self.admission = admission
        session = Mutex(SocketSession(heartbeatInterval: gateway.heartbeatInterval, at: .now))
    }

    /// Runs until the connection is over.
    func run(_ frames: Frames) async {
        let started = ContinuousClock.now
        do {
            try await frames.executeThenClose { inbound, outbound in
                await run(inbound, SocketWriter(outbound, frames.channel), frames.channel)
            }
        } catch {
            // Closing what is closed already; there is nobody left to tell.
            admission.context.logger.trace("socket", metadata: ["error": "\(error)"])
        }
        let account = account.withLock { $0 }
        hub.ended(account.code)
        admission.context.logger.info(
            "socket",
            metadata: [
                "code": .stringConvertible(account.code), "messages": .stringConvertible(account.messageCount),
                "duration_ms": .string(AccessLog.milliseconds(started.duration(to: .now))),
            ]
        )
    }

    private func run(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>,
        _ writer: SocketWriter,
        _ channel: any Channel
    ) async {
        let stop = StopSignal()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.tick(writer) }
                group.addTask {
                    if await stop.wait() == .shutdown { self.handle(.end(.goingAway), writer) }
                }
                let isWhole = await self.read(inbound, writer, &group)
                stop.fire(.complete)
                group.cancelAll()
                guard !isWhole else { return }
                // The client may still be sending; closing at once would take the close frame from it.
                writer.end(in: LingeringClose.grace)
                try? await channel.closeFuture.get()
            }
        } onGracefulShutdown: {
            stop.fire(.shutdown)
        }
    }

    // MARK: Reading

    /// - Returns: false when the client broke the protocol, so that no more of it can be read.
    private func read(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>,
        _ writer: SocketWriter,
        _ group: inout DiscardingTaskGroup
    ) async -> Bool {
        do {
            for try await frame in inbound {
                guard let event = Self.event(of: frame) else { continue }
                for action in session.withLock({ $0.handle(event, at: .now) }) {
                    switch action {
                    case .perform(let message): await perform(message, writer, &group)
                    case .reply(let message): await send(message, writer)
                    case .finish: return true
                    case .ping, .pong, .close: act(action, writer)
                    }
                }
            }
            return true
        } catch {
            guard let close = Self.close(for: error) else { return true }
            handle(.broken(close), writer)
            return false
        }
    }

    private static func event(of frame: WebSocketFrame) -> SocketSession.Event? {
        let bytes = Array(buffer: frame.unmaskedData)
        switch frame.opcode {
        case .text: return .text(bytes)
        case .binary: return .binary
        case .ping: return .ping(bytes)
        case .pong: return .pong
        case .connectionClose:
            if bytes.isEmpty { return .close(nil) }
            // One byte is no code, and a reason is UTF-8 (RFC 6455, 5.5.1).
            guard bytes.count >= 2, String(validating: bytes.dropFirst(2), as: UTF8.self) != nil else {
                return .close(0)
            }
            return .close(UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        default: return nil
        }
    }

    /// Nil when it is the connection that ended.
    private static func close(for error: any Error) -> SocketClose? {
        switch error {
        case NIOWebSocketError.invalidFrameLength, NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge,
            NIOWebSocketFrameAggregator.Error.tooManyFragments:
            .tooLarge
        case is NIOWebSocketError, is NIOWebSocketFrameAggregator.Error, is FrameRules.Violation: .protocolError
        default: nil
        }
    }

    // MARK: Acting

    /// For events that ask for nothing but control frames.
    private func handle(_ event: SocketSession.Event, _ writer: SocketWriter) {
        for action in session.withLock({ $0.handle(event, at: .now) }) { act(action, writer) }
    }

    private func act(_ action: SocketSession.Action, _ writer: SocketWriter) {
        switch action {
        case .ping: writer.control(.ping)
        case .pong(let bytes): writer.control(.pong, bytes)
        case .close(let close):
            account.withLock { $0.code = close.code }
            writer.close(close)
        case .finish: writer.end(in: LingeringClose.grace)
        case .perform, .reply: preconditionFailure("\(action) needs the reader")
        }
    }

    private func send(_ message: ServerMessage, _ writer: SocketWriter) async {
        // A client that is gone ends the reader as well.
        try? await writer.write([message.json.encoded()])
    }

    private func perform(_ message: ClientMessage, _ writer: SocketWriter, _ group: inout DiscardingTaskGroup) async {
        hub.count(message.kind)
        account.withLock { $0.messageCount += 1 }
        let chat = gateway.services.chat
        do {
            let context = try await renewedContext()
            let deadline = ContinuousClock.now + gateway.requestTimeout
            switch message.action {
            case .send(let conversation, let content, let parent, let settings):
                let run = try await RequestDeadline.run(until: deadline) {
                    try await chat.send(content, to: conversation, parent: parent, settings: settings, context: context)
                }
                await send(.accepted(run, id: message.id), writer)
                follow(run.id, after: 0, message.id, context, writer, &group)
            case .follow(let id, let after):
                let run = try await RequestDeadline.run(until: deadline) { try await chat.run(id, context: context) }
                await send(.following(run, after: after, id: message.id), writer)
                follow(id, after: after, message.id, context, writer, &group)
            case .cancel(let id):
                try await RequestDeadline.run(until: deadline) { try await chat.cancel(id, context: context) }
                await send(.cancelling(id, id: message.id), writer)
            case .ping: await send(.pong(id: message.id), writer)
            }
        } catch {
            await refuse(error, id: message.id, writer)
        }
    }

    /// The caller as they are now: a key may have been revoked since the handshake.
    private func renewedContext() async throws -> Domain.RequestContext {
        let context = try await gateway.services.access.renewed(admission.context, timeout: gateway.requestTimeout)
        try context.require(.chat)
        return context
    }

    private func refuse(_ error: any Error, id: String?, run: RunID? = nil, _ writer: SocketWriter) async {
        let failure = error as? any Failure ?? UnknownFailure(error)
        AccessLog.report(failure, admission.context.logger)
        await send(.error(failure, id: id, run: run), writer)
        if failure.kind == .unauthenticated { handle(.end(.unauthenticated), writer) }
    }

    private func follow(
        _ run: RunID,
        after: Int,
        _ id: String?,
        _ context: Domain.RequestContext,
        _ writer: SocketWriter,
        _ group: inout DiscardingTaskGroup
    ) {
        guard session.withLock({ $0.follow(run) }) else { return }
        let access = gateway.services.access
        let chat = gateway.services.chat
        group.addTask {
            do {
                let context = access.child(of: context, timeout: .seconds(Limits.streamSeconds))
                try await chat.follow(run, after: after, context: context) { events in
                    try await writer.write(events.map { $0.wireBytes })
                }
                self.session.withLock { $0.unfollow(run) }
            } catch {
                self.session.withLock { $0.unfollow(run) }
                // Cancelled with the socket, closed, or the client is gone: then nobody listens.
                if !Task.isCancelled, !writer.isClosed { await self.refuse(error, id: id, run: run, writer) }
            }
        }
    }

    // MARK: Time

    /// Pings into silence, ends a dead or stalled connection, and one whose key died: with runs that are followed within
    /// `keyCheckInterval`, without within a heartbeat.
    private func tick(_ writer: SocketWriter) async {
        let watch = KeyWatch(
            access: gateway.services.access,
            context: admission.context,
            permission: .chat,
            interval: gateway.keyCheckInterval
        )
        var nextBeat = ContinuousClock.now + gateway.heartbeatInterval
        while true {
            do { try await Task.sleep(for: min(gateway.heartbeatInterval, watch.interval)) } catch { return }
            let isBeat = ContinuousClock.now >= nextBeat
            if isBeat { nextBeat = .now + gateway.heartbeatInterval }
            if writer.isStalled(for: .seconds(Limits.streamStallSeconds)) { return writer.end() }
            if isBeat || session.withLock({ !$0.following.isEmpty }), await watch.isDead() {
                handle(.end(.unauthenticated), writer)
            }
            if isBeat { handle(.tick, writer) }
        }
    }
}
