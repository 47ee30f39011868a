import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One member of a JSON object whose keys are whole numbers, found without reading the rest into anything.
///
/// For `cell_of` (see `SQLiteConnection+Functions.swift`): SQLite's own `json_extract` makes a tree of the whole text
/// for every row, and before 3.43 reads some decimals with 17 digits one bit off.
enum StoredMember {
    case absent
    /// Bytes without the quotes.
    case text(UnsafeBufferPointer<UInt8>, hasEscapes: Bool)
    case number(Double)
    /// A list, an object, or one of the words: as it is written.
    case other(UnsafeBufferPointer<UInt8>)
    /// The text is no such object.
    case damaged

    /// - Parameter bytes: followed by a zero byte, as SQLite's texts are.
    static func find(_ key: Int64, in bytes: UnsafeBufferPointer<UInt8>) -> StoredMember {
        var reader = Reader(bytes)
        return reader.find(key) ?? .damaged
    }

    /// The text that such bytes mean; nil when an escape is none.
    static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard position < bytes.count else { return nil }
            let mark = bytes[position]
            position += 1
            switch mark {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(mark)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(bytes, &position) else { return nil }
                text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: return nil
            }
        }
        return text
    }

    /// What stands after `\u`, a pair taken together.
    private static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Unicode.Scalar? {
        guard var unit = hexadecimal(bytes, &position) else { return nil }
        if unit >> 10 == 0x36, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            guard let low = hexadecimal(bytes, &position), low >> 10 == 0x37 else { return nil }
            unit = 0x1_0000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
        }
        return Unicode.Scalar(unit)
    }

    private static func hexadecimal(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        position += 4
        return value
    }
}

/// Goes over the bytes once; nil from a method is damage.
private struct Reader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func find(_ wanted: Int64) -> StoredMember? {
        guard take(UInt8(ascii: "{")) else { return nil }
        if take(UInt8(ascii: "}")) { return .absent }
        while true {
            guard take(UInt8(ascii: "\"")) else { return nil }
            var key: Int64 = 0
            while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9 {
                key = key &* 10 &+ Int64(digit)
                position += 1
            }
            guard take(UInt8(ascii: "\"")), take(UInt8(ascii: ":")) else { return nil }
            if key == wanted { return value() }
            guard skipValue() else { return nil }
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}")) ? .absent : nil
        }
    }

    private mutating func value() -> StoredMember? {
        skipSpace()
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return text().map { .text($0.bytes, hasEscapes: $0.hasEscapes) }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number().map { .number($0) }
        default:
            let start = position
            guard skipValue() else { return nil }
            return .other(UnsafeBufferPointer(rebasing: bytes[start..<position]))
        }
    }

    private mutating func text() -> (bytes: UnsafeBufferPointer<UInt8>, hasEscapes: Bool)? {
        guard let base = bytes.baseAddress else { return nil }
        position += 1
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            guard let quote = memchr(base + position, 0x22, bytes.count - position) else { return nil }
            let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
            // A quote after an odd number of backslashes belongs to the text.
            var slashes = 0
            while end - slashes > start, bytes[end - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
            position = end + 1
            if slashes % 2 == 1 {
                hasEscapes = true
                continue
            }
            let text = UnsafeBufferPointer(rebasing: bytes[start..<end])
            hasEscapes = hasEscapes || memchr(base + start, 0x5C, end - start) != nil
            return (text, hasEscapes)
        }
        return nil
    }

    private mutating func skipText() -> Bool {
        guard let base = bytes.baseAddress else { return false }
        position += 1
        let start = position
        while position < bytes.count {
            guard let quote = memchr(base + position, 0x22, bytes.count - position) else { return false }
            let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
            var slashes = 0
            while end - slashes > start, bytes[end - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
            position = end + 1
            if slashes % 2 == 0 { return true }
        }
        return false
    }

    /// Up to 15 digits are exact by one division (Clinger's fast path); else `strtod`, which rounds correctly.
    private mutating func number() -> Double? {
        let start = position
        var mantissa: Int64 = 0
        var (digits, decimals) = (0, 0)
        var (isSimple, seenPoint) = (true, false)
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if seenPoint { decimals += 1 }
                if digits <= 15 { mantissa = mantissa * 10 + Int64(bytes[position] - UInt8(ascii: "0")) }
            case UInt8(ascii: "."): seenPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): isSimple = false
            default: break scan
            }
            position += 1
        }
        guard digits > 0 else { return nil }
        if isSimple, digits <= 15 {
            let value = Double(mantissa) / powersOfTen[decimals]
            return bytes[start] == UInt8(ascii: "-") ? -value : value
        }
        guard let base = bytes.baseAddress else { return nil }
        return (base + start).withMemoryRebound(to: CChar.self, capacity: position - start) { strtod($0, nil) }
    }

    /// Passes over a value of any kind; lists and objects by counting brackets outside texts.
    private mutating func skipValue() -> Bool {
        skipSpace()
        guard position < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "\"") { return skipText() }
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard skipText() else { return false }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return true }
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            case UInt8(ascii: ","): if depth == 0 { return true }
            default: break
            }
            position += 1
        }
        return false
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }
}

private let powersOfTen: [Double] = (0...15).reduce(into: []) { list, _ in list.append((list.last ?? 0.1) * 10) }
