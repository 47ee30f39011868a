#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Wakes a thread that sleeps in `poll`.
///
/// Signals are remembered, not counted: one `drain` takes them all. Any thread may signal; one drains.
final class WakePipe: Sendable {
    /// What to poll for reading.
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(MCPError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .transport("pipe", errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func signal() {
        var byte: UInt8 = 1
        // A full pipe wakes just as well, so a failed write needs no care.
        while write(writeEnd, &byte, 1) < 0, errno == EINTR {}
    }

    func drain() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while true {
                let count = read(readEnd, buffer.baseAddress, buffer.count)
                if count > 0 || (count < 0 && errno == EINTR) { continue }
                return
            }
        }
    }
}

/// Sleeps until one of the descriptors is ready, or has failed or ended, which is ready too.
///
/// - Returns: which of the two are ready; a negative descriptor never is.
func waitUntilReady(reading: Int32, or wake: WakePipe) -> (descriptor: Bool, wake: Bool) {
    wait(for: pollfd(fd: reading, events: Int16(POLLIN), revents: 0), or: wake)
}

/// As above, for writing.
func waitUntilReady(writing: Int32, or wake: WakePipe) -> (descriptor: Bool, wake: Bool) {
    wait(for: pollfd(fd: writing, events: Int16(POLLOUT), revents: 0), or: wake)
}

private func wait(for entry: pollfd, or wake: WakePipe) -> (descriptor: Bool, wake: Bool) {
    var entries = [entry, pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)]
    while poll(&entries, nfds_t(entries.count), -1) < 0 {
        // Only EINTR is possible with valid arguments; anything else counts as ready, and the call after it tells.
        guard errno == EINTR else { return (true, true) }
    }
    return (entries[0].revents != 0, entries[1].revents != 0)
}
