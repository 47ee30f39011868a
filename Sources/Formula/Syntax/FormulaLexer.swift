/// Cuts a formula's text into tokens. Works on UTF-8 and remembers bytes; `position(of:)` turns them into what people
/// count.
struct FormulaLexer {
    private let bytes: [UInt8]
    private var index = 0
    /// Where the last token began, in bytes.
    private(set) var tokenStart = 0
    /// Where it ended.
    var tokenEnd: Int { index }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Unicode scalars before that byte.
    func position(of offset: Int) -> Int {
        bytes[..<min(offset, bytes.count)].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }

    func failure(_ message: String, at offset: Int, hint: String? = nil) -> FormulaError {
        FormulaError(.syntax, message, at: position(of: offset), hint: hint)
    }

    mutating func next() throws(FormulaError) -> FormulaToken {
        skipSpaces()
        tokenStart = index
        guard index < bytes.count else { return .end }
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "."):
            guard isDigit(at: index + 1) else { break }
            return try number()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return try string(quote: byte)
        case UInt8(ascii: "{"): return try field()
        default: break
        }
        if let sign = sign(byte) { return sign }
        if let name = name() { return .name(name) }
        throw unexpectedCharacter()
    }

    private mutating func sign(_ byte: UInt8) -> FormulaToken? {
        let hasEquals = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "=")
        let token: (FormulaToken, length: Int)
        switch byte {
        case UInt8(ascii: "("): token = (.open, 1)
        case UInt8(ascii: ")"): token = (.close, 1)
        case UInt8(ascii: ","): token = (.comma, 1)
        case UInt8(ascii: "+"): token = (.plus, 1)
        case UInt8(ascii: "-"): token = (.minus, 1)
        case UInt8(ascii: "*"): token = (.times, 1)
        case UInt8(ascii: "/"): token = (.divide, 1)
        case UInt8(ascii: "&"): token = (.ampersand, 1)
        case UInt8(ascii: "="): token = (.comparison(.equal), 1)
        case UInt8(ascii: "<"): token = hasEquals ? (.comparison(.lessOrEqual), 2) : (.comparison(.less), 1)
        case UInt8(ascii: ">"): token = hasEquals ? (.comparison(.greaterOrEqual), 2) : (.comparison(.greater), 1)
        case UInt8(ascii: "!") where hasEquals: token = (.comparison(.notEqual), 2)
        default: return nil
        }
        index += token.length
        return token.0
    }

    private func isDigit(at position: Int) -> Bool {
        position < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position])
    }

    private mutating func number() throws(FormulaError) -> FormulaToken {
        while isDigit(at: index) { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "."), isDigit(at: index + 1) {
            index += 1
            while isDigit(at: index) { index += 1 }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            let isSigned =
                index + 1 < bytes.count && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[index + 1])
            let digits = index + (isSigned ? 2 : 1)
            if isDigit(at: digits) {
                index = digits
                while isDigit(at: index) { index += 1 }
            }
        }
        guard let value = Double(String(decoding: bytes[tokenStart..<index], as: UTF8.self)) else {
            throw failure("This number cannot be read.", at: tokenStart)
        }
        return .number(value)
    }

    private mutating func string(quote: UInt8) throws(FormulaError) -> FormulaToken {
        index += 1
        var content: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == quote { return .text(String(decoding: content, as: UTF8.self)) }
            guard byte == UInt8(ascii: "\\"), index < bytes.count else {
                content.append(byte)
                continue
            }
            let escaped = bytes[index]
            switch escaped {
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): content.append(escaped)
            case UInt8(ascii: "n"): content.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): content.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): content.append(UInt8(ascii: "\r"))
            // Regular expressions are written with one backslash or two: both are the same text.
            default: content += [byte, escaped]
            }
            index += 1
        }
        throw failure(
            "This text has no end.",
            at: tokenStart,
            hint: "end it with \(quote == UInt8(ascii: "'") ? "'" : "\"")"
        )
    }

    private mutating func field() throws(FormulaError) -> FormulaToken {
        index += 1
        var content: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "}") {
                guard !content.isEmpty else { throw failure("Expected the name of a field in braces.", at: tokenStart) }
                return .field(String(decoding: content, as: UTF8.self))
            }
            if byte == UInt8(ascii: "\\"), index < bytes.count, bytes[index] == UInt8(ascii: "}") {
                content.append(UInt8(ascii: "}"))
                index += 1
            } else {
                content.append(byte)
            }
        }
        throw failure("This field name has no end.", at: tokenStart, hint: "end it with }")
    }

    /// Letters, digits and underscores, the first no digit.
    private mutating func name() -> String? {
        let start = index
        while let scalar = scalar(at: index) {
            let properties = scalar.properties
            let isPart =
                properties.isAlphabetic || scalar == "_" || properties.generalCategory == .nonspacingMark
                || index > start && properties.numericType != nil
            guard isPart else { break }
            index += UTF8.width(scalar)
        }
        return index > start ? String(decoding: bytes[start..<index], as: UTF8.self) : nil
    }

    private mutating func skipSpaces() {
        while let scalar = scalar(at: index), scalar.properties.isWhitespace || scalar == "\u{FEFF}" {
            index += UTF8.width(scalar)
        }
    }

    private func scalar(at position: Int) -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        if bytes[position] < 0x80 { return Unicode.Scalar(bytes[position]) }
        var decoder = UTF8()
        var rest = bytes[position..<min(position + 4, bytes.count)].makeIterator()
        if case .scalarValue(let scalar) = decoder.decode(&rest) { return scalar }
        return nil
    }

    /// For what no formula has, with what is written instead.
    private func unexpectedCharacter() -> FormulaError {
        let scalar = scalar(at: index) ?? "\u{FFFD}"
        let hint: String? =
            switch scalar {
            case "\u{201C}", "\u{201D}", "\u{201E}", "\u{2018}", "\u{2019}", "\u{00AB}", "\u{00BB}":
                "write straight quotes: \" or '"
            case "!": "write NOT(…), or != for unequal"
            case "%": "write MOD(a, b), or divide by 100"
            case "^": "write POWER(a, b)"
            case "|": "write OR(a, b)"
            case ";": "separate arguments with commas"
            case "[", "]": "there are no lists; a field with a space in its name stands in braces"
            case "}": "a field's name begins with {"
            default: nil
            }
        return failure("Unexpected character \"\(scalar)\".", at: index, hint: hint)
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int { UTF8.encode(scalar)?.count ?? 1 }
}
