public import Domain

/// Fields as the metadata API is given them: `{name, type, description?, options?}`.
///
/// Options are taken as they are read, also of types that the hosted service does not make: else nobody could make a
/// base with them. Where one names a field by identifier, its name will do, since a field made in the same call has
/// no identifier yet. Members that a type does not have are passed over.
extension FieldDraft {
    /// - Throws: `.invalidRequest` for what is no field; `.invalidFieldOptions`.
    public init(wire json: JSONValue) throws(AirtableError) {
        guard let name = json["name"]?.stringValue, let typeName = json["type"]?.stringValue else {
            throw AirtableError(.invalidRequest, "A field needs \"name\" and \"type\", both strings.")
        }
        guard let type = FieldType(rawValue: typeName) else {
            let nearest = Spelling.nearest(to: typeName, among: FieldType.allCases.map(\.rawValue))
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(name.cut(to: 255))\" has the unknown type \"\(typeName.cut(to: 64))\".",
                hint: nearest.map { "did you mean \($0)?" }
            )
        }
        self.init(name: name, type: type)
        if let text = json["description"], !text.isNull {
            guard let text = text.stringValue else {
                throw AirtableError(.invalidRequest, "The description of field \"\(name.cut(to: 255))\" is no string.")
            }
            description = text.isEmpty ? nil : text
        }
        guard let given = json["options"], !given.isNull else { return }
        var reader = FieldOptionsReader(field: name, type: type)
        options = try reader.options(given)
        linkedTable = reader.linkedTable
        recordLink = reader.recordLink
        fieldInLinkedTable = reader.fieldInLinkedTable
        watchedFields = reader.watchedFields
    }
}

extension FieldUpdate {
    /// `{name?, description?, options?}`; members of `options` that are left out stay as they are.
    /// `"enableSelectFieldChoiceDeletion": true` beside the choices deletes those left out.
    ///
    /// - Throws: `.invalidRequest`, `.invalidFieldOptions`.
    public init(wire json: JSONValue, of field: Field) throws(AirtableError) {
        self.init()
        guard case .object(let members) = json else {
            throw AirtableError(.invalidRequest, "A change of a field is an object.")
        }
        for (key, value) in members {
            switch key {
            case "name":
                guard let text = value.stringValue else {
                    throw AirtableError(.invalidRequest, "A field's name is a string.")
                }
                name = text
            case "description":
                guard value.isNull || value.stringValue != nil else {
                    throw AirtableError(.invalidRequest, "A field's description is a string.")
                }
                description = value.stringValue ?? ""
            case "options" where !value.isNull:
                var reader = FieldOptionsReader(field: field.name, type: field.type)
                options = try reader.options(value)
                deletesChoices =
                    value["enableSelectFieldChoiceDeletion"]?.boolValue
                    ?? members["enableSelectFieldChoiceDeletion"]?.boolValue ?? false
            default: continue
            }
        }
    }
}

/// Reads one object of options.
private struct FieldOptionsReader {
    let field: String
    let type: FieldType
    private(set) var linkedTable: String?
    private(set) var recordLink: String?
    private(set) var fieldInLinkedTable: String?
    private(set) var watchedFields: [String]?

    init(field: String, type: FieldType) {
        self.field = field
        self.type = type
    }

    mutating func options(_ json: JSONValue) throws(AirtableError) -> FieldOptions {
        guard case .object(let members) = json else { throw wrong("options", "an object") }
        var options = FieldOptions()
        options.precision = try whole(members["precision"], "precision")
        options.max = try whole(members["max"], "max")
        options.symbol = try text(members["symbol"], "symbol")
        options.icon = try text(members["icon"], "icon")
        options.color = try text(members["color"], "color")
        options.dateFormat = try format(members["dateFormat"], "dateFormat", FieldOptions.datePatterns)
        options.timeFormat = try format(members["timeFormat"], "timeFormat", FieldOptions.timePatterns)
        options.timeZone = try text(members["timeZone"], "timeZone")
        options.durationFormat = try text(members["durationFormat"], "durationFormat")
        options.isReversed = try flag(members["isReversed"], "isReversed")
        options.prefersSingleRecordLink = try flag(members["prefersSingleRecordLink"], "prefersSingleRecordLink")
        options.recordSelectionView = try identifier(
            members["viewIdForRecordSelection"],
            "viewIdForRecordSelection"
        )
        options.formula = try text(members["formula"] ?? (type == .button ? members["url"] : nil), "formula")
        options.label = try text(members["label"], "label")
        if let choices = members["choices"], !choices.isNull { options.choices = try self.choices(choices) }
        if let prompt = members["prompt"], !prompt.isNull { options.prompt = try self.prompt(prompt) }
        if let result = members["result"], !result.isNull { options.result = try self.result(result) }
        linkedTable = try text(members["linkedTableId"], "linkedTableId")
        recordLink = try text(members["recordLinkFieldId"], "recordLinkFieldId")
        fieldInLinkedTable = try text(members["fieldIdInLinkedTable"], "fieldIdInLinkedTable")
        options.recordLinkField = recordLink.flatMap { FieldID($0) }
        options.fieldInLinkedTable = fieldInLinkedTable.flatMap { FieldID($0) }
        if let named = members["referencedFieldIds"], !named.isNull {
            guard let list = named.arrayValue else { throw wrong("referencedFieldIds", "an array of fields") }
            var names: [String] = []
            for element in list {
                guard let name = element.stringValue else { throw wrong("referencedFieldIds", "an array of fields") }
                names.append(name)
            }
            watchedFields = names
            options.referencedFields = names.compactMap { FieldID($0) }
        }
        return options
    }

