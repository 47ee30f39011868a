/// The kinds of field, by Airtable's own names.
public enum FieldType: String, Sendable, Hashable, CaseIterable, Codable {
    case singleLineText, multilineText, email, url, phoneNumber
    case number, currency, percent, checkbox, rating
    case singleSelect, multipleSelects
    case date, dateTime
    case multipleRecordLinks
    case createdTime, autoNumber
    case richText, duration, barcode
    case singleCollaborator, multipleCollaborators
    case multipleAttachments
    case lastModifiedTime, createdBy, lastModifiedBy
    case formula, rollup, multipleLookupValues, count
    case button, aiText, externalSyncSource, manualSort

    /// Whether the store, not the writer, decides the value.
    public var isComputed: Bool {
        switch self {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .number, .currency, .percent,
            .duration, .checkbox, .rating, .singleSelect, .multipleSelects, .date, .dateTime, .multipleRecordLinks,
            .barcode, .singleCollaborator, .multipleCollaborators, .multipleAttachments:
            false
        case .createdTime, .autoNumber, .lastModifiedTime, .createdBy, .lastModifiedBy, .formula, .rollup,
            .multipleLookupValues, .count, .button, .aiText, .externalSyncSource, .manualSort:
            true
        }
    }

    /// Whether its value comes from a formula, or through links, and so from other cells.
    public var isDerived: Bool {
        switch self {
        case .formula, .rollup, .multipleLookupValues, .count: true
        default: false
        }
    }

    /// singleSelect, multipleSelects and what is shown like them.
    public var hasChoices: Bool {
        switch self {
        case .singleSelect, .multipleSelects, .externalSyncSource: true
        default: false
        }
    }
}
