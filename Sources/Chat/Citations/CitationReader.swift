package import Domain

/// Finds citations in text that comes in pieces.
///
/// A citation is `[recX]`, `[recX/fldY]`, several of them in one bracket separated by commas, semicolons or spaces, the
/// same in `【…】`, or a bare `recX` or `recX/fldY` that is a word of its own. Everything else is text; but a number in
/// brackets, `[7]`, becomes `(7)`: that is how markers look, and only the server makes those. What is decided
/// depends on the whole text only, never on how it was cut; of the text only what may still become a citation, with the
/// spaces in front of it, is held back.
package struct CitationReader: Sendable {
    package enum Piece: Sendable, Hashable {
        case text(String)
        /// What stood together; `lead` are the spaces in front, which go where the citations go.
        case references([Reference], lead: String)
    }

    /// One thing cited.
    package struct Reference: Sendable, Hashable {
        package var record: RecordID
        package var field: FieldID?

        package init(record: RecordID, field: FieldID? = nil) {
            self.record = record
            self.field = field
        }
    }

    /// Longer brackets are text: an answer that cites more at once cites nothing in particular.
    static let bracketBytesMax = 1_024

    /// Digits of a number that could be taken for a marker.
    static let digitsMax = 6

    private var held: [UInt8] = []
    /// The last byte that was taken, for telling words apart.
    private var previous = UInt8(ascii: " ")

    package init() {}

    /// Takes the next piece, and gives what is decided by now.
    package mutating func feed(_ text: String) -> [Piece] {
        held.append(contentsOf: text.utf8)
        return take(isAtEnd: false)
    }

    /// The text is over: what was held back is decided. Can be fed again, as if after a space.
    package mutating func finish() -> [Piece] {
        defer { previous = UInt8(ascii: " ") }
        return take(isAtEnd: true)
    }

    /// What may still become a citation.
    package var heldByteCount: Int { held.count }

    private enum Match {
        case references([Reference], end: Int)
        /// What looks like a marker: the number is to be shown otherwise.
        case number(Range<Int>, end: Int)
        case none
        /// Not to be told before more has come.
        case open
    }

    private mutating func take(isAtEnd: Bool) -> [Piece] {
        let bytes = held
        var pieces: [Piece] = []
        var textStart = 0
        var position = 0
        scan: while position < bytes.count {
            let lead = position
            while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
            if position > lead { previous = UInt8(ascii: " ") }
            var match = Match.none
            if position < bytes.count {
                match = self.match(bytes, position, isAtEnd: isAtEnd)
            } else if !isAtEnd {
                match = .open
            }
            switch match {
            case .open:
                position = lead
                break scan
            case .references(let references, let end):
                Self.add(bytes[textStart..<lead], to: &pieces)
                let spaces = String(decoding: bytes[lead..<position], as: UTF8.self)
                pieces.append(.references(references, lead: spaces))
                previous = bytes[end - 1]
                position = end
                textStart = end
            case .number(let digits, let end):
                Self.add(bytes[textStart..<position], to: &pieces)
                pieces.append(.text("(\(String(decoding: bytes[digits], as: UTF8.self)))"))
                previous = bytes[end - 1]
                position = end
                textStart = end
            case .none:
                guard position < bytes.count else { break scan }
                previous = bytes[position]
                position += 1
            }
        }
        Self.add(bytes[textStart..<position], to: &pieces)
        held.removeFirst(position)
        return pieces
    }

    private static func add(_ bytes: ArraySlice<UInt8>, to pieces: inout [Piece]) {
        if !bytes.isEmpty { pieces.append(.text(String(decoding: bytes, as: UTF8.self))) }
    }

    private func match(_ bytes: [UInt8], _ start: Int, isAtEnd: Bool) -> Match {
        var scanner = Scanner(bytes: bytes, position: start, isAtEnd: isAtEnd)
        switch bytes[start] {
        case UInt8(ascii: "["):
            if let number = scanner.number() { return number }
            return scanner.bracket()
        case 0xE3: return scanner.bracket()
        case UInt8(ascii: "r") where !Scanner.isWord(previous): return scanner.bare()
        default: return .none
        }
    }

    /// Reads one candidate.
    private struct Scanner {
        let bytes: [UInt8]
        var position: Int
        let isAtEnd: Bool

        private enum Step<Value> {
            case value(Value)
            case none
            case open
        }

        /// `[7]`; nil when it is something else.
        func number() -> Match? {
            var end = position + 1
            while end < bytes.count, (0x30...0x39).contains(bytes[end]), end - position <= CitationReader.digitsMax {
                end += 1
            }
            guard end > position + 1 else { return nil }
            guard end < bytes.count else { return isAtEnd ? nil : .open }
            return bytes[end] == UInt8(ascii: "]") ? .number((position + 1)..<end, end: end + 1) : nil
        }

        mutating func bracket() -> Match {
            let start = position
            switch skip(bytes[start] == 0xE3 ? Self.opening : [UInt8(ascii: "[")]) {
            case .open: return .open
            case .none: return .none
            case .value: break
            }
            var references: [Reference] = []
            while true {
                let isSeparated = skipSeparators()
                guard position - start <= CitationReader.bracketBytesMax else { return .none }
                guard position < bytes.count else { return isAtEnd ? .none : .open }
                switch close() {
                case .open: return .open
                case .value: return references.isEmpty ? .none : .references(references, end: position)
                case .none: break
                }
                guard references.isEmpty || isSeparated else { return .none }
                switch reference() {
                case .open: return .open
                case .none: return .none
                case .value(let reference): references.append(reference)
                }
            }
        }

        mutating func bare() -> Match {
            switch reference() {
            case .open: .open
            case .none: .none
            case .value(let reference): .references([reference], end: position)
            }
        }

        static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }

        /// `rec…` or `rec…/fld…`, at the end of which a word ends.
        private mutating func reference() -> Step<Reference> {
            let start = position
            switch identifier(RecordID.self, "rec") {
            case .open: return .open
            case .none: return .none
            case .value(let record):
                let end = position
                guard end < bytes.count, bytes[end] == UInt8(ascii: "/") else {
                    return .value(Reference(record: record))
                }
                position += 1
                switch identifier(FieldID.self, "fld") {
                case .open:
                    position = start
                    return .open
                case .none:
                    position = end
                    return .value(Reference(record: record))
                case .value(let field):
                    return .value(Reference(record: record, field: field))
                }
            }
        }

        private mutating func identifier<Kind>(
            _ type: Identifier<Kind>.Type,
            _ prefix: StaticString
        ) -> Step<Identifier<Kind>> {
            let length = 3 + type.suffixLength
            for offset in 0..<length {
                guard position + offset < bytes.count else { return isAtEnd ? .none : .open }
                let byte = bytes[position + offset]
                let fits = offset < 3 ? byte == prefix.utf8Start[offset] : Self.isAlphanumeric(byte)
                guard fits else { return .none }
            }
            let end = position + length
            // A longer word is no identifier.
            if end < bytes.count {
                guard !Self.isWord(bytes[end]) else { return .none }
            } else if !isAtEnd {
                return .open
            }
            guard let identifier = type.init(String(decoding: bytes[position..<end], as: UTF8.self)) else {
                return .none
            }
            position = end
            return .value(identifier)
        }

        private mutating func skipSeparators() -> Bool {
            let start = position
            while position < bytes.count, Self.separators.contains(bytes[position]) { position += 1 }
            return position > start
        }

        private mutating func close() -> Step<Void> {
            switch bytes[position] {
            case UInt8(ascii: "]"):
                position += 1
                return .value(())
            case 0xE3: return skip(Self.closing)
            default: return .none
            }
        }

        private mutating func skip(_ expected: [UInt8]) -> Step<Void> {
            for (offset, byte) in expected.enumerated() {
                guard position + offset < bytes.count else { return isAtEnd ? .none : .open }
                guard bytes[position + offset] == byte else { return .none }
            }
            position += expected.count
            return .value(())
        }

        private static let opening = Array("【".utf8)
        private static let closing = Array("】".utf8)
        private static let separators: [UInt8] = Array(" ,;\t".utf8)

        private static func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
    }
}
