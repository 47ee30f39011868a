import Domain
import Foundation

/// What a command says: results on stdout, everything else on stderr.
enum Console {
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// Text that came from records or a model, for people.
    static func writeText(_ text: String) { write(printable(text)) }

    /// Text of records and models as a terminal may be given it: what commands it (control characters but for line feed
    /// and tab) or turns the order of what stands beside it is written as `\u{1B}`; carriage returns go. Pieces of a text
    /// may come one by one. JSON escapes such characters, and needs none of this.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isCommanding) else { return text }
        return text.unicodeScalars.reduce(into: "") { plain, scalar in
            if scalar == "\r" { return }
            if isCommanding(scalar) {
                plain += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                plain.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isCommanding(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0x00..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

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
