#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whose turn it is to write, among the processes (and pools) that share a SQLite file.
///
/// SQLite's lock is taken by whoever asks first after it was let go, and the process that just let go asks
/// first: a busy writer starves the others. So who wants SQLite's lock first takes its turn, keeps it only
/// while waiting for SQLite's lock, and lets it go. A busy writer then finds the turn taken and waits, and the
/// other gets SQLite's lock next. The lock is `flock` on an empty file beside the database: the kernel frees it
/// when its holder dies.
final class TurnLock: Sendable {
    /// -1 when the file can't be opened, such as in a read-only directory: then nobody takes turns.
    private let descriptor: Int32

    init(databasePath: String) {
        descriptor = open(databasePath + "-turn", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Waits until it is our turn; false when `waits` said to stop.
    func take(while waits: () -> Bool) -> Bool {
        guard descriptor >= 0 else { return true }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // Anything but "somebody has it" is no reason not to write.
            guard errno == EWOULDBLOCK || errno == EINTR else { return true }
            guard waits() else { return false }
            usleep(1_000)
        }
        return true
    }

    func yield() {
        if descriptor >= 0 { flock(descriptor, LOCK_UN) }
    }
}