    // MARK: Parts

    private func choices(_ json: JSONValue) throws(AirtableError) -> [SelectChoice] {
        guard let list = json.arrayValue else { throw wrong("choices", "an array of objects with \"name\"") }
        var choices: [SelectChoice] = []
        choices.reserveCapacity(list.count)
        for choice in list {
            guard let name = choice["name"]?.stringValue else {
                throw wrong("choices", "an array of objects with \"name\"")
            }
            let id: ChoiceID? = try identifier(choice["id"], "choices[].id")
            choices.append(
                SelectChoice(id: id ?? .random(), name: name, color: try text(choice["color"], "choices[].color"))
            )
        }
        return choices
    }

    private func prompt(_ json: JSONValue) throws(AirtableError) -> [PromptPart] {
        let expected = "an array of strings and {\"field\": {\"fieldId\"}}"
        guard let list = json.arrayValue else { throw wrong("prompt", expected) }
        var parts: [PromptPart] = []
        for part in list {
            if let text = part.stringValue {
                parts.append(.text(text))
            } else if let id = part["field"]?["fieldId"]?.stringValue.flatMap({ FieldID($0) }) {
                parts.append(.field(id))
            } else {
                throw wrong("prompt", expected)
            }
        }
        return parts
    }

    private func result(_ json: JSONValue) throws(AirtableError) -> FieldResult {
        guard let type = json["type"]?.stringValue.flatMap({ FieldType(rawValue: $0) }) else {
            throw wrong("result", "an object with the \"type\" of a field")
        }
        guard let given = json["options"], !given.isNull else { return .of(type, FieldOptions()) }
        var reader = Self(field: field, type: type)
        return .of(type, try reader.options(given))
    }

    /// `{name, format?}`, or the name alone; or by the format alone.
    private func format(
        _ json: JSONValue?,
        _ option: String,
        _ patterns: [String: String]
    ) throws(AirtableError) -> String? {
        guard let json, !json.isNull else { return nil }
        if let name = json.stringValue ?? json["name"]?.stringValue { return name }
        guard let pattern = json["format"]?.stringValue,
            let name = patterns.first(where: { $0.value == pattern })?.key
        else { throw wrong(option, "an object with \"name\": \(patterns.keys.sorted().joined(separator: ", "))") }
        return name
    }

    private func whole(_ json: JSONValue?, _ option: String) throws(AirtableError) -> Int? {
        guard let json, !json.isNull else { return nil }
        guard let value = json.intValue else { throw wrong(option, "a whole number") }
        return value
    }

    private func text(_ json: JSONValue?, _ option: String) throws(AirtableError) -> String? {
        guard let json, !json.isNull else { return nil }
        guard let value = json.stringValue else { throw wrong(option, "a string") }
        return value
    }

    private func flag(_ json: JSONValue?, _ option: String) throws(AirtableError) -> Bool? {
        guard let json, !json.isNull else { return nil }
        guard let value = json.boolValue else { throw wrong(option, "true or false") }
        return value
    }

    private func identifier<Kind>(_ json: JSONValue?, _ option: String) throws(AirtableError) -> Identifier<Kind>? {
        guard let text = try text(json, option) else { return nil }
        guard let id = Identifier<Kind>(text) else { throw wrong(option, "an identifier, \(Kind.prefix)…") }
        return id
    }

    private func wrong(_ option: String, _ expected: String) -> AirtableError {
        AirtableError(.invalidFieldOptions, "Field \"\(field.cut(to: 255))\": \(option) must be \(expected).")
    }
}
