/// The string literals of a Swift file, each with what is interpolated into it.
///
/// Enough of the language for this repository: comments, raw and multi-line literals, literals inside interpolations. A
/// regular expression with an odd number of quotes ends its line's literal, and nothing more.
struct SwiftLiterals {
    struct Literal: Hashable {
        /// Interpolations left out.
        var text = ""
        /// Their expressions, with single spaces.
        var interpolations: [String] = []
    }

    private let bytes: [UInt8]
    private var position = 0
    private var found: [Literal] = []

    static func all(in text: String) -> [Literal] {
        var scanner = SwiftLiterals(bytes: Array(text.utf8))
        scanner.code(inParentheses: false)
        return scanner.found
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func isAt(_ text: [UInt8]) -> Bool { bytes[position...].starts(with: text) }

    /// To the end, or behind the parenthesis that closes an interpolation.
    private mutating func code(inParentheses: Bool) {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "/") where isAt(Array("//".utf8)):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "/") where isAt(Array("/*".utf8)):
                while position < bytes.count, !isAt(Array("*/".utf8)) { position += 1 }
                position += 2
            case UInt8(ascii: "#"):
                let start = position
                while position < bytes.count, bytes[position] == UInt8(ascii: "#") { position += 1 }
                if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { literal(hashes: position - start) }
            case UInt8(ascii: "\""): literal(hashes: 0)
            case UInt8(ascii: "("):
                depth += 1
                position += 1
            case UInt8(ascii: ")"):
                position += 1
                if inParentheses, depth == 0 { return }
                depth -= 1
            default: position += 1
            }
        }
    }

    /// The position is at its first quote.
    private mutating func literal(hashes: Int) {
        let quote = Array((isAt(Array("\"\"\"".utf8)) ? "\"\"\"" : "\"").utf8)
        let hashes = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        let (escape, end) = ([UInt8(ascii: "\\")] + hashes, quote + hashes)
        position += quote.count
        var (text, interpolations): ([UInt8], [String]) = ([], [])
        while position < bytes.count {
            if isAt(escape) {
                position += escape.count
                guard position < bytes.count, bytes[position] == UInt8(ascii: "(") else {
                    position += 1
                    continue
                }
                let start = position + 1
                position = start
                code(inParentheses: true)
                let expression = String(decoding: bytes[start..<max(start, position - 1)], as: UTF8.self)
                interpolations.append(expression.split(whereSeparator: \.isWhitespace).joined(separator: " "))
                continue
            }
            if isAt(end) {
                position += end.count
                break
            }
            if bytes[position] == UInt8(ascii: "\n"), quote.count == 1 { break }
            text.append(bytes[position])
            position += 1
        }
        found.append(Literal(text: String(decoding: text, as: UTF8.self), interpolations: interpolations))
    }
}
