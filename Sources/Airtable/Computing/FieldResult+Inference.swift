import Domain
import Formula

extension FormulaSchema {
    /// The fields of a table as its formulas may name them, in its order.
    init(_ fields: [Field], type: (Field) -> FormulaType) {
        self.init(
            fields.map { field in
                FormulaField(name: field.name, id: field.id, type: type(field), isComputed: field.type.isComputed)
            }
        )
    }
}

extension FormulaType {
    /// What formulas see of a field, computed ones apart from what the graph knows better.
    init(_ field: Field) { self = FormulaType(airtableType: field.type.rawValue) ?? .any }
}

extension FieldResult {
    /// What a formula of this type gives; of a list what its items are.
    ///
    /// - Parameter wanted: how people want to see it, kept where it fits: 3 as $3.00, but no text.
    init(_ type: FormulaType, wanted: FieldResult?) {
        let inferred = Self.inferred(type.innermost)
        if let wanted, Self.kind(wanted.type) == Self.kind(inferred.type) { self = wanted } else { self = inferred }
    }

    private static func inferred(_ type: FormulaType) -> FieldResult {
        var options = FieldOptions()
        switch type {
        case .number: return .of(.number, options)
        case .boolean:
            options.precision = 0
            return .of(.number, options)
        case .date(let isDay):
            options.dateFormat = "iso"
            if isDay { return .of(.date, options) }
            (options.timeFormat, options.timeZone) = ("24hour", "utc")
            return .of(.dateTime, options)
        case .text, .blank, .any, .array: return .of(.singleLineText, options)
        }
    }

    /// Types of one kind show the same values.
    private static func kind(_ type: FieldType) -> Int {
        switch type {
        case .number, .currency, .percent, .duration, .rating, .count, .autoNumber: 1
        case .date: 2
        case .dateTime, .createdTime, .lastModifiedTime: 3
        case .checkbox: 4
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber: 5
        default: 6
        }
    }
}
