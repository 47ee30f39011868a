extension FormulaType {
    /// The type of what is one or the other, as the branches of IF: blank adds nothing, numbers and truths are numbers,
    /// and what has nothing in common is text.
    func or(_ other: FormulaType) -> FormulaType {
        switch (self, other) {
        case _ where self == other: self
        case (.blank, _): other
        case (_, .blank): self
        case (.any, _), (_, .any): .any
        case (.date, .date): .date(isDay: false)
        case (.number, .boolean), (.boolean, .number): .number
        case (.array(let left), .array(let right)): .array(left.or(right))
        case (.array, _), (_, .array): .any
        default: .text
        }
    }

    /// Of an array of arrays what lies at the bottom; else the type itself.
    package var innermost: FormulaType {
        var type = self
        while case .array(let inner) = type { type = inner }
        return type
    }

    /// For people.
    public var name: String {
        switch self {
        case .blank: "blank"
        case .number: "number"
        case .text: "text"
        case .boolean: "boolean"
        case .date(let isDay): isDay ? "date" : "dateTime"
        case .array(let item): item == .any ? "array" : "array of \(item.name)"
        case .any: "any"
        }
    }
}

extension FormulaValue {
    /// As a field of `type` holds it: where branches differ in type, numbers, truths and dates are texts.
    func shaped(to type: FormulaType) -> FormulaValue {
        switch (type, self) {
        case (.text, .number), (.text, .boolean), (.text, .date): asText.map { .text($0) } ?? .error
        case (.number, .boolean(let boolean)): .number(boolean ? 1 : 0)
        // MAX of what may be a date, as IF(…, {Date}, ""), where the type says that it is text.
        case (.number, .date): asNumber.map { .number($0) } ?? .error
        // MAX of no dates is 0, which a field of dates has no cell for.
        case (.date, .number): .blank
        case (.date(false), .date(var date)):
            {
                date.isDay = false
                return .date(date)
            }()
        default: self
        }
    }
}
