import CLibpq
import Dispatch

/// The request to the server to stop the running statement.
///
/// `PQcancel` opens a connection of its own and may hang as long as the network lets it, so it runs elsewhere while
/// the connection's thread goes on waiting for the answer. A request that reaches the server before the
/// statement does is forgotten there, so it is made again while no answer comes.
final class PostgresCancellation {
    /// Why the statement is stopped; nil while it isn't.
    private(set) var reason: DatabaseError?
    /// When to look again: the next request is due, or the server has had long enough to obey.
    private(set) var nextLook: ContinuousClock.Instant?
    private var graceEnd: ContinuousClock.Instant?
    private var sent: CancelRequest?

    private static let interval: Duration = .milliseconds(100)

    /// Whether the server has had long enough to obey.
    var isOverdue: Bool { graceEnd.map { $0 <= .now } ?? false }

    /// Makes the request, or makes it again when it is due.
    func request(_ connection: OpaquePointer, _ reason: DatabaseError, grace: Duration) {
        let now = ContinuousClock.now
        if self.reason == nil {
            self.reason = reason
            graceEnd = now + grace
        } else if let nextLook, now < nextLook {
            return
        }
        nextLook = min(now + Self.interval, graceEnd ?? now)
        guard sent?.isFinished(within: .zero) ?? true, let cancel = PQgetCancel(connection) else { return }
        sent = CancelRequest(cancel)
        sent?.send()
    }

    /// Whether no request is under way any more; waits for `duration` at most.
    func isOver(within duration: Duration) -> Bool { sent?.isFinished(within: duration) ?? true }
}

/// Unchecked, because libpq's PGcancel is made to be used from another thread, and one thread uses it.
private final class CancelRequest: @unchecked Sendable {
    /// A copy of what the request needs; it may outlive the connection.
    private let cancel: OpaquePointer
    private let done = DispatchGroup()

    init(_ cancel: OpaquePointer) { self.cancel = cancel }

    deinit { PQfreeCancel(cancel) }

    func send() {
        DispatchQueue(label: "database.cancel").async(group: done) { [self] in
            var message = [CChar](repeating: 0, count: 256)
            // When it fails the statement runs on, and at the end of the grace the connection is dropped.
            PQcancel(cancel, &message, Int32(message.count))
        }
    }

    func isFinished(within duration: Duration) -> Bool {
        done.wait(timeout: .now() + .seconds(Int(duration.components.seconds))) == .success
    }
}
