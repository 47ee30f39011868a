import Domain

/// Field options as they are stored: one JSON object with the members that are set.
extension FieldOptions {
    var storedText: String { storedValue.text }

    private var storedValue: JSONValue {
        var object = JSONObject()
        object["precision"] = precision.map { .number(JSONNumber($0)) }
        object["symbol"] = symbol.map { .string($0) }
        object["max"] = max.map { .number(JSONNumber($0)) }
        object["icon"] = icon.map { .string($0) }
        object["color"] = color.map { .string($0) }
        object["choices"] = choices.map { .array($0.map(\.storedValue)) }
        object["linkedTable"] = linkedTable.map { .string($0.description) }
        object["inverseLinkField"] = inverseLinkField.map { .string($0.description) }
        object["dateFormat"] = dateFormat.map { .string($0) }
        object["timeFormat"] = timeFormat.map { .string($0) }
        object["timeZone"] = timeZone.map { .string($0) }
        object["durationFormat"] = durationFormat.map { .string($0) }
        object["prefersSingle"] = prefersSingleRecordLink.map { .bool($0) }
        object["selectionView"] = recordSelectionView.map { .string($0.description) }
        object["isReversed"] = isReversed.map { .bool($0) }
        object["formula"] = formula.map { .string($0) }
        object["isValid"] = isValid.map { .bool($0) }
        object["referencedFields"] = referencedFields.map { .array($0.map { .string($0.description) }) }
        object["recordLinkField"] = recordLinkField.map { .string($0.description) }
        object["fieldInLinkedTable"] = fieldInLinkedTable.map { .string($0.description) }
        object["label"] = label.map { .string($0) }
        object["prompt"] = prompt.map { .array($0.map(\.storedValue)) }
        object["result"] = result.map { ["type": .string($0.type.rawValue), "options": $0.options.storedValue] }
        object["hostedType"] = hostedType.map { .string($0) }
        return .object(object)
    }

    /// - Throws: `.corrupt`.
    init(storedText: String) throws(AirtableError) {
        if storedText == "{}" {
            self.init()
            return
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: storedText, limits: .trusted)
        } catch {
            throw .corrupt("A field's stored options cannot be read.", detail: error.description)
        }
        try self.init(stored: value)
    }

    private init(stored value: JSONValue) throws(AirtableError) {
        self.init()
        precision = value["precision"]?.intValue
        symbol = value["symbol"]?.stringValue
        max = value["max"]?.intValue
        icon = value["icon"]?.stringValue
        color = value["color"]?.stringValue
        linkedTable = try Self.identifier(value["linkedTable"])
        inverseLinkField = try Self.identifier(value["inverseLinkField"])
        dateFormat = value["dateFormat"]?.stringValue
        timeFormat = value["timeFormat"]?.stringValue
        timeZone = value["timeZone"]?.stringValue
        durationFormat = value["durationFormat"]?.stringValue
        prefersSingleRecordLink = value["prefersSingle"]?.boolValue
        recordSelectionView = try Self.identifier(value["selectionView"])
        isReversed = value["isReversed"]?.boolValue
        formula = value["formula"]?.stringValue
        isValid = value["isValid"]?.boolValue
        referencedFields = try Self.list(value["referencedFields"], Self.identifier)
        recordLinkField = try Self.identifier(value["recordLinkField"])
        fieldInLinkedTable = try Self.identifier(value["fieldInLinkedTable"])
        label = value["label"]?.stringValue
        hostedType = value["hostedType"]?.stringValue
        prompt = try Self.list(value["prompt"], PromptPart.init(stored:))
        choices = try Self.list(value["choices"], SelectChoice.init(stored:))
        if let stored = value["result"] {
            guard let type = stored["type"]?.stringValue.flatMap({ FieldType(rawValue: $0) }),
                let options = stored["options"]
            else { throw .corrupt("A field's stored result cannot be read.") }
            result = .of(type, try FieldOptions(stored: options))
        }
    }

    /// Nil when there is no list; each element must be readable.
    private static func list<Element>(
        _ value: JSONValue?,
        _ read: (JSONValue?) throws(AirtableError) -> Element?
    ) throws(AirtableError) -> [Element]? {
        guard let stored = value?.arrayValue else { return nil }
        var list: [Element] = []
        list.reserveCapacity(stored.count)
        for value in stored {
            guard let element = try read(value) else { throw .corrupt("A field's stored options cannot be read.") }
            list.append(element)
        }
        return list
    }

    fileprivate static func identifier<Kind>(_ value: JSONValue?) throws(AirtableError) -> Identifier<Kind>? {
        guard let value else { return nil }
        guard let text = value.stringValue, let id = Identifier<Kind>(text) else {
            throw .corrupt("A field's stored options hold no valid identifier.")
        }
        return id
    }
}

extension SelectChoice {
    fileprivate init?(stored value: JSONValue?) throws(AirtableError) {
        guard let id: ChoiceID = try FieldOptions.identifier(value?["id"]), let name = value?["name"]?.stringValue
        else { return nil }
        self.init(id: id, name: name, color: value?["color"]?.stringValue)
    }

    fileprivate var storedValue: JSONValue {
        var object: JSONObject = ["id": .string(id.description), "name": .string(name)]
        object["color"] = color.map { .string($0) }
        return .object(object)
    }
}

extension PromptPart {
    fileprivate init?(stored value: JSONValue?) throws(AirtableError) {
        if let text = value?.stringValue {
            self = .text(text)
        } else if let field: FieldID = try FieldOptions.identifier(value?["field"]) {
            self = .field(field)
        } else {
            return nil
        }
    }

    fileprivate var storedValue: JSONValue {
        switch self {
        case .text(let text): .string(text)
        case .field(let field): ["field": .string(field.description)]
        }
    }
}
