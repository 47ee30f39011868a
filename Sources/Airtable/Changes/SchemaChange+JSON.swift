import Domain

/// Changes of schemas as the change log keeps them: `{"field":{…}}` or `{"table":{…}}` before and after.
extension SchemaChange {
    var storedBefore: String? {
        switch self {
        case .tableCreated, .fieldCreated: nil
        case .tableUpdated(let before, _): Self.text(before)
        case .fieldUpdated(let before, _), .fieldDeleted(let before): Self.text(before)
        }
    }

    var storedAfter: String? {
        switch self {
        case .fieldDeleted: nil
        case .tableCreated(let name): Self.text(TableHead(name: name, description: nil))
        case .tableUpdated(_, let after): Self.text(after)
        case .fieldCreated(let after), .fieldUpdated(_, let after): Self.text(after)
        }
    }

    /// Nil for an entry that says no more than that something changed.
    ///
    /// - Throws: `.corrupt`.
    init?(storedBefore before: String?, after: String?) throws(AirtableError) {
        let (before, after) = (try before.map(Self.part), try after.map(Self.part))
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, .table(let head)): self = .tableCreated(name: head.name)
        case (.table(let before), .table(let after)): self = .tableUpdated(before: before, after: after)
        case (nil, .field(let field)): self = .fieldCreated(field)
        case (.field(let before), .field(let after)): self = .fieldUpdated(before: before, after: after)
        case (.field(let field), nil): self = .fieldDeleted(field)
        default: throw Self.damaged
        }
    }

    // MARK: Parts

    private enum Part {
        case table(TableHead)
        case field(Field)
    }

    private static func text(_ head: TableHead) -> String {
        var members: JSONObject = ["name": .string(head.name)]
        members["description"] = head.description.map { .string($0) }
        return (["table": .object(members)] as JSONValue).text
    }

    private static func text(_ field: Field) -> String {
        var members: JSONObject = [
            "id": .string(field.id.description), "name": .string(field.name), "type": .string(field.type.rawValue),
            "ordinal": .number(JSONNumber(field.ordinal)), "options": .string(field.options.storedText),
        ]
        members["description"] = field.description.map { .string($0) }
        return (["field": .object(members)] as JSONValue).text
    }

    private static func part(_ text: String) throws(AirtableError) -> Part {
        let json: JSONValue
        do { json = try JSONValue(parsing: text, limits: .trusted) } catch { throw damaged }
        if let table = json["table"], let name = table["name"]?.stringValue {
            return .table(TableHead(name: name, description: table["description"]?.stringValue))
        }
        guard let field = json["field"], let id = field["id"]?.stringValue.flatMap({ FieldID($0) }),
            let name = field["name"]?.stringValue, let ordinal = field["ordinal"]?.intValue,
            let type = field["type"]?.stringValue.flatMap({ FieldType(rawValue: $0) }),
            let options = field["options"]?.stringValue
        else { throw damaged }
        return .field(
            Field(
                id: id,
                name: name,
                type: type,
                description: field["description"]?.stringValue,
                options: try FieldOptions(storedText: options),
                ordinal: ordinal
            )
        )
    }

    private static var damaged: AirtableError { .corrupt("A change of a schema in the change log cannot be read.") }
}
