import Domain
import Foundation
import Synchronization

/// A file of one request: written from its start to its end, then read. Removed with its last reference.
///
/// May be used from any thread; writes go one after the other.
public final class SpooledFile: Sendable {
    public let path: String
    private let descriptor: Int32
    private let byteLimit: Int64
    private let place: SpoolPlace
    private let state = Mutex(State())

    private struct State {
        var byteCount: Int64 = 0
        var isAbandoned = false
    }

    init(path: String, descriptor: Int32, byteLimit: Int64, place: SpoolPlace) {
        self.path = path
        self.descriptor = descriptor
        self.byteLimit = byteLimit
        self.place = place
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// What is written so far.
    public var byteCount: Int64 { state.withLock { $0.byteCount } }

    /// - Throws: `.tooLarge`, `.full`, `.unusable`; `CancellationError` when nobody wants it any more.
    public func write(_ bytes: some Collection<UInt8>) throws {
        let done: Void? = try bytes.withContiguousStorageIfAvailable { try write($0) }
        if done == nil { try Array(bytes).withUnsafeBufferPointer { try write($0) } }
    }

    private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        try state.withLock { state in
            if state.isAbandoned { throw CancellationError() }
            guard state.byteCount + Int64(bytes.count) <= byteLimit else {
                throw SpoolError(.tooLarge, "More than \(byteLimit) bytes.", detail: nil)
            }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeBufferPointer(rebasing: rest)
                let count = pwrite(descriptor, piece.baseAddress, piece.count, off_t(state.byteCount))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Self.failure() }
                state.byteCount += Int64(count)
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Begins again with nothing.
    func restart() throws {
        try state.withLock { state in
            if state.isAbandoned { throw CancellationError() }
            guard ftruncate(descriptor, 0) == 0 else { throw Self.failure() }
            state.byteCount = 0
        }
    }

    /// Nobody wants it any more: the next write ends its writer.
    func abandon() { state.withLock { $0.isAbandoned = true } }

    /// At most `count` bytes from `offset` on; none at the end.
    public func read(at offset: Int64, count: Int) throws(SpoolError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var got = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            while got < 0, errno == EINTR { got = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
            failed = got < 0
            filled = max(0, got)
        }
        if failed { throw .unusable("\(path) can't be read") }
        return bytes
    }

    private static func failure() -> SpoolError {
        let code = errno
        if code == ENOSPC || code == EDQUOT {
            return SpoolError(.full, "The disk is full.", detail: nil)
        }
        return .unusable(String(cString: strerror(code)))
    }
}
