import HummingbirdCore
import Synchronization

/// What a request still has to do when its answer has been written: to count it and write its line of the log.
///
/// A client waits for nothing of that.
final class AfterAnswer: Sendable {
    /// Of the request that this task answers; nil where nobody says when an answer was written, as in tests without a socket.
    @TaskLocal private static var current: AfterAnswer?

    private let work = Mutex<(@Sendable () -> Void)?>(nil)

    /// Does `work` when the answer of this task's request has been written, or cannot be; at once where nobody says when.
    static func perform(_ work: @escaping @Sendable () -> Void) {
        guard let current else { return work() }
        current.work.withLock { $0 = work }
    }

    /// - Parameter responder: makes an answer and writes it.
    /// - Returns: one that does afterwards what was left for then.
    static func following(_ responder: @escaping HTTPChannelHandler.Responder) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            let after = AfterAnswer()
            defer { after.work.withLock { $0.take() }?() }
            // What a closure captures it cannot consume, but take.
            var held: ResponseWriter? = consume writer
            try await Self.$current.withValue(after) {
                guard let writer = held.take() else { preconditionFailure("an answer is written once") }
                try await responder(request, writer, channel)
            }
        }
    }
}
