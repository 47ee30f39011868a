import Domain
import Logging
import Synchronization

/// Records when keys, or sessions, were used last, at most once a minute each, without any request waiting for it.
///
/// A request must not wait: on SQLite a write can queue behind a long import. So uses are noted in memory and written
/// together by one task, of which there is one at a time; this object owns it and cancels it when it goes. What is
/// not written when the process dies is lost, which costs a minute of precision.
final class LastUses<ID: Hashable & Comparable & Sendable>: Sendable {
    typealias Uses = [(id: ID, tenant: TenantID, time: Instant)]

    /// Microseconds.
    private static var interval: Int64 { 60_000_000 }

    private struct Use: Sendable {
        let tenant: TenantID
        let time: Instant
    }

    private struct State: Sendable {
        /// When each one's use was noted last by this process.
        var noted: [ID: Instant] = [:]
        /// Not yet written.
        var pending: [ID: Use] = [:]
        var writer: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let write: @Sendable (Uses) async throws -> Void

    /// - Parameter write: stores uses, in order of their ids, and gives up after a while.
    init(capacity: Int, write: @escaping @Sendable (Uses) async throws -> Void) {
        self.capacity = capacity
        self.write = write
    }

    deinit { state.withLock { $0.writer?.cancel() } }

    /// Notes that `id` was used at `time`. Returns at once.
    ///
    /// - Parameter stored: the last use that the row tells of.
    func note(_ id: ID, tenant: TenantID, at time: Instant, stored: Instant?, logger: Logger) {
        state.withLock { state in
            let last = max(state.noted[id], stored)
            if let last, time.microseconds - last.microseconds < Self.interval { return }
            if state.noted.count >= capacity { state.noted.removeAll(keepingCapacity: true) }
            state.noted[id] = time
            // At the bound a use is dropped; it is asked for again in a minute.
            guard state.pending.count < capacity else { return }
            state.pending[id] = Use(tenant: tenant, time: time)
            guard state.writer == nil else { return }
            // Unstructured, because the request that starts it must not wait for it; owned by `state.writer`.
            state.writer = Task { [weak self, write] in
                while let uses = self?.takePending() {
                    do {
                        try await write(uses)
                    } catch {
                        // The request itself is not worse for it.
                        logger.warning(
                            "last use not recorded",
                            metadata: ["error": "\(error)", "uses": "\(uses.count)"]
                        )
                    }
                }
            }
        }
    }

    /// Returns when all that was noted before is written, or was given up.
    func flush() async {
        await state.withLock { $0.writer }?.value
    }

    private func takePending() -> Uses? {
        state.withLock { state in
            guard !state.pending.isEmpty, !Task.isCancelled else {
                state.writer = nil
                return nil
            }
            defer { state.pending.removeAll(keepingCapacity: true) }
            // In one order in every process, so that two writers never wait for each other.
            return state.pending.map { (id: $0.key, tenant: $0.value.tenant, time: $0.value.time) }
                .sorted { $0.id < $1.id }
        }
    }
}

/// How long a write of uses may queue.
let lastUseTimeout = Duration.seconds(30)

private func max(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left, let right else { return left ?? right }
    return left < right ? right : left
}
