import Domain

/// The six comparisons.
package enum FormulaComparison: String, Sendable, Hashable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// - Parameter order: nil when the two cannot be ordered, as with NaN: then they are unequal, and nothing else.
    func holds(_ order: FormulaOrder?) -> Bool {
        guard let order else { return self == .notEqual }
        return switch self {
        case .equal: order == .same
        case .notEqual: order != .same
        case .less: order == .before
        case .lessOrEqual: order != .after
        case .greater: order == .after
        case .greaterOrEqual: order != .before
        }
    }
}

/// How one value stands to another.
enum FormulaOrder {
    case before
    case same
    case after

    init?(_ left: Double, _ right: Double) {
        if left < right {
            self = .before
        } else if left > right {
            self = .after
        } else if left == right {
            self = .same
        } else {
            return nil
        }
    }

    /// By code point, which for UTF-8 is by byte.
    init(_ left: String, _ right: String) {
        if left.isSame(as: right) {
            self = .same
        } else {
            self = left.utf8.lexicographicallyPrecedes(right.utf8) ? .before : .after
        }
    }

    var reversed: FormulaOrder {
        switch self {
        case .before: .after
        case .same: .same
        case .after: .before
        }
    }
}

extension String {
    /// Whether both have the same code points; `==` also holds for different ones of the same look.
    func isSame(as other: String) -> Bool {
        let count = utf8.count
        guard count == other.utf8.count else { return false }
        return utf8.elementsEqual(other.utf8)
    }
}

extension FormulaValue {
    /// The result of a comparison; an error in either is the result.
    package static func compare(_ left: FormulaValue, _ comparison: FormulaComparison, _ right: FormulaValue)
        -> FormulaValue
    {
        if case .number(let left) = left, case .number(let right) = right {
            return .boolean(comparison.holds(FormulaOrder(left, right)))
        }
        if left.holdsError || right.holdsError { return .error }
        return .boolean(comparison.holds(order(left.scalar, right.scalar)))
    }

    /// How two values without errors stand to each other, arrays of one opened before; nil when they cannot be ordered.
    private static func order(_ left: FormulaValue, _ right: FormulaValue) -> FormulaOrder? {
        switch (left, right) {
        case (.blank, .blank): .same
        case (.text(let left), .text(let right)): FormulaOrder(left, right)
        case (.date(let left), .date(let right)):
            FormulaOrder(Double(left.instant.microseconds), Double(right.instant.microseconds))
        case (.array, _), (_, .array): arrayOrder(left, right)
        case (.blank, .date): .before
        case (.date, .blank): .after
        case (.blank, .text(let text)): FormulaOrder("", text)
        case (.text(let text), .blank): FormulaOrder(text, "")
        case (.date(let date), .text(let text)): dateOrder(date, text)
        case (.text(let text), .date(let date)): dateOrder(date, text)?.reversed
        case (.text(let text), _): number(in: text).flatMap { FormulaOrder($0, right.asNumber ?? .nan) }
        case (_, .text(let text)): number(in: text).flatMap { FormulaOrder(left.asNumber ?? .nan, $0) }
        default: FormulaOrder(left.asNumber ?? .nan, right.asNumber ?? .nan)
        }
    }

    private static func dateOrder(_ date: FormulaDate, _ text: String) -> FormulaOrder? {
        if text.isEmpty { return .after }
        return FormulaDate(reading: text).flatMap {
            FormulaOrder(Double(date.instant.microseconds), Double($0.instant.microseconds))
        }
    }

    /// Several items compare as their text.
    private static func arrayOrder(_ left: FormulaValue, _ right: FormulaValue) -> FormulaOrder? {
        guard let left = left.asText, let right = right.asText else { return nil }
        return FormulaOrder(left, right)
    }
}
