import Domain

/// Reads the compact JSON that `StoredCellWriter` writes, with white space allowed where JSON
/// allows it.
///
/// Values are read by the kind their field says. Each method throws `.corrupt` on anything else.
struct StoredCellReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var isFirst = true

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The next member's ordinal, with its value to be read next; nil at the end of the object.
    mutating func nextKey() throws(AirtableError) -> Int? {
        if isFirst {
            try expect(UInt8(ascii: "{"))
        }
        if skip(UInt8(ascii: "}")) {
            guard position == bytes.count else { throw damaged() }
            return nil
        }
        if !isFirst { try expect(UInt8(ascii: ",")) }
        isFirst = false
        try expect(UInt8(ascii: "\""))
        var ordinal = 0
        let start = position
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9 {
            ordinal = ordinal * 10 + Int(digit)
            position += 1
            guard position - start <= 9 else { throw damaged() }
        }
        guard position > start else { throw damaged() }
        try expect(UInt8(ascii: "\""))
        try expect(UInt8(ascii: ":"))
        return ordinal
    }

    mutating func value(_ kind: StoredKind) throws(AirtableError) -> CellValue {
        switch kind {
        case .text: return .text(try string())
        case .number: return .number(try number())
        case .checked:
            try expect("true")
            return .checked
        case .choice: return .choice(try identifier())
        case .choices: return .choices(try list())
        case .links: return .links(try list())
        case .date:
            let raw = try plainString()
            guard let date = CalendarDate(iso8601: UnsafeBufferPointer(rebasing: bytes[raw])) else { throw damaged() }
            return .date(date)
        case .dateTime:
            guard let milliseconds = try number().asWholeNumber else { throw damaged() }
            return .dateTime(Instant(milliseconds: milliseconds))
        case .computed: return .computed(try computed())
        case .collaborator: return .collaborator(try composite(StoredComposite.collaborator))
        case .collaborators: return .collaborators(try composite(StoredComposite.collaborators))
        case .attachments: return .attachments(try composite(StoredComposite.attachments))
        case .barcode: return .barcode(try composite(StoredComposite.barcode))
        case .button: return .button(try composite(StoredComposite.button))
        case .aiText: return .aiText(try composite(StoredComposite.aiText))
        }
    }

    /// The key of the next value, whatever its kind.
    mutating func key() throws(AirtableError) -> CellKey {
        skipSpace()
        guard position < bytes.count else { throw damaged() }
        switch bytes[position] {
        case UInt8(ascii: "\""): return CellKey(text: try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return CellKey(number: try number())
        default:
            try skipValue()
            return .composite
        }
    }

    /// Passes over a value of any kind.
    mutating func skipValue() throws(AirtableError) { try skipValue(depth: 0) }

    private mutating func skipValue(depth: Int) throws(AirtableError) {
        skipSpace()
        guard position < bytes.count, depth <= Self.depthMax else { throw damaged() }
        switch bytes[position] {
        case UInt8(ascii: "\""): _ = try rawString()
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        case UInt8(ascii: "["):
            position += 1
            if skip(UInt8(ascii: "]")) { return }
            repeat { try skipValue(depth: depth + 1) } while skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "]"))
        case UInt8(ascii: "{"):
            position += 1
            if skip(UInt8(ascii: "}")) { return }
            repeat {
                _ = try rawString()
                try expect(UInt8(ascii: ":"))
                try skipValue(depth: depth + 1)
            } while skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
        default: _ = try number()
        }
    }

    /// Lists in lists of lookups of lookups; nobody links that far.
    private static let depthMax = 64

    // MARK: Composites

    /// Texts and numbers, which nearly all formulas give, without a tree.
    private mutating func computed() throws(AirtableError) -> ComputedValue {
        skipSpace()
        guard position < bytes.count else { throw damaged() }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: return try composite(StoredComposite.computed)
        }
    }

    mutating func composite<Value>(_ read: (JSONValue) -> Value?) throws(AirtableError) -> Value {
        skipSpace()
        let start = position
        try skipValue()
        let json: JSONValue
        do {
            json = try JSONValue(parsing: UnsafeBufferPointer(rebasing: bytes[start..<position]), limits: .trusted)
        } catch { throw damaged() }
        guard let value = read(json) else { throw damaged() }
        return value
    }

    // MARK: Values

    private mutating func list<Kind>() throws(AirtableError) -> [Identifier<Kind>] {
        try expect(UInt8(ascii: "["))
        if skip(UInt8(ascii: "]")) { return [] }
        var list: [Identifier<Kind>] = []
        repeat { list.append(try identifier()) } while skip(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return list
    }

    private mutating func identifier<Kind>() throws(AirtableError) -> Identifier<Kind> {
        let raw = try plainString()
        guard raw.count == 17, let id = Identifier<Kind>(String(decoding: bytes[raw], as: UTF8.self)) else {
            throw damaged()
        }
        return id
    }

    private mutating func string() throws(AirtableError) -> String {
        let (raw, hasEscapes) = try rawString()
        if !hasEscapes { return String(decoding: bytes[raw], as: UTF8.self) }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(raw.count)
        var cursor = raw.lowerBound
        while cursor < raw.upperBound {
            let byte = bytes[cursor]
            cursor += 1
            if byte != UInt8(ascii: "\\") {
                unescaped.append(byte)
            } else {
                try appendEscape(at: &cursor, end: raw.upperBound, to: &unescaped)
            }
        }
        return String(decoding: unescaped, as: UTF8.self)
    }

    /// The writer escapes only quotes, backslashes and controls; other escapes appear if a database
    /// rewrote the JSON.
    private func appendEscape(at cursor: inout Int, end: Int, to text: inout [UInt8]) throws(AirtableError) {
        guard cursor < end else { throw damaged() }
        let byte = bytes[cursor]
        cursor += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "u"):
            var unit = try hexadecimal(at: &cursor, end: end)
            if unit >> 10 == 0x36, cursor + 1 < end, bytes[cursor] == UInt8(ascii: "\\"),
                bytes[cursor + 1] == UInt8(ascii: "u")
            {
                cursor += 2
                let low = try hexadecimal(at: &cursor, end: end)
                guard low >> 10 == 0x37 else { throw damaged() }
                unit = 0x1_0000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw damaged() }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw damaged()
        }
    }

    private func hexadecimal(at cursor: inout Int, end: Int) throws(AirtableError) -> UInt32 {
        guard cursor + 4 <= end else { throw damaged() }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[cursor]
            cursor += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw damaged()
            }
        }
        return value
    }

    /// Where a string's bytes lie, without its quotes; it must hold no escape.
    private mutating func plainString() throws(AirtableError) -> Range<Int> {
        let (raw, hasEscapes) = try rawString()
        guard !hasEscapes else { throw damaged() }
        return raw
    }

    private mutating func rawString() throws(AirtableError) -> (raw: Range<Int>, hasEscapes: Bool) {
        try expect(UInt8(ascii: "\""))
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return (start..<(position - 1), hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            position += 1
        }
        throw damaged()
    }

    /// Up to 15 digits and a small exponent are exact by one multiplication or division (Clinger's
    /// fast path); everything else goes through the standard library.
    private mutating func number() throws(AirtableError) -> Double {
        skipSpace()
        let start = position
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var mantissa: Int64 = 0
        var digits = 0
        var decimals = 0
        var seenPoint = false
        var isSimple = true
        scan: while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if seenPoint { decimals += 1 }
                if digits <= 15 { mantissa = mantissa * 10 + Int64(byte - UInt8(ascii: "0")) }
            case UInt8(ascii: "."):
                if seenPoint { throw damaged() }
                seenPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): isSimple = false
            default: break scan
            }
            position += 1
        }
        guard digits > 0 else { throw damaged() }
        if isSimple, digits <= 15 {
            let value = Double(mantissa) / powersOfTen[decimals]
            return isNegative ? -value : value
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            throw damaged()
        }
        return value
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(AirtableError) {
        guard skip(byte) else { throw damaged() }
    }

    private mutating func expect(_ literal: StaticString) throws(AirtableError) {
        skipSpace()
        guard position + literal.utf8CodeUnitCount <= bytes.count else { throw damaged() }
        for offset in 0..<literal.utf8CodeUnitCount where bytes[position + offset] != literal.utf8Start[offset] {
            throw damaged()
        }
        position += literal.utf8CodeUnitCount
    }

    private func damaged() -> AirtableError {
        .corrupt("A record's stored cells cannot be read.", detail: "at byte \(position) of \(bytes.count)")
    }
}

private let powersOfTen: [Double] = (0...15).reduce(into: []) { list, _ in list.append((list.last ?? 0.1) * 10) }
