import Domain
import NIOCore
import NIOWebSocket
import Synchronization

/// Where the tasks of one socket write. Each message is sent whole.
final class SocketWriter: Sendable {
    private struct Progress {
        var pending = 0
        /// When a write last began while none was waiting, or ended.
        var active = ContinuousClock.now
        /// The close frame is on its way: nothing may stand behind it (RFC 6455, 5.5.1).
        var isClosed = false
    }

    private let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    private let channel: any Channel
    private let progress = Mutex(Progress())

    init(_ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>, _ channel: any Channel) {
        self.outbound = outbound
        self.channel = channel
    }

    /// Sends `messages`, each the text of one, and returns when there is room for more.
    ///
    /// - Throws: also when the close frame was sent.
    func write(_ messages: [[UInt8]]) async throws {
        if isClosed { throw ChannelError.outputClosed }
        progress.withLock {
            if $0.pending == 0 { $0.active = .now }
            $0.pending += 1
        }
        defer {
            progress.withLock {
                $0.pending -= 1
                $0.active = .now
            }
        }
        try await outbound.write(
            contentsOf: messages.map { WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: $0)) }
        )
    }

    /// Sends a control frame beside whatever waits: small, and few by the session's rules. Pings and pongs are left out
    /// while the client takes nothing: it could ask for any number of them.
    func control(_ opcode: WebSocketOpcode, _ bytes: [UInt8] = []) {
        if opcode != .connectionClose, !channel.isWritable { return }
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: opcode, data: ByteBuffer(bytes: bytes)), promise: nil)
    }

    /// Sends the close frame, the last there is, and ends the connection when the client does not.
    func close(_ close: SocketClose) {
        progress.withLock { $0.isClosed = true }
        control(.connectionClose, [UInt8(close.code >> 8), UInt8(close.code & 0xFF)] + Array(close.reason.utf8))
        end(in: .seconds(2))
    }

    /// Ends the connection, whatever waits.
    func end(in delay: TimeAmount = .zero) {
        channel.eventLoop.scheduleTask(in: delay) { [channel] in channel.close(promise: nil) }
    }

    var isClosed: Bool { progress.withLock { $0.isClosed } }

    /// Whether the client has taken nothing of what waits for it for `duration`.
    func isStalled(for duration: Duration) -> Bool {
        progress.withLock { $0.pending > 0 && $0.active.duration(to: .now) >= duration }
    }
}
