#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Locks for the lists of nodes while several threads build: a slot's lock is one of a fixed number.
///
/// Only writers take them, one at a time each, so there is no order to keep. `@unchecked Sendable`: the
/// locks' memory is never moved and touched only by the functions made for it.
final class NodeLocks: @unchecked Sendable {
    private let locks: UnsafeMutablePointer<pthread_mutex_t>
    private static let count = 4_096

    init() {
        locks = .allocate(capacity: Self.count)
        for position in 0..<Self.count { pthread_mutex_init(locks + position, nil) }
    }

    deinit {
        for position in 0..<Self.count { pthread_mutex_destroy(locks + position) }
        locks.deallocate()
    }

    @inline(__always)
    func with(_ slot: UInt32, _ body: () -> Void) {
        let lock = locks + (Int(slot) & (Self.count - 1))
        pthread_mutex_lock(lock)
        body()
        pthread_mutex_unlock(lock)
    }

    /// Guards the entry point.
    func withEntry(_ body: () -> Void) { with(UInt32(Self.count - 1), body) }
}
