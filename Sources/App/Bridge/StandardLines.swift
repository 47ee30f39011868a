@preconcurrency import Dispatch
import Domain
import Foundation
import MCP

/// The lines of a client on one descriptor, and lines for it on another.
///
/// Blocking reads and writes happen on threads of their own. Reading stops while `Limits.bridgeLines` wait, and whoever writes
/// waits until it is written, so that nothing piles up.
package final class StandardLines: Sendable {
    /// Ends with the input; nil for a line that is too long, of which the rest is skipped. `room` bounds it.
    package let lines: AsyncStream<[UInt8]?>

    private let room = DispatchSemaphore(value: Limits.bridgeLines)
    private let output: Int32
    private let writing = DispatchQueue(label: "bridge.output")

    /// - Parameter input: read until it ends or the process does. Both descriptors stay the caller's.
    package init(input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO) {
        self.output = output
        let (lines, continuation) = AsyncStream<[UInt8]?>.makeStream(bufferingPolicy: .unbounded)
        self.lines = lines
        Thread.detachNewThread { [room] in
            var splitter = LineSplitter(byteCountMax: Limits.jsonBytes)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1_024, alignment: 16)
            defer { buffer.deallocate() }
            func deliver(_ line: LineSplitter.Line) {
                room.wait()
                if case .whole(let bytes) = line { continuation.yield(bytes) } else { continuation.yield(nil) }
            }
            while true {
                let count = read(input, buffer.baseAddress, buffer.count)
                if count > 0 {
                    splitter.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]), deliver)
                } else if count == 0 || errno != EINTR && errno != EAGAIN {
                    splitter.finish(deliver)
                    return continuation.finish()
                }
            }
        }
    }

    /// Says that a line was taken out of `lines`.
    package func taken() { room.signal() }

    /// Returns when the line and its line feed are written.
    ///
    /// - Throws: `CancellationError` when nobody reads any more.
    package func write(_ line: [UInt8]) async throws {
        let isWritten = await withCheckedContinuation { continuation in
            writing.async { [output] in continuation.resume(returning: Self.write(line + [0x0A], to: output)) }
        }
        guard isWritten else { throw CancellationError() }
    }

    private static func write(_ bytes: [UInt8], to output: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(output, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR && errno != EAGAIN {
                    return false
                }
            }
            return true
        }
    }
}
