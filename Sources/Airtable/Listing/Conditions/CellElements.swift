import Domain

/// The values of a cell as people read them, one by one: several for links and multiple selects, else one.
enum CellElements {
    static func of(_ value: CellValue, _ field: Field, _ links: LinkTexts) -> [JSONValue] {
        switch value {
        case .text(let text): [.string(text)]
        case .number(let number): [JSONNumber(number).map { .number($0) } ?? .null]
        case .checked: [true]
        case .choice: [.string(CellCodec.displayText(of: value, field: field) { _ in nil })]
        case .choices(let ids): unique(ids.map { CellCodec.displayText(of: .choice($0), field: field) { _ in nil } })
        case .date(let date): [.string(date.iso8601)]
        case .dateTime(let instant): [.string(instant.iso8601)]
        // Two linked records of one name are one group, as people read it.
        case .links(let ids): unique(ids.map { links[$0] ?? $0.description })
        case .collaborators(let people): unique(people.map(\.displayName))
        case .attachments(let files): unique(files.map(\.filename))
        case .collaborator, .barcode, .button, .aiText: shown(value, field)
        case .computed(let computed): of(computed, field, links)
        }
    }

    private static func of(_ value: ComputedValue, _ field: Field, _ links: LinkTexts) -> [JSONValue] {
        switch value {
        case .number(let number): [JSONNumber(number).map { .number($0) } ?? .null]
        case .boolean(let flag): [.bool(flag)]
        case .record(let id): [.string(links[id] ?? id.description)]
        case .list(let values): uniqueValues(values.flatMap { of($0, field, links) })
        case .blank: []
        case .text, .special, .day, .moment, .collaborator, .attachment, .barcode, .error:
            shown(.computed(value), field)
        }
    }

    /// As people read it; nothing for what shows nothing.
    private static func shown(_ value: CellValue, _ field: Field) -> [JSONValue] {
        let text = CellCodec.displayText(of: value, field: field) { _ in nil }
        return text.isEmpty ? [] : [.string(text)]
    }

    private static func uniqueValues(_ values: [JSONValue]) -> [JSONValue] {
        var seen: Set<JSONValue> = []
        return values.filter { seen.insert($0).inserted }
    }

    private static func unique(_ texts: [String]) -> [JSONValue] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }.map { .string($0) }
    }
}

extension FieldType {
    var isNumeric: Bool {
        [.number, .currency, .percent, .duration, .rating, .autoNumber, .count].contains(self)
    }
    var isDate: Bool { [.date, .dateTime, .createdTime, .lastModifiedTime].contains(self) }
}

/// What a field holds, whoever computes it: a formula that gives numbers is summed as a number field is.
extension Field {
    var isNumeric: Bool { type.isNumeric || type.isDerived && options.result?.type.isNumeric == true }
    var isDate: Bool { type.isDate || type.isDerived && options.result?.type.isDate == true }
}
