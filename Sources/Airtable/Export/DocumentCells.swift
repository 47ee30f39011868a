import Domain

/// Cells as a base document has them: in the API's shapes, but for what those do not tell whole.
///
/// Attachments and texts of models stand as in the store (`StoredComposite`): with the hash of their bytes, and what is
/// stale. Times of creation have their microseconds.
enum DocumentCells {
    /// Nil for what is not in the document: what is computed from other cells, and the time of creation, which the
    /// record itself says.
    static func json(of value: CellValue, _ field: Field) -> JSONValue? {
        if field.type.isRuled || field.type == .createdTime { return nil }
        switch value {
        case .attachments(let files): return .array(files.map(StoredComposite.json))
        case .aiText(let text): return StoredComposite.json(of: text)
        case .dateTime(let instant): return .string(instant.iso8601)
        default:
            let json = CellCodec.json(of: value, field: field)
            return json.isNull ? nil : json
        }
    }

    /// What `json` says of a cell of `field`; nil for one that holds nothing, or that is computed anew.
    ///
    /// - Throws: `.invalidValueForColumn` and its like.
    static func value(of json: JSONValue, _ field: Field) throws(AirtableError) -> CellValue? {
        if field.type.isRuled || field.type == .createdTime || json.isNull { return nil }
        switch field.type {
        case .multipleAttachments:
            return .attachments(try required(StoredComposite.attachments(json), field, "attachments as exported"))
        case .createdBy, .lastModifiedBy:
            return .collaborator(try required(StoredComposite.collaborator(json), field, "a person"))
        case .lastModifiedTime:
            return .dateTime(try required(json.stringValue.flatMap { Instant(iso8601: $0) }, field, "a time"))
        case .autoNumber:
            let number = json.intValue.flatMap { (1...Int64.max / 2).contains(Int64($0)) ? Double($0) : nil }
            return .number(try required(number, field, "a whole number"))
        case .manualSort:
            return .text(try required(json.stringValue.flatMap { $0.hasNUL ? nil : $0 }, field, "a string"))
        case .externalSyncSource:
            let choice = json.stringValue.flatMap { name in field.options.choices?.first { $0.name == name } }
            return .choice(try required(choice?.id, field, "the name of a choice"))
        case .aiText: return .aiText(try required(StoredComposite.aiText(json), field, "a text of a model"))
        default: return try written(json, field)
        }
    }

    /// A cell that people write.
    private static func written(_ json: JSONValue, _ field: Field) throws(AirtableError) -> CellValue? {
        switch try CellCodec.parse(json, field: field, people: people) {
        case .empty: return nil
        case .value(let value): return value
        case .choice(let input): return .choice(try existing(input, field))
        case .choices(let inputs):
            var ids: [ChoiceID] = []
            for input in inputs { ids.append(try existing(input, field)) }
            return .choices(ids)
        case .links(let inputs):
            let ids = inputs.compactMap { if case .record(let id) = $0 { id } else { nil } }
            return .links(try required(ids.count == inputs.count ? ids : nil, field, "identifiers of records"))
        case .attachments: throw .invalidValue(field, expected: "attachments as exported")
        }
    }

    /// With microseconds when there are any.
    static func text(of instant: Instant) -> String {
        let rest = instant.microseconds - instant.milliseconds * 1_000
        guard rest != 0 else { return instant.iso8601 }
        let digits = String(rest)
        return instant.iso8601.dropLast() + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    /// People of a document may be users of another server.
    private static let people = CollaboratorDirectory([], acceptsStrangers: true)

    private static func existing(_ input: ChoiceInput, _ field: Field) throws(AirtableError) -> ChoiceID {
        if case .existing(let id) = input { return id }
        throw .invalidValue(field, expected: "names of choices")
    }

    private static func required<T>(_ value: T?, _ field: Field, _ expected: String) throws(AirtableError) -> T {
        guard let value else { throw .invalidValue(field, expected: expected) }
        return value
    }
}
