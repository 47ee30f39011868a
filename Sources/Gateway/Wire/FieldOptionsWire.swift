import Domain

/// Field options in the shapes of Airtable's own metadata API.
enum FieldOptionsWire {
    /// Nil for types without options.
    static func json(of field: Field) -> JSONValue? {
        let options = field.options
        var members = JSONObject()
        switch field.type {
        case .singleLineText, .multilineText, .email, .url, .phoneNumber, .autoNumber:
            return nil
        case .number, .percent:
            members["precision"] = number(options.precision)
        case .currency:
            members["precision"] = number(options.precision)
            members["symbol"] = text(options.symbol)
        case .checkbox:
            members["icon"] = text(options.icon)
            members["color"] = text(options.color)
        case .rating:
            members["max"] = number(options.max)
            members["icon"] = text(options.icon)
            members["color"] = text(options.color)
        case .singleSelect, .multipleSelects:
            members["choices"] = .array((options.choices ?? []).map(choice))
        case .date:
            members["dateFormat"] = format(options.dateFormat, dateFormats)
        case .dateTime:
            members = dateTime(options)
        case .createdTime:
            members["result"] = ["type": "dateTime", "options": .object(dateTime(options))]
        case .multipleRecordLinks:
            members["linkedTableId"] = text(options.linkedTable?.description)
            members["isReversed"] = false
            members["prefersSingleRecordLink"] = false
            members["inverseLinkFieldId"] = text(options.inverseLinkField?.description)
        }
        return .object(members)
    }

    private static func dateTime(_ options: FieldOptions) -> JSONObject {
        var members = JSONObject()
        members["dateFormat"] = format(options.dateFormat, dateFormats)
        members["timeFormat"] = format(options.timeFormat, timeFormats)
        members["timeZone"] = text(options.timeZone)
        return members
    }

    private static func choice(_ choice: SelectChoice) -> JSONValue {
        var members: JSONObject = ["id": .string(choice.id.description), "name": .string(choice.name)]
        members["color"] = text(choice.color)
        return .object(members)
    }

    private static func format(_ name: String?, _ formats: [String: String]) -> JSONValue? {
        guard let name else { return nil }
        var members: JSONObject = ["name": .string(name)]
        members["format"] = text(formats[name])
        return .object(members)
    }

    private static func number(_ value: Int?) -> JSONValue? { value.map { .number(JSONNumber($0)) } }
    private static func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }

    /// Airtable's names and the patterns it shows beside them.
    private static let dateFormats = [
        "local": "l", "friendly": "LL", "us": "M/D/YYYY", "european": "D/M/YYYY", "iso": "YYYY-MM-DD",
    ]
    private static let timeFormats = ["12hour": "h:mma", "24hour": "HH:mm"]
}
