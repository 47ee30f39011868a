import Domain

/// A column of a file once its type is settled: how its cells are read, and the field it becomes.
struct ImportColumn: Equatable {
    var name: String
    var type: FieldType
    var linkedTable: String?
    /// number, currency, percent: decimals to show.
    var precision: Int?
    /// Selects: the choices in order of first appearance.
    var choices: [String] = []

    /// Reads one non-blank cell; nil when its value is what Airtable would not store, such as an unchecked box.
    ///
    /// - Parameter choiceIDs: the identifiers of the choices by name; nil during the first pass, when they do not
    ///   exist yet and only the shape is checked.
    /// - Throws: what was expected, for the message.
    func cell(_ value: JSONValue, choiceIDs: [String: ChoiceID]? = nil) throws(Mismatch) -> CellValue? {
        switch type {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber:
            return .text(try text(value))
        case .number:
            return .number(try number(value, "a number", CellText.number))
        case .currency:
            return .number(try number(value, "an amount, such as 12.50 or $12.50", CellText.currency))
        case .percent:
            return .number(try number(value, "a number or a percentage, such as 0.125 or 12.5%", CellText.percent))
        case .rating:
            let rating = try number(value, "a whole number from 1 to 10", CellText.number)
            guard rating == rating.rounded(), (0...10).contains(rating) else {
                throw Mismatch("a whole number from 1 to 10")
            }
            return rating == 0 ? nil : .number(rating)
        case .checkbox:
            return try checkbox(value) ? .checked : nil
        case .singleSelect:
            let name = try text(value)
            guard name.unicodeScalars.count <= Limits.nameCharacters else {
                throw Mismatch("a choice of at most \(Limits.nameCharacters) characters")
            }
            return choiceIDs?[name].map { .choice($0) }
        case .multipleSelects:
            let names = try names(value)
            return choiceIDs.map { ids in .choices(names.compactMap { ids[$0] }) }
        case .date:
            guard let moment = try moment(value) else { throw Mismatch("a date, such as 2024-05-01") }
            return .date(moment.date)
        case .dateTime:
            guard let moment = try moment(value) else { throw Mismatch("a time, such as 2024-05-01T12:30:00Z") }
            return .dateTime(moment.instant)
        case .multipleRecordLinks:
            _ = try names(value)
            return nil
        case .duration:
            return .number(try number(value, "seconds, or hours and minutes such as 1:30", Self.duration))
        case .barcode:
            return .barcode(Barcode(text: try text(value)))
        case .createdTime, .autoNumber, .lastModifiedTime, .createdBy, .lastModifiedBy, .formula, .rollup,
            .multipleLookupValues, .count, .button, .aiText, .externalSyncSource, .manualSort, .singleCollaborator,
            .multipleCollaborators, .multipleAttachments:
            return nil
        }
    }

    /// Two parts are hours and minutes, as a field made by an import shows them.
    private static func duration(_ text: String) -> Double? { CellText.duration(text, format: "h:mm") }

    /// The names that a cell of several values holds, each once.
    func names(_ value: JSONValue) throws(Mismatch) -> [String] {
        let expected = "names separated by commas, or an array of strings"
        switch value {
        case .string(let text):
            return CellText.list(text).distinct()
        case .array(let elements):
            var names: [String] = []
            for element in elements {
                guard case .string(let name) = element else { throw Mismatch(expected) }
                if !name.isEmpty { names.append(name) }
            }
            return names.distinct()
        default:
            throw Mismatch(expected)
        }
    }

    /// What did not fit, in words for a message.
    struct Mismatch: Error {
        let expected: String
        init(_ expected: String) { self.expected = expected }
    }

    /// - Throws: when the value is longer than any cell may be. Whatever its type turns out to be.
    static func checkLength(_ value: JSONValue) throws(Mismatch) {
        let text: String
        switch value {
        case .string(let string): text = string
        case .array, .object: text = value.text
        default: return
        }
        // Counting bytes first spares nearly every cell the slow walk over characters.
        guard text.utf8.count <= Limits.cellCharacters || text.count <= Limits.cellCharacters else {
            throw Mismatch("at most \(Limits.cellCharacters) characters")
        }
    }

    private func text(_ value: JSONValue) throws(Mismatch) -> String {
        try Self.checkLength(value)
        return switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        default: value.text
        }
    }

    private func number(
        _ value: JSONValue,
        _ expected: String,
        _ parse: (String) -> Double?
    ) throws(Mismatch) -> Double {
        switch value {
        case .number(let number): return number.doubleValue
        case .string(let text):
            guard let number = parse(text.trimmingSpace()) else { throw Mismatch(expected) }
            return number
        default: throw Mismatch(expected)
        }
    }

    private func checkbox(_ value: JSONValue) throws(Mismatch) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .string(let text):
            guard let flag = CellText.checkbox(text.trimmingSpace()) else { throw Mismatch("true or false") }
            return flag
        default: throw Mismatch("true or false")
        }
    }

    private func moment(_ value: JSONValue) throws(Mismatch) -> CalendarMoment? {
        guard case .string(let text) = value else { return nil }
        return CalendarMoment(loose: text.trimmingSpace())
    }
}

extension FieldType {
    /// Whether cells of files become cells of it: not what the store computes, nor people and files, which are no text.
    var isImportable: Bool {
        switch self {
        case .singleCollaborator, .multipleCollaborators, .multipleAttachments: false
        default: !isComputed
        }
    }
}
