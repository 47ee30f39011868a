import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization

/// An answer's body that is written while the client reads it.
struct ReplyStream: Sendable {
    /// Sent when nothing was written for a while; nil for silence.
    let heartbeat: [UInt8]?
    /// How much `write` writes; nil when nobody knows.
    var byteCount: Int64?
    var isOpenEnded = false
    /// Has `write` come to its end, when the server shuts down.
    var finish: (@Sendable () async -> Void)?
    let write: @Sendable (ReplyWriter) async throws -> Void
}

/// How a streamed answer ended. The raw value is a metric's label.
enum StreamEnd: String, Sendable, Hashable, CaseIterable {
    /// The handler was done.
    case complete
    /// The client went away.
    case gone
    /// The client took nothing for `Limits.streamStallSeconds`.
    case stalled
    /// The server is shutting down.
    case shutdown
    /// `Limits.streamSeconds` were over: the client may come back.
    case tooLong
    /// The caller's key was revoked, ran out or lost the permission: who comes back is told so.
    case keyDied
    /// The handler failed. The connection is cut, so that the client can tell.
    case failed
}

/// Where the handler of a streamed answer writes. May be used from several tasks; each write is sent whole.
struct ReplyWriter: Sendable {
    fileprivate struct Progress: Sendable {
        var byteCount = 0
        var isBroken = false
        /// Writes that have not returned.
        var pending = 0
        /// When the last write began or ended.
        var active = ContinuousClock.now
        /// Bytes written since the event loop was last waited for.
        var unsettled = 0
    }

    /// Hummingbird's writer, from any task.
    ///
    /// `@unchecked`: the server's writer is a value around a `NIOAsyncChannelOutboundWriter`, which may be called
    /// from any task, and a write through a copy is a write through the original; so is the test framework's, around
    /// a locked box. `ResponseBodyWriter` just does not say `Sendable`.
    fileprivate final class Sink: @unchecked Sendable {
        let writer: any ResponseBodyWriter
        let loop: any EventLoop
        let progress = Mutex(Progress())

        init(_ writer: any ResponseBodyWriter, _ loop: any EventLoop) {
            self.writer = writer
            self.loop = loop
        }
    }

    fileprivate let sink: Sink

    /// How much may be written before the event loop has had a turn.
    private static let settlingBytes = 1 << 18

    /// - Parameter loop: the connection's.
    init(_ writer: any ResponseBodyWriter, on loop: any EventLoop) { sink = Sink(writer, loop) }

    /// Sends `bytes`, and returns when there is room for more.
    ///
    /// - Throws: when the client is gone; `CancellationError` when the stream is to end.
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        sink.progress.withLock {
            $0.pending += 1
            $0.active = .now
        }
        do {
            var writer = sink.writer
            try await writer.write(ByteBuffer(bytes: bytes))
            let isSettling = sink.progress.withLock { progress in
                progress.unsettled += bytes.count
                guard progress.unsettled >= Self.settlingBytes else { return false }
                progress.unsettled = 0
                return true
            }
            // The writer learns on the loop that the connection is full: until that has a turn it takes whatever comes.
            if isSettling { try await sink.loop.submit {}.get() }
            sink.progress.withLock {
                $0.byteCount += bytes.count
                $0.pending -= 1
                $0.active = .now
            }
        } catch {
            sink.progress.withLock {
                $0.pending -= 1
                $0.isBroken = $0.isBroken || !(error is CancellationError)
            }
            throw error
        }
    }

    /// Sends a heartbeat; without one the look itself counts as activity.
    func beat(_ heartbeat: [UInt8]?) async throws {
        if let heartbeat { try await write(heartbeat) } else { sink.progress.withLock { $0.active = .now } }
    }

    var byteCount: Int { sink.progress.withLock { $0.byteCount } }
    /// Whether the connection refused a write.
    var isBroken: Bool { sink.progress.withLock { $0.isBroken } }
    /// When the last write began or ended, and whether one is waiting for the client.
    var activity: (last: ContinuousClock.Instant, isWaiting: Bool) {
        sink.progress.withLock { ($0.active, $0.pending > 0) }
    }
}
