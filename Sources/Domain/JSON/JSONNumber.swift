/// A number as it was written: the literal is kept, so nothing is lost on the way through.
///
/// Equality, order and hash are those of the exact decimal value: `1`, `1.0` and `10e-1` are equal, and two
/// integers above 2⁵³ that a Double can't tell apart are not.
public struct JSONNumber: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The literal, by JSON's grammar; its magnitude is in a Double's range.
    public let text: String

    public init(_ value: Int) { text = String(value) }
    public init(_ value: Int64) { text = String(value) }
    public init(_ value: UInt64) { text = String(value) }

    /// The shortest literal that reads back as `value`; whole numbers below 2⁵³ without `.0`. Nil unless finite.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = Self.text(of: value)
    }

    /// The shortest literal that reads back as `value` in Float's precision: 0.1, not 0.10000000149011612. Nil
    /// unless finite.
    public init?(_ value: Float) {
        guard value.isFinite else { return nil }
        let isWhole = value.magnitude < 0x1p53 && value == value.rounded()
        text = isWhole ? Self.text(of: Double(value)) : value.description
    }

    /// Reads a literal; nil unless it is a number by JSON's grammar and in a Double's range.
    public init?(literal: String) {
        var literal = literal
        let isNumber = literal.withUTF8 { bytes in
            var scanner = JSONScanner(bytes, limits: .trusted)
            return scanner.scansOneNumber()
        }
        guard isNumber else { return nil }
        text = literal
    }

    /// Takes a literal that the scanner has checked.
    init(scanned text: String) { self.text = text }

    public var description: String { text }

    /// The nearest Double; always finite.
    public var doubleValue: Double {
        var text = text
        if let exact = text.withUTF8({ Self.smallDouble($0) }) { return exact }
        // The literal was checked when it came in, so this reads it.
        return Double(text) ?? .nan
    }

    /// The value, when it is whole and in range, however it is written: `1e3` is 1,000.
    public var int64Value: Int64? {
        var text = text
        if let value = text.withUTF8({ Self.smallInteger($0) }) { return value }
        let decimal = decimal
        guard let magnitude = decimal.magnitude else { return nil }
        return decimal.isNegative
            ? (magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil) : Int64(exactly: magnitude)
    }

    /// The value, when it is whole, not negative and in range.
    public var uint64Value: UInt64? {
        if let value = UInt64(text) { return value }
        let decimal = decimal
        guard let magnitude = decimal.magnitude, !decimal.isNegative || magnitude == 0 else { return nil }
        return magnitude
    }

    /// Whether the value is whole, in whatever range.
    public var isInteger: Bool { decimal.exponent >= 0 }

    public static func == (left: Self, right: Self) -> Bool {
        left.text == right.text || left.decimal == right.decimal
    }

    public static func < (left: Self, right: Self) -> Bool { left.decimal < right.decimal }

    public func hash(into hasher: inout Hasher) { decimal.hash(into: &hasher) }

    /// The shortest literal of a finite number.
    static func text(of value: Double) -> String {
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        if value.magnitude < 0x1p53, let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }
}

extension JSONNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(integerLiteral value: Int) { self.init(value) }

    public init(floatLiteral value: Double) {
        precondition(value.isFinite, "a JSON number is finite, got \(value)")
        text = Self.text(of: value)
    }
}

extension JSONNumber {
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The value when one rounding gives it: at most 2⁵³ times or by a power of ten that is exact itself
    /// (W. D. Clinger, "How to read floating point numbers accurately", 1990). Nil when that doesn't apply.
    static func smallDouble(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard bytes.count <= 24 else { return nil }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var isFraction = false
        var position = bytes.first == UInt8(ascii: "-") ? 1 : 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                let power = Int(String(decoding: bytes[position...], as: UTF8.self))
                guard let power, (-400...400).contains(power) else { return nil }
                exponent += power
                break
            } else {
                digits += 1
                guard digits <= 19 else { return nil }
                mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            }
        }
        guard mantissa <= 1 << 53, (-22...22).contains(exponent) else { return nil }
        let magnitude =
            exponent < 0 ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        return bytes.first == UInt8(ascii: "-") ? -magnitude : magnitude
    }

    /// The value of an integer literal of at most 18 digits.
    static func smallInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let first = isNegative ? 1 : 0
        guard bytes.count - first <= 18 else { return nil }
        var magnitude: Int64 = 0
        for position in first..<bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            magnitude = magnitude &* 10 &+ Int64(digit)
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The exact value: `±digits × 10^exponent`, digits without zeros at either end; zero has no digits.
    struct Decimal: Hashable, Comparable {
        var isNegative = false
        var digits: [UInt8] = []
        var exponent = 0

        /// As a whole number; nil when it isn't one, or is too large.
        var magnitude: UInt64? {
            guard exponent >= 0, digits.count + exponent <= 20 else { return nil }
            var result: UInt64 = 0
            for position in 0..<(digits.count + exponent) {
                let digit = position < digits.count ? UInt64(digits[position]) : 0
                let (scaled, overflowsScale) = result.multipliedReportingOverflow(by: 10)
                let (sum, overflowsSum) = scaled.addingReportingOverflow(digit)
                if overflowsScale || overflowsSum { return nil }
                result = sum
            }
            return result
        }

        static func < (left: Self, right: Self) -> Bool {
            if left.isNegative != right.isNegative { return left.isNegative }
            return left.isNegative ? right.magnitudePrecedes(left) : left.magnitudePrecedes(right)
        }

        private func magnitudePrecedes(_ other: Self) -> Bool {
            if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
            let (top, otherTop) = (digits.count + exponent, other.digits.count + other.exponent)
            if top != otherTop { return top < otherTop }
            return digits.lexicographicallyPrecedes(other.digits)
        }
    }

    var decimal: Decimal {
        var result = Decimal()
        var isFraction = false
        var power = 0
        var isPower = false
        var isPowerNegative = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"):
                if isPower { isPowerNegative = true } else { result.isNegative = true }
            case UInt8(ascii: "+"):
                break
            case UInt8(ascii: "."):
                isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                isPower = true
            default:
                let digit = byte - UInt8(ascii: "0")
                if isPower {
                    // Saturates: the checked literal is below 10³⁰⁹, so only the vanishingly small get here.
                    power = min(power * 10 + Int(digit), 1 << 56)
                } else {
                    if digit != 0 || !result.digits.isEmpty { result.digits.append(digit) }
                    if isFraction { result.exponent -= 1 }
                }
            }
        }
        while result.digits.last == 0 {
            result.digits.removeLast()
            result.exponent += 1
        }
        if result.digits.isEmpty { return Decimal() }
        result.exponent += isPowerNegative ? -power : power
        return result
    }
}
