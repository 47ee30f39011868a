public import Domain

/// Cells in Airtable's JSON shapes, both ways.
///
/// | type | read | written |
/// |---|---|---|
/// | texts | string | string |
/// | number, currency, percent | number | number |
/// | rating | number | whole number, 1 to the field's max |
/// | checkbox | `true` | bool |
/// | singleSelect | name | name |
/// | multipleSelects | names | names |
/// | date | `YYYY-MM-DD` | that, or an ISO date and time (its day in UTC) |
/// | dateTime | `…T…Z` with milliseconds | ISO 8601; UTC when it names no zone |
/// | multipleRecordLinks | record identifiers | the same |
/// | createdTime, autoNumber | time, number | – |
///
/// Empty cells are absent when read; null, `""`, `[]` and `false` in a checkbox clear a cell.
public enum CellCodec {
    /// What a reader of the API gets for `value`.
    public static func json(of value: CellValue, field: Field) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .number(let number): JSONNumber(number).map { .number($0) } ?? .null
        case .checked: true
        case .choice(let id): field.options.choiceName(id).map { .string($0) } ?? .null
        case .choices(let ids): .array(ids.compactMap { field.options.choiceName($0).map { .string($0) } })
        case .date(let date): .string(date.iso8601)
        case .dateTime(let instant): .string(instant.iso8601)
        case .links(let ids): .array(ids.map { .string($0.description) })
        }
    }

    /// The `fields` object of a record: by field name, or by identifier, in the table's order of
    /// fields.
    public static func fields(of record: Record, table: Table, byID: Bool = false) -> JSONObject {
        JSONObject(
            table.fields.lazy.compactMap { field in
                guard let value = record.cells[field.id] else { return nil }
                let json = json(of: value, field: field)
                return json.isNull ? nil : (key: byID ? field.id.description : field.name, value: json)
            }
        )
    }

    /// The moment in the shape of every timestamp of the API: `2024-05-01T12:34:56.000Z`.
    public static func timestamp(_ instant: Instant) -> String { instant.iso8601 }

    /// Checks what a writer gave for a cell of `field`.
    ///
    /// - Parameter typecast: also takes strings for other types, and names of choices and records
    ///   that don't exist yet.
    /// - Throws: `.invalidValueForColumn`, `.invalidMultipleChoiceOptions`, `.invalidRecordID`.
    package static func parse(_ json: JSONValue, field: Field, typecast: Bool = false) throws(AirtableError)
        -> CellInput
    {
        if field.type.isComputed { throw .computed(field) }
        if case .null = json { return .empty }
        switch field.type {
        case .singleLineText, .multilineText, .email, .url, .phoneNumber:
            return try text(json, field, typecast)
        case .number, .currency, .percent:
            return try number(json, field, typecast)
        case .rating:
            return try rating(json, field, typecast)
        case .checkbox:
            return try checkbox(json, field, typecast)
        case .singleSelect, .multipleSelects:
            return try select(json, field, typecast)
        case .date, .dateTime:
            return try moment(json, field, typecast)
        case .multipleRecordLinks:
            return try links(json, field, typecast)
        case .createdTime, .autoNumber:
            throw .computed(field)
        }
    }

    // MARK: Types

    private static func text(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let text: String
        switch json {
        case .string(let string): text = string
        case .number(let number) where typecast: text = number.text
        case .bool(let bool) where typecast: text = bool ? "true" : "false"
        default: throw .invalidValue(field, expected: "a string")
        }
        if text.isEmpty { return .empty }
        guard text.utf8.count <= Limits.cellCharacters || text.unicodeScalars.count <= Limits.cellCharacters else {
            throw .invalidValue(field, expected: "at most \(Limits.cellCharacters) characters")
        }
        guard !text.hasNUL else {
            throw .invalidValue(field, expected: "text without the character U+0000")
        }
        return .value(.text(text))
    }

    private static func number(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        switch json {
        case .number(let number) where number.doubleValue.isFinite:
            return .value(.number(number.doubleValue))
        case .bool(let bool) where typecast:
            return .value(.number(bool ? 1 : 0))
        case .string(let string) where typecast:
            let text = string.trimmingSpace()
            if text.isEmpty { return .empty }
            if let number = CellText.looseNumber(text, isPercent: field.type == .percent, symbol: field.options.symbol)
            {
                return .value(.number(number))
            }
        default: break
        }
        throw .invalidValue(field, expected: "a number")
    }

    private static func rating(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let max = field.options.max ?? FieldOptions.ratingMaxDefault
        guard case .value(.number(let number)) = try self.number(json, field, typecast) else { return .empty }
        guard let whole = number.asWholeNumber, whole >= 1, whole <= max else {
            throw .invalidValue(field, expected: "a whole number from 1 to \(max)")
        }
        return .value(.number(number))
    }

    private static func checkbox(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        switch json {
        case .bool(let bool): return bool ? .value(.checked) : .empty
        case .number(let number) where typecast && (number == 0 || number == 1):
            return number == 1 ? .value(.checked) : .empty
        case .string(let string) where typecast:
            let text = string.trimmingSpace()
            if text.isEmpty { return .empty }
            if let flag = CellText.checkbox(text) { return flag ? .value(.checked) : .empty }
        default: break
        }
        throw .invalidValue(field, expected: "true or false")
    }

    private static func select(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let isSingle = field.type == .singleSelect
        let names: [JSONValue]
        switch json {
        case .string(let name) where isSingle: names = [.string(name)]
        case .array(let list) where !isSingle: names = list
        case .string(let text) where typecast: names = CellText.list(text).map { .string($0) }
        case .number(let number) where typecast: names = [.string(number.text)]
        default:
            throw .invalidValue(field, expected: isSingle ? "the name of a choice" : "an array of names of choices")
        }
        var inputs: [ChoiceInput] = []
        for name in names {
            guard let name = name.stringValue ?? (typecast ? name.numberValue?.text : nil) else {
                throw .invalidValue(field, expected: "names of choices")
            }
            let trimmed = typecast ? name.trimmingSpace() : name
            if trimmed.isEmpty { continue }
            let input = try choice(trimmed, field, typecast)
            if !inputs.contains(input) { inputs.append(input) }
        }
        guard let first = inputs.first else { return .empty }
        return isSingle ? .choice(first) : .choices(inputs)
    }

    private static func choice(
        _ name: String,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> ChoiceInput {
        if let choice = field.options.choices?.first(where: { $0.name == name }) { return .existing(choice.id) }
        if let id = ChoiceID(name), field.options.choices?.contains(where: { $0.id == id }) == true {
            return .existing(id)
        }
        guard typecast else { throw .unknownChoice(name, field) }
        guard name.unicodeScalars.count <= Limits.nameCharacters, !name.hasNUL else {
            throw .invalidValue(field, expected: "names of choices of at most \(Limits.nameCharacters) characters")
        }
        return .new(name)
    }

    private static func moment(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let isDate = field.type == .date
        let expected = isDate ? "an ISO date" : "an ISO date and time"
        guard let given = json.stringValue else { throw .invalidValue(field, expected: expected) }
        let isDayFirst = field.options.dateFormat == "european"
        var moment = CalendarMoment(loose: given)
        if moment == nil {
            let text = given.trimmingSpace()
            if text.isEmpty { return .empty }
            moment = CalendarMoment(loose: text)
            if moment == nil, typecast { moment = CellText.moment(text, isDayFirst: isDayFirst) }
        }
        guard let moment else { throw .invalidValue(field, expected: expected) }
        return .value(isDate ? .date(moment.date) : .dateTime(moment.instant))
    }

    private static func links(
        _ json: JSONValue,
        _ field: Field,
        _ typecast: Bool
    ) throws(AirtableError) -> CellInput {
        let elements: [JSONValue]
        switch json {
        case .array(let list): elements = list
        case .string(let text) where typecast: elements = CellText.list(text).map { .string($0) }
        default: throw .invalidValue(field, expected: "an array of record identifiers")
        }
        guard elements.count <= Limits.linksPerCell else {
            throw .invalidValue(field, expected: "at most \(Limits.linksPerCell) records")
        }
        var seen: Set<LinkInput> = []
        var inputs: [LinkInput] = []
        for element in elements {
            guard let text = element.stringValue ?? element["id"]?.stringValue else {
                throw .invalidValue(field, expected: "an array of record identifiers")
            }
            let input: LinkInput
            if let id = RecordID(text) {
                input = .record(id)
            } else if typecast {
                let trimmed = text.trimmingSpace()
                if trimmed.isEmpty { continue }
                input = .text(trimmed)
            } else {
                throw AirtableError(
                    .invalidRecordID,
                    "Field \"\(field.name)\" takes record identifiers: rec and 14 letters or digits"
                )
            }
            if seen.insert(input).inserted { inputs.append(input) }
        }
        return inputs.isEmpty ? .empty : .links(inputs)
    }
}

extension FieldOptions {
    static let ratingMaxDefault = 5

    func choiceName(_ id: ChoiceID) -> String? { choices?.first { $0.id == id }?.name }
}
