public import Domain

/// Field options in the shapes of Airtable's own metadata API, both ways.
extension FieldOptions {
    /// What is shown of a field's options; nil for types without any.
    public static func wire(of field: Field) -> JSONObject? { field.options.wire(as: field.type) }

    func wire(as type: FieldType) -> JSONObject? {
        var members = JSONObject()
        switch type {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .autoNumber, .barcode,
            .singleCollaborator, .multipleCollaborators, .createdBy, .manualSort:
            return nil
        case .number, .percent:
            members["precision"] = Self.number(precision)
        case .currency:
            members["precision"] = Self.number(precision)
            members["symbol"] = Self.text(symbol)
        case .duration:
            members["durationFormat"] = Self.text(durationFormat)
        case .checkbox:
            members["icon"] = Self.text(icon)
            members["color"] = Self.text(color)
        case .rating:
            members["max"] = Self.number(max)
            members["icon"] = Self.text(icon)
            members["color"] = Self.text(color)
        case .singleSelect, .multipleSelects, .externalSyncSource:
            members["choices"] = .array((choices ?? []).map(Self.choice))
        case .date:
            members["dateFormat"] = Self.format(dateFormat, Self.datePatterns)
        case .dateTime:
            members = timeWire
        case .createdTime:
            members["result"] = timeResult
        case .lastModifiedTime:
            members["isValid"] = .bool(isValid ?? true)
            members["referencedFieldIds"] = Self.fields(referencedFields ?? [])
            members["result"] = timeResult
        case .lastModifiedBy:
            members["referencedFieldIds"] = Self.fields(referencedFields ?? [])
        case .multipleRecordLinks:
            members["linkedTableId"] = Self.text(linkedTable?.description)
            members["isReversed"] = .bool(isReversed ?? false)
            members["prefersSingleRecordLink"] = .bool(prefersSingleRecordLink ?? false)
            members["inverseLinkFieldId"] = Self.text(inverseLinkField?.description)
            members["viewIdForRecordSelection"] = Self.text(recordSelectionView?.description)
        case .multipleAttachments:
            members["isReversed"] = .bool(isReversed ?? false)
        case .formula, .rollup, .multipleLookupValues, .count, .button, .aiText:
            members = computedWire(type)
        }
        return members
    }

    // MARK: Parts

    private func computedWire(_ type: FieldType) -> JSONObject {
        var members = JSONObject()
        // A button's options are not Airtable's to show; ours are.
        if type == .button {
            members["label"] = Self.text(label)
            members["url"] = Self.text(formula)
            return members
        }
        if type == .aiText {
            members["prompt"] = .array((prompt ?? []).map(Self.part))
            members["referencedFieldIds"] = Self.fields(referencedFields ?? promptFields)
            return members
        }
        members["isValid"] = .bool(isValid ?? true)
        if type == .formula || type == .rollup { members["formula"] = Self.text(formula) }
        if type == .formula || type == .rollup {
            members["referencedFieldIds"] = Self.fields(referencedFields ?? [])
        }
        members["recordLinkFieldId"] = Self.text(recordLinkField?.description)
        members["fieldIdInLinkedTable"] = Self.text(fieldInLinkedTable?.description)
        if type != .count { members["result"] = result.map(Self.result) ?? .null }
        return members
    }

    private var promptFields: [FieldID] {
        var fields: [FieldID] = []
        for case .field(let field) in prompt ?? [] where !fields.contains(field) { fields.append(field) }
        return fields
    }

    private var timeResult: JSONValue {
        var shown = self
        shown.referencedFields = nil
        return Self.result(.of(timeFormat == nil && dateFormat != nil ? .date : .dateTime, shown))
    }

    private var timeWire: JSONObject {
        var members = JSONObject()
        members["dateFormat"] = Self.format(dateFormat, Self.datePatterns)
        members["timeFormat"] = Self.format(timeFormat, Self.timePatterns)
        members["timeZone"] = Self.text(timeZone)
        return members
    }

    private static func result(_ result: FieldResult) -> JSONValue {
        var members: JSONObject = ["type": .string(result.type.rawValue)]
        members["options"] = result.options.wire(as: result.type).map { .object($0) }
        return .object(members)
    }

    private static func choice(_ choice: SelectChoice) -> JSONValue {
        var members: JSONObject = ["id": .string(choice.id.description), "name": .string(choice.name)]
        members["color"] = text(choice.color)
        return .object(members)
    }

    private static func part(_ part: PromptPart) -> JSONValue {
        switch part {
        case .text(let text): .string(text)
        case .field(let field): ["field": ["fieldId": .string(field.description)]]
        }
    }

    private static func format(_ name: String?, _ patterns: [String: String]) -> JSONValue? {
        guard let name else { return nil }
        var members: JSONObject = ["name": .string(name)]
        members["format"] = text(patterns[name])
        return .object(members)
    }

    private static func number(_ value: Int?) -> JSONValue? { value.map { .number(JSONNumber($0)) } }
    private static func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
    private static func fields(_ ids: [FieldID]) -> JSONValue { .array(ids.map { .string($0.description) }) }

    /// Airtable's names and the patterns it shows beside them.
    static let datePatterns = [
        "local": "l", "friendly": "LL", "us": "M/D/YYYY", "european": "D/M/YYYY", "iso": "YYYY-MM-DD",
    ]
    static let timePatterns = ["12hour": "h:mma", "24hour": "HH:mm"]
}
