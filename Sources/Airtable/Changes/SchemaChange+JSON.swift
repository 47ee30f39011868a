import Domain

/// Changes of schemas as the change log keeps them: `{"field":{…}}`, `{"table":{…}}`, `{"view":{…}}` or `{"base":{…}}` before and after.
extension SchemaChange {
    var storedBefore: String? {
        switch self {
        case .tableCreated, .fieldCreated, .viewCreated: nil
        case .tableUpdated(let before, _): Self.text(before)
        case .fieldUpdated(let before, _), .fieldDeleted(let before): Self.text(before)
        case .viewUpdated(let before, _), .viewDeleted(let before): Self.text(before)
        case .baseRenamed(let before, _): Self.text(base: before)
        }
    }

    var storedAfter: String? {
        switch self {
        case .fieldDeleted, .viewDeleted: nil
        case .tableCreated(let name): Self.text(TableHead(name: name, description: nil))
        case .tableUpdated(_, let after): Self.text(after)
        case .fieldCreated(let after), .fieldUpdated(_, let after): Self.text(after)
        case .viewCreated(let after), .viewUpdated(_, let after): Self.text(after)
        case .baseRenamed(_, let after): Self.text(base: after)
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
        case (nil, .view(let view)): self = .viewCreated(view)
        case (.view(let before), .view(let after)): self = .viewUpdated(before: before, after: after)
        case (.view(let view), nil): self = .viewDeleted(view)
        case (.base(let before), .base(let after)): self = .baseRenamed(before: before, after: after)
        default: throw Self.damaged
        }
    }

    // MARK: Parts

    private enum Part {
        case table(TableHead)
        case field(Field)
        case view(TableView)
        case base(String)
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

    private static func text(base name: String) -> String {
        (["base": ["name": .string(name)]] as JSONValue).text
    }

    private static func text(_ view: TableView) -> String {
        var members: JSONObject = [
            "id": .string(view.id.description), "table": .string(view.table.description), "name": .string(view.name),
        ]
        members["filter"] = view.filter.map { .string($0) }
        members["sort"] = .array(
            view.sort.map { ["field": .string($0.field.description), "descending": .bool($0.isDescending)] }
        )
        members["visible"] = view.visibleFields.map { .array($0.map { .string($0.description) }) }
        return (["view": .object(members)] as JSONValue).text
    }

    private static func view(_ json: JSONValue) -> TableView? {
        guard let id = json["id"]?.stringValue.flatMap({ ViewID($0) }),
            let table = json["table"]?.stringValue.flatMap({ TableID($0) }), let name = json["name"]?.stringValue
        else { return nil }
        return TableView(
            id: id,
            table: table,
            name: name,
            filter: json["filter"]?.stringValue,
            sort: (json["sort"]?.arrayValue ?? []).compactMap { key in
                guard let field = key["field"]?.stringValue.flatMap({ FieldID($0) }) else { return nil }
                return TableView.SortKey(field: field, isDescending: key["descending"]?.boolValue ?? false)
            },
            visibleFields: json["visible"]?.arrayValue.map { $0.compactMap { $0.stringValue.flatMap { FieldID($0) } } }
        )
    }

    private static func part(_ text: String) throws(AirtableError) -> Part {
        let json: JSONValue
        do { json = try JSONValue(parsing: text, limits: .trusted) } catch { throw damaged }
        if let table = json["table"], let name = table["name"]?.stringValue {
            return .table(TableHead(name: name, description: table["description"]?.stringValue))
        }
        if let view = json["view"].flatMap(view) { return .view(view) }
        if let name = json["base"]?["name"]?.stringValue { return .base(name) }
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
