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
/// | duration | seconds | seconds |
/// | barcode | `{text, type?}` | the same |
/// | singleCollaborator | `{id, email?, name?}` | `{id}` or `{email}` |
/// | multipleCollaborators | array of those | array of those, or of identifiers |
/// | multipleAttachments | `[{id, url, filename, type, size, …}]` | `[{url, filename?}]` or `[{id}]` |
/// | formula, rollup, lookup | what they gave; errors as objects | – |
/// | all other computed ones | see `json` | – |
///
/// Empty cells are absent when read; null, `""`, `[]` and `false` in a checkbox clear a cell.
public enum CellCodec {
    /// The moment in the shape of every timestamp of the API: `2024-05-01T12:34:56.000Z`.
    public static func timestamp(_ instant: Instant) -> String { instant.iso8601 }

    /// Checks what a writer gave for a cell of `field`.
    ///
    /// - Parameters:
    ///   - typecast: also takes strings for other types, and names of choices and records that don't
    ///     exist yet.
    ///   - people: whom cells of collaborators may name.
    /// - Throws: `.invalidValueForColumn`, `.invalidMultipleChoiceOptions`, `.invalidRecordID`,
    ///   `.invalidAttachment`.
    package static func parse(
        _ json: JSONValue,
        field: Field,
        typecast: Bool = false,
        people: CollaboratorDirectory = CollaboratorDirectory()
    ) throws(AirtableError) -> CellInput {
        if field.type.isComputed { throw .computed(field) }
        if case .null = json { return .empty }
        switch field.type {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber:
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
        case .duration:
            return try duration(json, field, typecast)
        case .barcode:
            return try barcode(json, field, typecast)
        case .singleCollaborator, .multipleCollaborators:
            return try collaborators(json, field, typecast, people)
        case .multipleAttachments:
            return try attachments(json, field)
        case .createdTime, .autoNumber, .lastModifiedTime, .createdBy, .lastModifiedBy, .formula, .rollup,
            .multipleLookupValues, .count, .button, .aiText, .externalSyncSource, .manualSort:
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
        if isDate { return .value(.date(moment.date)) }
        guard let zone = field.options.timeZone.flatMap(CellZone.named), !CellText.namesZone(given) else {
            return .value(.dateTime(moment.instant))
        }
        return .value(.dateTime(zone.instant(local: moment.instant)))
    }
}

extension FieldOptions {
    static let ratingMaxDefault = 5

    func choiceName(_ id: ChoiceID) -> String? { choices?.first { $0.id == id }?.name }
}
