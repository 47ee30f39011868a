import Domain

// How a value of one type is read as another, for operators and functions alike (docs/formula.md, "Coercion").

extension FormulaValue {
    /// An array of one is its item, one of none is blank; everything else is itself.
    package var scalar: FormulaValue {
        var value = self
        while case .array(let items) = value {
            guard items.count <= 1 else { return value }
            value = items.first ?? .blank
        }
        return value
    }

    /// As a number; NaN where the text is none. Nil for an error.
    package var asNumber: Double? {
        switch self {
        case .number(let number): number
        case .blank: 0
        case .boolean(let boolean): boolean ? 1 : 0
        case .text(let text):
            text.isEmpty ? FormulaDecisions.emptyTextAsNumber : FormulaValue.number(in: text) ?? .nan
        case .date(let date): Double(date.instant.milliseconds)
        case .array(let items):
            if items.count <= 1 { scalar.asNumber } else { holdsError ? nil : .nan }
        case .error: nil
        }
    }

    /// As a text; nil for an error, and for an array that holds one.
    package var asText: String? {
        switch self {
        case .text(let text): text
        case .blank: ""
        case .number(let number): FormulaValue.text(of: number)
        case .boolean(let boolean): boolean ? "1" : "0"
        case .date(let date): date.instant.iso8601
        case .array(let items): FormulaValue.joined(items, FormulaDecisions.itemSeparator)
        case .error: nil
        }
    }

    /// As a condition; nil for an error.
    package var asBoolean: Bool? {
        switch self {
        case .boolean(let boolean): boolean
        case .blank: false
        case .number(let number): number != 0 && !number.isNaN
        case .text(let text): !text.isEmpty
        case .date: true
        case .array(let items): items.count == 1 ? scalar.asBoolean : holdsError ? nil : !items.isEmpty
        case .error: nil
        }
    }

    /// As a date: one, or a text that says one. Nil for everything else, errors included.
    var asDate: FormulaDate? {
        switch self {
        case .date(let date): date
        case .text(let text): FormulaDate(reading: text)
        case .array(let items) where items.count == 1: scalar.asDate
        case .blank, .number, .boolean, .array, .error: nil
        }
    }

    /// As a whole count, rounded towards zero and held within ±2⁵³; nil for an error and for what is no number.
    var asCount: Int? {
        guard let number = asNumber, !number.isNaN else { return nil }
        return Int(min(max(number.rounded(.towardZero), -0x1p53), 0x1p53))
    }

    /// Whether this is an error, or an array with one in it.
    var holdsError: Bool {
        switch self {
        case .error: true
        case .array(let items): items.contains { $0.holdsError }
        default: false
        }
    }

    /// The texts of the items with `separator` between; nil when one is an error.
    static func joined(_ items: [FormulaValue], _ separator: String) -> String? {
        if items.count == 1 { return items[0].asText }
        var result = ""
        for (index, item) in items.enumerated() {
            guard let text = item.asText else { return nil }
            if index > 0 { result += separator }
            result += text
            // What is too long already is refused by who asked; it need not be made whole.
            if result.utf8.count > Limits.formulaTextBytes { return nil }
        }
        return result
    }

    /// How much there is to read of this value: bytes of texts, and one for everything.
    var weight: Int {
        switch self {
        case .text(let text): text.utf8.count + 1
        case .array(let items): items.reduce(1) { $0 + $1.weight }
        default: 1
        }
    }
}
