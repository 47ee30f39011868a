public import Domain

extension FormulaType {
    /// What formulas see of a field of this type, by Airtable's name for it; nil when there is no such type.
    ///
    /// - Parameter result: of computed types whose result has a type of its own; `.any` when nobody told.
    public init?(airtableType name: String, result: FormulaType? = nil) {
        switch name {
        case "singleLineText", "multilineText", "richText", "email", "url", "phoneNumber", "singleSelect",
            "externalSyncSource", "singleCollaborator", "createdBy", "lastModifiedBy", "barcode", "button", "aiText",
            "manualSort":
            self = .text
        case "number", "currency", "percent", "duration", "rating", "count", "autoNumber":
            self = .number
        case "checkbox":
            self = .boolean
        case "date":
            self = .date(isDay: true)
        case "dateTime":
            self = .date(isDay: false)
        case "createdTime", "lastModifiedTime":
            self = result ?? .date(isDay: false)
        case "multipleSelects", "multipleCollaborators", "multipleRecordLinks", "multipleAttachments":
            self = .array(.text)
        case "formula", "rollup":
            self = result ?? .any
        case "multipleLookupValues":
            self = .array(result ?? .any)
        default:
            return nil
        }
    }

    /// Reads a type as the meta API has it: its name, or `{"type", "options": {"result": …}}`.
    public init?(field: JSONValue) {
        if let name = field.stringValue {
            self.init(airtableType: name)
        } else if let name = field["type"]?.stringValue {
            let result = field["options"]?["result"].flatMap { $0.isNull ? nil : $0 }
            self.init(airtableType: name, result: result.flatMap { FormulaType(field: $0) })
        } else {
            return nil
        }
    }

    /// Every type of field there is.
    public static let airtableTypes = [
        "aiText", "autoNumber", "barcode", "button", "checkbox", "count", "createdBy", "createdTime", "currency",
        "date",
        "dateTime", "duration", "email", "externalSyncSource", "formula", "lastModifiedBy", "lastModifiedTime",
        "manualSort", "multilineText", "multipleAttachments", "multipleCollaborators", "multipleLookupValues",
        "multipleRecordLinks", "multipleSelects", "number", "percent", "phoneNumber", "rating", "richText", "rollup",
        "singleCollaborator", "singleLineText", "singleSelect", "url",
    ]
}
