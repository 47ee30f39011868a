import Domain
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes whole lines to a descriptor, in the order they were given, on a thread of its own.
///
/// `enqueue` never blocks; whoever produces lines awaits `waitForRoom` now and then, so that a peer that reads
/// slowly slows them. When the peer is gone, lines are dropped and `failed` has been called.
final class LineWriter: Sendable {
    private let descriptor: Int32
    private let wake: WakePipe
    private let isPipe: Bool
    private let state: Mutex<State>

    /// - Parameter descriptor: stays the caller's.
    init(descriptor: Int32) throws(MCPError) {
        self.descriptor = descriptor
        wake = try WakePipe()
        isPipe = Self.isPipe(descriptor)
        state = Mutex(State())
    }

    /// Starts the thread, once.
    ///
    /// - Parameter failed: called there once when the descriptor takes no more.
    func start(failed: @escaping @Sendable () -> Void) throws(MCPError) {
        try startThread { [self] in
            let isFailed = writeLines()
            let (waiting, closing) = state.withLock { $0.finish() }
            for continuation in waiting { continuation.resume() }
            closing?.resume()
            if isFailed { failed() }
        }
    }

    /// Adds a line, which must hold no LF; the writer appends one.
    ///
    /// A short line that nothing is before, and that a pipe takes at once, is written here: waking the thread takes longer.
    func enqueue(_ line: [UInt8]) {
        let wasEmpty = state.withLock { state in
            guard !state.isFinished else { return false }
            if isPipe, state.isIdle, line.count < chunkByteCount, writeNow(line) { return false }
            defer { state.enqueue(line) }
            return state.queue.isEmpty
        }
        if wasEmpty { wake.signal() }
    }

    /// Returns when little enough waits to be written, at once after `release`.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let mayGoOn = state.withLock { state in
                if state.hasRoom { return true }
                state.waiting.append(continuation)
                return false
            }
            if mayGoOn { continuation.resume() }
        }
    }

    /// Whether nothing more will be written.
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// From now on nobody waits for room: the connection ends.
    func release() {
        let waiting = state.withLock { state in
            state.isReleased = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when everything was written, or when `grace` is over; what is left then is dropped.
    func close(within grace: Duration) async {
        release()
        // Owned here: cancelled as soon as the writer's thread is done.
        let timer = Task {
            try await Task.sleep(for: grace)
            state.withLock { $0.isAbandoned = true }
            wake.signal()
        }
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                state.isClosing = true
                if !state.isFinished { state.closing = continuation }
                return state.isFinished
            }
            if isFinished { continuation.resume() } else { wake.signal() }
        }
        timer.cancel()
    }

    /// Runs until closed or abandoned (false), or until the descriptor fails (true).
    private func writeLines() -> Bool {
        while true {
            let (bytes, isOver, waiting) = state.withLock { $0.takeAll() }
            for continuation in waiting { continuation.resume() }
            if isOver { return false }
            if bytes.isEmpty {
                _ = waitUntilReady(reading: -1, or: wake)
                wake.drain()
                continue
            }
            switch write(bytes) {
            case .done: continue
            case .abandoned: return false
            case .failed: return true
            }
        }
    }

    /// Whether the pipe took all of it; what went wrong otherwise is for the thread to find.
    private func writeNow(_ line: [UInt8]) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&request, 1, 0) == 1, request.revents == Int16(POLLOUT) else { return false }
        // Up to this size a pipe takes all or nothing (pipe(7), PIPE_BUF).
        let bytes = line + [0x0A]
        return withoutPipeSignal { bytes.withUnsafeBytes { systemWrite(descriptor, $0) } }
            == bytes.count
    }

    private static func isPipe(_ descriptor: Int32) -> Bool {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO
    }

    private enum WriteOutcome { case done, abandoned, failed }

    private func write(_ bytes: [UInt8]) -> WriteOutcome {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let ready = waitUntilReady(writing: descriptor, or: wake)
                if ready.wake { wake.drain() }
                if state.withLock({ $0.isAbandoned }) { return .abandoned }
                guard ready.descriptor else { continue }
                let count = systemWrite(
                    descriptor,
                    UnsafeRawBufferPointer(start: base, count: min(rest.count, chunkByteCount))
                )
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR && errno != EAGAIN {
                    return .failed
                }
            }
            return .done
        }
    }

    private struct State {
        var queue: [[UInt8]] = []
        var queuedByteCount = 0
        /// Taken by the thread and not yet wholly written.
        var writingByteCount = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var closing: CheckedContinuation<Void, Never>?
        var isReleased = false
        var isClosing = false
        var isAbandoned = false
        var isFinished = false

        var isIdle: Bool { queue.isEmpty && writingByteCount == 0 && !isClosing && !isAbandoned }

        var hasRoom: Bool {
            isReleased || isFinished || queuedByteCount + writingByteCount < Limits.mcpQueueBytes
        }

        mutating func enqueue(_ line: [UInt8]) {
            queue.append(line)
            queuedByteCount += line.count + 1
        }

        /// All that waits, as one run of bytes; called when what was taken before is written.
        mutating func takeAll() -> (bytes: [UInt8], isOver: Bool, waiting: [CheckedContinuation<Void, Never>]) {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(queuedByteCount)
            for line in queue {
                bytes += line
                bytes.append(0x0A)
            }
            queue = []
            queuedByteCount = 0
            writingByteCount = bytes.count
            let isOver = isAbandoned || (isClosing && bytes.isEmpty)
            guard hasRoom else { return (bytes, isOver, []) }
            defer { waiting = [] }
            return (bytes, isOver, waiting)
        }

        mutating func finish() -> (
            waiting: [CheckedContinuation<Void, Never>], closing: CheckedContinuation<Void, Never>?
        ) {
            isFinished = true
            queue = []
            (queuedByteCount, writingByteCount) = (0, 0)
            defer { (waiting, closing) = ([], nil) }
            return (waiting, closing)
        }
    }
}

/// A pipe that polls as writable takes this much (PIPE_BUF) without blocking.
private let chunkByteCount = 4_096

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
