#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension FunctionDefinition {
    static let numericFunctions: [FunctionDefinition] = [
        map("ABS") { $0.magnitude },
        map("EXP") { exp($0) },
        map("INT") { $0.rounded(.down) },
        map("SQRT") { $0.squareRoot() },
        map("EVEN") { sign(of: $0) * 2 * ($0.magnitude / 2).rounded(.up) },
        // The odd numbers are one more than the even ones: from 0 the next is 1.
        map("ODD") { sign(of: $0) * max(2 * (($0.magnitude - 1) / 2).rounded(.up) + 1, 1) },
        map("POWER", 2) { pow($0, $1) },
        map("MOD", 2) { number, divisor in
            let rest = fmod(number, divisor)
            return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest
        },
        optional("LOG", 10) { logarithm(of: $0, base: $1) },
        optional("CEILING", 1) { multiple(of: $1, near: $0, .up) },
        optional("FLOOR", 1) { multiple(of: $1, near: $0, .down) },
        map("ROUND", 2) { number, places in
            DecimalRounding.round(number, places) { scaled in
                // Half goes up, towards +∞; adding 0.5 would itself round.
                let floor = scaled.rounded(.down)
                return scaled - floor >= 0.5 ? floor + 1 : floor
            }
        },
        map("ROUNDUP", 2) { DecimalRounding.round($0, $1) { $0.rounded(.awayFromZero) } },
        map("ROUNDDOWN", 2) { DecimalRounding.round($0, $1) { $0.rounded(.towardZero) } },
        FunctionDefinition("VALUE", 1, 1, gives: .number) { arguments, _ in
            switch arguments[0].scalar {
            case .text(let text): number(shownIn: text).map { .number($0) } ?? .error
            case let other: other.asNumber.map { .number($0) } ?? .error
            }
        },
    ]

    private static func sign(of number: Double) -> Double { number < 0 ? -1 : 1 }

    private static func map(_ name: String, _ function: @escaping @Sendable (Double) -> Double) -> FunctionDefinition {
        FunctionDefinition(name, 1, 1, gives: .number) { arguments, _ in
            arguments[0].asNumber.map { .number(function($0)) } ?? .error
        }
    }

    private static func map(
        _ name: String,
        _ count: Int,
        _ function: @escaping @Sendable (Double, Double) -> Double
    ) -> FunctionDefinition {
        FunctionDefinition(name, count, count, gives: .number) { arguments, _ in
            guard let left = arguments[0].asNumber, let right = arguments[1].asNumber else { return .error }
            return .number(function(left, right))
        }
    }

    private static func optional(
        _ name: String,
        _ standard: Double,
        _ function: @escaping @Sendable (Double, Double) -> Double
    ) -> FunctionDefinition {
        FunctionDefinition(name, 1, 2, gives: .number) { arguments, _ in
            guard let left = arguments[0].asNumber else { return .error }
            guard let right = arguments.count > 1 ? arguments[1].asNumber : standard else { return .error }
            return .number(function(left, right))
        }
    }

    private static func logarithm(of number: Double, base: Double) -> Double {
        if base == 10 { return log10(number) }
        if base == 2 { return log2(number) }
        let quotient = log(number) / log(base)
        // The quotient of two rounded logarithms misses whole results: LOG(125, 5) is 3.
        let whole = quotient.rounded()
        return pow(base, whole) == number ? whole : quotient
    }

    /// The multiple of `step` at or next to `number`, without the noise of binary fractions.
    private static func multiple(of step: Double, near number: Double, _ rule: FloatingPointRoundingRule) -> Double {
        var quotient = number / step
        let whole = quotient.rounded()
        if (quotient - whole).magnitude <= FormulaDecisions.quotientNoise * max(1, quotient.magnitude) {
            quotient = whole
        }
        return DecimalRounding.clean(quotient.rounded(rule) * step, asPreciseAs: step)
    }

    /// The number in a text that shows one, `$1,250.50`: signs of currency, spaces, commas and letters are dropped.
    private static func number(shownIn text: String) -> Double? {
        var digits: [UInt8] = []
        var hasPoint = false
        var hasDigit = false
        scan: for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                hasDigit = true
                digits.append(byte)
            case UInt8(ascii: "."):
                // A second point ends the number, as JavaScript's parseFloat has it.
                if hasPoint { break scan }
                hasPoint = true
                digits.append(byte)
            case UInt8(ascii: "-"):
                if hasDigit || hasPoint { break scan }
                digits = [byte]
            default:
                continue
            }
        }
        guard hasDigit else { return nil }
        return Double(
            String(decoding: digits.last == UInt8(ascii: ".") ? digits.dropLast() : digits[...], as: UTF8.self)
        )
    }
}
