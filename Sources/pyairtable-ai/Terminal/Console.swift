import Domain
import Foundation

/// What a command says: results on stdout, everything else on stderr.
enum Console {
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static func writeLine(_ value: JSONValue) { write(value.encoded() + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

    static func writeError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes all of `bytes`. A reader that went away ends the program quietly, as other tools do.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor,
                    UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                    rest.count
                )
                if written < 0 {
                    if errno == EINTR { continue }
                    if errno == EPIPE { exit(0) }
                    let reason = String(cString: strerror(errno))
                    if descriptor == STDOUT_FILENO { writeError("error: writing standard output failed: \(reason)\n") }
                    exit(1)
                }
                rest = rest.dropFirst(written)
            }
        }
    }
}
