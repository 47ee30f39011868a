import Domain
import Logging
import Synchronization

/// Records when keys were used last, at most once a minute each, without any request waiting for it.
///
/// A request must not wait: on SQLite a write can queue behind a long import. So uses are noted in memory and written
/// together by one task, of which there is one at a time; this object owns it and cancels it when it goes. What is
/// not written when the process dies is lost, which costs a minute of precision.
final class KeyUsage: Sendable {
    static let interval = Duration.seconds(60)
    /// How long one write may queue.
    static let writeTimeout = Duration.seconds(30)

    private struct Use: Sendable {
        let tenant: TenantID
        let time: Instant
    }

    private struct State: Sendable {
        /// When each key's use was noted last by this process.
        var noted: [KeyID: Instant] = [:]
        /// Not yet written.
        var pending: [KeyID: Use] = [:]
        var writer: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let store: AccessStore
    private let capacity: Int

    init(store: AccessStore, capacity: Int) {
        self.store = store
        self.capacity = capacity
    }

    deinit { state.withLock { $0.writer?.cancel() } }

    /// Notes that `key` was used at `time`. Returns at once.
    func note(_ key: AccessStore.StoredKey, at time: Instant, logger: Logger) {
        let minute = Int64(Self.interval.components.seconds) * 1_000_000
        state.withLock { state in
            let last = max(state.noted[key.key.id], key.key.lastUsedTime)
            if let last, time.microseconds - last.microseconds < minute { return }
            if state.noted.count >= capacity { state.noted.removeAll(keepingCapacity: true) }
            state.noted[key.key.id] = time
            // At the bound a use is dropped; its key asks again in a minute.
            guard state.pending.count < capacity else { return }
            state.pending[key.key.id] = Use(tenant: key.tenant, time: time)
            guard state.writer == nil else { return }
            // Unstructured, because the request that starts it must not wait for it; owned by `state.writer`.
            state.writer = Task { [weak self, store] in
                while let uses = self?.takePending() {
                    await Self.write(uses, store, logger)
                }
            }
        }
    }

    /// Returns when all that was noted before is written, or was given up.
    func flush() async {
        await state.withLock { $0.writer }?.value
    }

    private func takePending() -> [(key: KeyID, tenant: TenantID, time: Instant)]? {
        state.withLock { state in
            guard !state.pending.isEmpty, !Task.isCancelled else {
                state.writer = nil
                return nil
            }
            defer { state.pending.removeAll(keepingCapacity: true) }
            return state.pending.map { ($0.key, $0.value.tenant, $0.value.time) }
        }
    }

    private static func write(
        _ uses: [(key: KeyID, tenant: TenantID, time: Instant)],
        _ store: AccessStore,
        _ logger: Logger
    ) async {
        do {
            try await store.recordUse(uses, deadline: .now + writeTimeout)
        } catch {
            // The request itself is not worse for it.
            logger.warning("last use of keys not recorded", metadata: ["error": "\(error)", "keys": "\(uses.count)"])
        }
    }
}

private func max(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left, let right else { return left ?? right }
    return left < right ? right : left
}
