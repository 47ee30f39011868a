#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A lock for many readers or one writer; a waiting writer goes before new readers.
///
/// The standard library has only `Mutex`, under which searches would wait for each other.
final class ReadWriteLock: Sendable {
    // The lock's own memory: never moved, touched only by the functions made for it.
    private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        lock = .allocate(capacity: 1)
        #if os(Linux)
            var attributes = pthread_rwlockattr_t()
            pthread_rwlockattr_init(&attributes)
            // 2: PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, else a stream of searches starves the writer.
            pthread_rwlockattr_setkind_np(&attributes, 2)
            pthread_rwlock_init(lock, &attributes)
            pthread_rwlockattr_destroy(&attributes)
        #else
            pthread_rwlock_init(lock, nil)
        #endif
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func read<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        let code = pthread_rwlock_rdlock(lock)
        precondition(code == 0, "taking a read lock failed: \(code)")
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    func write<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        let code = pthread_rwlock_wrlock(lock)
        precondition(code == 0, "taking a write lock failed: \(code)")
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    /// True when nobody held the lock at this moment.
    func isIdle() -> Bool {
        guard pthread_rwlock_trywrlock(lock) == 0 else { return false }
        pthread_rwlock_unlock(lock)
        return true
    }
}
