import Domain

/// Field options as they are stored: one JSON object with the members that are set.
extension FieldOptions {
    var storedText: String {
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
        return JSONValue.object(object).text
    }

    /// - Throws: `.corrupt`.
    init(storedText: String) throws(AirtableError) {
        self.init()
        if storedText == "{}" { return }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: storedText, limits: .trusted)
        } catch {
            throw .corrupt("A field's stored options cannot be read.", detail: error.description)
        }
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
        guard let stored = value["choices"]?.arrayValue else { return }
        var choices: [SelectChoice] = []
        choices.reserveCapacity(stored.count)
        for choice in stored {
            guard let id: ChoiceID = try Self.identifier(choice["id"]), let name = choice["name"]?.stringValue else {
                throw .corrupt("A field's stored choices cannot be read.")
            }
            choices.append(SelectChoice(id: id, name: name, color: choice["color"]?.stringValue))
        }
        self.choices = choices
    }

    private static func identifier<Kind>(_ value: JSONValue?) throws(AirtableError) -> Identifier<Kind>? {
        guard let value else { return nil }
        guard let text = value.stringValue, let id = Identifier<Kind>(text) else {
            throw .corrupt("A field's stored options hold no valid identifier.")
        }
        return id
    }
}

extension SelectChoice {
    fileprivate var storedValue: JSONValue {
        var object: JSONObject = ["id": .string(id.description), "name": .string(name)]
        object["color"] = color.map { .string($0) }
        return .object(object)
    }
}
