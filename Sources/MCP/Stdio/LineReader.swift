import Domain
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads lines from a descriptor on a thread of its own and hands them over one by one.
///
/// The thread also decodes, so that neither blocking nor parsing happens on the cooperative pool. It stops
/// reading while enough lines wait (back-pressure), and ends at end of file, at an error or at `stop`.
final class LineReader<Element: Sendable>: Sendable {
    private let descriptor: Int32
    private let lineByteCountMax: Int
    private let decode: @Sendable (LineSplitter.Line) -> Element?
    private let wake: WakePipe
    private let state: Mutex<State>

    /// - Parameters:
    ///   - descriptor: stays the caller's.
    ///   - decode: makes an element of a line, or nil to skip it. Called on the reader's thread.
    init(
        descriptor: Int32,
        lineByteCountMax: Int,
        decode: @escaping @Sendable (LineSplitter.Line) -> Element?
    ) throws(MCPError) {
        self.descriptor = descriptor
        self.lineByteCountMax = lineByteCountMax
        self.decode = decode
        wake = try WakePipe()
        state = Mutex(State())
    }

    /// Starts the thread, once.
    ///
    /// - Parameter ended: called there once, after the last line was read and perhaps before it is taken.
    func start(ended: @escaping @Sendable () -> Void) throws(MCPError) {
        try startThread { [self] in
            let failure = readLines()
            state.withLock { $0.end(failure) }?.resume(returning: nil)
            ended()
        }
    }

    /// The next element; nil at the end, after `stop`, and when the calling task is cancelled, which stops the
    /// reader. One task at a time may wait here.
    func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isDecided, element, madeRoom) = state.withLock { $0.take(orWait: continuation) }
                if madeRoom { wake.signal() }
                if isDecided { continuation.resume(returning: element) }
            }
        } onCancel: {
            stop()
        }
    }

    /// Ends reading. Lines that were not taken are dropped.
    func stop() {
        state.withLock { $0.stop() }?.resume(returning: nil)
        wake.signal()
    }

    /// Why reading ended, when that was an error.
    var failure: MCPError? { state.withLock { $0.failure } }

    private func readLines() -> MCPError? {
        var splitter = LineSplitter(byteCountMax: lineByteCountMax)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferByteCount, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let ready = waitUntilReady(reading: descriptor, or: wake)
            if ready.wake { wake.drain() }
            if state.withLock({ $0.isStopped }) { return nil }
            guard ready.descriptor else { continue }
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 {
                splitter.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { deliver($0) }
            } else if count == 0 {
                splitter.finish { deliver($0) }
                return nil
            } else if errno != EINTR && errno != EAGAIN {
                return .transport("read", errno: errno)
            }
        }
    }

    /// Hands a line over, waiting for room; does nothing once stopped.
    private func deliver(_ line: LineSplitter.Line) {
        guard let element = decode(line) else { return }
        while true {
            switch state.withLock({ $0.offer(element, byteCount: line.byteCount + lineByteCountExtra) }) {
            case .taken(let waiting):
                return waiting.resume(returning: element)
            case .queued, .stopped:
                return
            case .full:
                // Only a consumer that makes room, or `stop`, wakes us.
                _ = waitUntilReady(reading: -1, or: wake)
                wake.drain()
            }
        }
    }

    private enum Offer {
        case taken(CheckedContinuation<Element?, Never>)
        case queued
        case full
        case stopped
    }

    private struct State {
        var queue: [(element: Element, byteCount: Int)] = []
        var queuedByteCount = 0
        var waiting: CheckedContinuation<Element?, Never>?
        var isAtEnd = false
        var isStopped = false
        var failure: MCPError?

        var isFull: Bool { queuedByteCount >= Limits.mcpQueueBytes }

        mutating func offer(_ element: Element, byteCount: Int) -> Offer {
            if isStopped { return .stopped }
            if let waiting {
                self.waiting = nil
                return .taken(waiting)
            }
            if isFull { return .full }
            queue.append((element, byteCount))
            queuedByteCount += byteCount
            return .queued
        }

        /// Takes the first element, or nil at the end; else keeps the continuation (`isDecided` is false).
        mutating func take(
            orWait continuation: CheckedContinuation<Element?, Never>
        ) -> (isDecided: Bool, element: Element?, madeRoom: Bool) {
            if queue.isEmpty {
                if isAtEnd || isStopped { return (true, nil, false) }
                precondition(waiting == nil, "one task at a time may wait for a line")
                waiting = continuation
                return (false, nil, false)
            }
            let wasFull = isFull
            let first = queue.removeFirst()
            queuedByteCount -= first.byteCount
            return (true, first.element, wasFull && !isFull)
        }

        mutating func end(_ failure: MCPError?) -> CheckedContinuation<Element?, Never>? {
            isAtEnd = true
            self.failure = failure
            defer { waiting = nil }
            return waiting
        }

        mutating func stop() -> CheckedContinuation<Element?, Never>? {
            isStopped = true
            queue = []
            queuedByteCount = 0
            defer { waiting = nil }
            return waiting
        }
    }
}

/// One `read`: as much as a pipe holds.
private let bufferByteCount = 64 * 1_024
/// What a line counts besides its bytes, since a decoded line takes more room than its text.
private let lineByteCountExtra = 4 * 1_024
