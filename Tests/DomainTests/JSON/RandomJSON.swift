import Domain
import TestSupport

/// Random values and documents, from ordinary to awkward, all of them valid unless mutated.
struct RandomJSON {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func value(depth: Int = 5) -> JSONValue {
        switch generator.number(0..<(depth > 0 ? 9 : 6)) {
        case 0: return .null
        case 1: return .bool(generator.once(in: 2))
        case 2, 3: return .number(number())
        case 4, 5: return .string(string())
        case 6: return .array((0..<count()).map { _ in value(depth: depth - 1) })
        default:
            var members = JSONObject()
            for _ in 0..<count() { members[string()] = value(depth: depth - 1) }
            return .object(members)
        }
    }

    /// Now and then above the size from which objects are indexed.
    private mutating func count() -> Int {
        generator.once(in: 20) ? generator.number(20..<60) : generator.number(0..<6)
    }

    mutating func number() -> JSONNumber {
        switch generator.number(0..<7) {
        case 0: return JSONNumber(generator.number(-1_000..<1_000))
        case 1: return JSONNumber(Int64.random(in: .min ... .max, using: &generator))
        case 2: return JSONNumber(UInt64.random(in: 0 ... .max, using: &generator))
        case 3: return JSONNumber(Double.random(in: -1e6...1e6, using: &generator)) ?? 0
        case 4: return JSONNumber(Double(bitPattern: generator.next())) ?? 0
        case 5: return JSONNumber(Double(generator.number(-9_999..<9_999)) / 100) ?? 0
        default: return JSONNumber(literal: literal()) ?? 0
        }
    }

    /// A number by the grammar, in every spelling; at times outside a Double's range.
    private mutating func literal() -> String {
        var text = generator.once(in: 3) ? "-" : ""
        text += generator.once(in: 3) ? "0" : String(generator.number(1..<10)) + digits(0..<22)
        if generator.once(in: 2) { text += "." + digits(1..<22) }
        if generator.once(in: 2) {
            text += generator.once(in: 2) ? "e" : "E"
            text += ["", "+", "-"][generator.number(0..<3)]
            text += generator.once(in: 4) ? String(generator.number(290..<340)) : digits(1..<3)
        }
        return text
    }

    private mutating func digits(_ range: Range<Int>) -> String {
        (0..<generator.number(range)).reduce(into: "") { text, _ in text += String(generator.number(0..<10)) }
    }

    mutating func string() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<generator.number(0..<(generator.once(in: 10) ? 60 : 8)) { text.append(scalar()) }
        return String(text)
    }

    private mutating func scalar() -> Unicode.Scalar {
        let range: ClosedRange<UInt32> =
            switch generator.number(0..<12) {
            case 0: 0x00...0x1F
            case 1: 0x22...0x22
            case 2: 0x5C...0x5C
            case 3: 0x7F...0xFF
            case 4: 0x300...0x36F
            case 5: 0x2028...0x2029
            case 6: 0xE000...0xFFFF
            case 7: 0x10000...0x10FFFF
            default: 0x20...0x7E
            }
        return Unicode.Scalar(UInt32.random(in: range, using: &generator)) ?? "?"
    }
}

extension RandomJSON {
    /// A document of `value` with white space and escapes where they may be.
    mutating func document(of value: JSONValue) -> [UInt8] {
        var bytes = space()
        write(value, to: &bytes)
        return bytes + space()
    }

    private mutating func write(_ value: JSONValue, to bytes: inout [UInt8]) {
        switch value {
        case .null, .bool, .number:
            bytes += value.encoded()
        case .string(let text):
            write(text, to: &bytes)
        case .array(let elements):
            bytes += "[".utf8 + space()
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes += space() + ",".utf8 + space() }
                write(element, to: &bytes)
            }
            bytes += space() + "]".utf8
        case .object(let members):
            bytes += "{".utf8 + space()
            for (index, (key, member)) in members.enumerated() {
                if index > 0 { bytes += space() + ",".utf8 + space() }
                write(key, to: &bytes)
                bytes += space() + ":".utf8 + space()
                write(member, to: &bytes)
            }
            bytes += space() + "}".utf8
        }
    }

    private mutating func write(_ text: String, to bytes: inout [UInt8]) {
        bytes += "\"".utf8
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if mustEscape || generator.once(in: 12) {
                for unit in Character(scalar).utf16 { bytes += "\\u\(hex(unit))".utf8 }
            } else {
                bytes += Array(Character(scalar).utf8)
            }
        }
        bytes += "\"".utf8
    }

    private mutating func hex(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16, uppercase: generator.once(in: 2))
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }

    private mutating func space() -> [UInt8] {
        guard generator.once(in: 4) else { return [] }
        return (0..<generator.number(1..<3)).map { _ in [0x20, 0x09, 0x0A, 0x0D][generator.number(0..<4)] }
    }

    /// Pieces that break a document in ways that single bytes rarely find.
    private static let pieces: [[UInt8]] =
        [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "-", ".", "e", "E9", "0", "1e400", "-0", "00", "NaN", "Infinity",
            "null",
            "true", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\u00", "\\x", "\u{0}", "\u{85}", "\u{A0}", "\u{2028}",
            "//", "'",
            "\"a\":1,\"a\":2", "\"a\":1,\"\\u0061\":2", "\u{FEFF}", "\u{0C}", "\u{0B}", "+1", "1.", ".5", "[[[[[[[[",
        ].map { Array($0.utf8) } + [
            [0xEF, 0xBB, 0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF], [0xFE], [0x80], [0xE2, 0x82],
            [0xF0, 0x9F, 0x98],
        ]

    mutating func mutated(_ document: [UInt8]) -> [UInt8] {
        var bytes = document
        for _ in 0..<generator.number(1..<4) {
            let position = generator.number(0..<bytes.count + 1)
            let end = min(bytes.count, position + generator.number(0..<4))
            switch generator.number(0..<7) {
            case 0: bytes.removeSubrange(position..<end)
            case 1: bytes.replaceSubrange(position..<end, with: [UInt8.random(in: 0...255, using: &generator)])
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
            case 3: bytes.replaceSubrange(position..<end, with: Self.pieces[generator.number(0..<Self.pieces.count)])
            case 4: bytes.insert(contentsOf: Self.pieces[generator.number(0..<Self.pieces.count)], at: position)
            case 5: bytes.insert(contentsOf: bytes[position..<end], at: position)
            default: bytes.removeSubrange(end...)
            }
        }
        return bytes
    }
}
