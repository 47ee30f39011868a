import CRE2

/// What REGEX_REPLACE puts in place of a match: text, and pieces of the match.
///
/// `$1` to `$9` are groups, `$0` and `$&` the whole match, `$$` is a dollar sign. A group that the pattern doesn't have
/// is text as it stands, as in JavaScript; one that took no part in the match is empty.
struct ReplacementTemplate {
    private enum Piece {
        case text([UInt8])
        case group(Int)
    }

    private let pieces: [Piece]
    /// How many spans of a match it needs, the match itself among them.
    let spanCount: Int

    init(_ text: String, groupCount: Int) {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var highest = 0
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "$"), let mark = bytes.first else {
                literal.append(byte)
                continue
            }
            if mark == UInt8(ascii: "$") {
                literal.append(mark)
            } else if let group = Self.group(mark), group <= groupCount {
                if !literal.isEmpty { pieces.append(.text(literal)) }
                literal = []
                pieces.append(.group(group))
                highest = max(highest, group)
            } else {
                literal.append(byte)
                continue
            }
            bytes.removeFirst()
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
        self.pieces = pieces
        spanCount = highest + 1
    }

    /// Adds what replaces a match with these spans.
    func append(to result: inout [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ spans: [cre2_span]) {
        for piece in pieces {
            switch piece {
            case .text(let text): result.append(contentsOf: text)
            case .group(let group):
                let span = spans[group]
                if span.start >= 0 { result.append(contentsOf: bytes[span.start..<span.end]) }
            }
        }
    }

    private static func group(_ mark: UInt8) -> Int? {
        if mark == UInt8(ascii: "&") { return 0 }
        let digit = mark &- UInt8(ascii: "0")
        return digit <= 9 ? Int(digit) : nil
    }
}
