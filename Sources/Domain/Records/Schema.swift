/// An Airtable base: a named set of tables in a workspace.
public struct Base: Sendable, Hashable, Identifiable {
    public let id: BaseID
    public var workspace: WorkspaceID
    public var name: String
    public var createdTime: Instant

    public init(id: BaseID, workspace: WorkspaceID, name: String, createdTime: Instant) {
        self.id = id
        self.workspace = workspace
        self.name = name
        self.createdTime = createdTime
    }
}

/// A table and its fields, in the order people see them.
public struct Table: Sendable, Hashable, Identifiable {
    public let id: TableID
    public let base: BaseID
    public var name: String
    public var description: String?
    public var primaryField: FieldID
    public var fields: [Field]

    public init(
        id: TableID,
        base: BaseID,
        name: String,
        description: String? = nil,
        primaryField: FieldID,
        fields: [Field]
    ) {
        self.id = id
        self.base = base
        self.name = name
        self.description = description
        self.primaryField = primaryField
        self.fields = fields
    }

    /// The field with this identifier, or else this exact name.
    public func field(_ nameOrID: String) -> Field? {
        if let id = FieldID(nameOrID), let field = fields.first(where: { $0.id == id }) { return field }
        return fields.first { $0.name == nameOrID }
    }

    public func field(id: FieldID) -> Field? { fields.first { $0.id == id } }
}

/// The kinds of field that the store knows, by Airtable's own names.
public enum FieldType: String, Sendable, Hashable, CaseIterable, Codable {
    case singleLineText, multilineText, email, url, phoneNumber
    case number, currency, percent, checkbox, rating
    case singleSelect, multipleSelects
    case date, dateTime
    case multipleRecordLinks
    case createdTime, autoNumber

    /// Whether the store, not the writer, decides the value.
    public var isComputed: Bool { self == .createdTime || self == .autoNumber }
}

/// One choice of a select field.
public struct SelectChoice: Sendable, Hashable, Identifiable, Codable {
    public let id: ChoiceID
    public var name: String
    /// Airtable's colour name, such as `blueLight2`.
    public var color: String?

    public init(id: ChoiceID, name: String, color: String? = nil) {
        self.id = id
        self.name = name
        self.color = color
    }
}

/// What a field's type leaves open. Only the members of that type are set.
public struct FieldOptions: Sendable, Hashable {
    /// Decimal places: number and percent 0–8, currency 0–7.
    public var precision: Int?
    /// currency.
    public var symbol: String?
    /// rating: largest value, 1–10.
    public var max: Int?
    /// checkbox, rating.
    public var icon: String?
    public var color: String?
    /// singleSelect, multipleSelects, in choice order.
    public var choices: [SelectChoice]?
    /// multipleRecordLinks: the table whose records are linked, and the field there that shows the other side.
    public var linkedTable: TableID?
    public var inverseLinkField: FieldID?
    /// date, dateTime: `local friendly us european iso`; `12hour 24hour`; an IANA name, `utc` or `client`.
    public var dateFormat: String?
    public var timeFormat: String?
    public var timeZone: String?

    public init() {}
}

/// A field (column) of a table.
public struct Field: Sendable, Hashable, Identifiable {
    public let id: FieldID
    public var name: String
    public var type: FieldType
    public var description: String?
    public var options: FieldOptions
    /// Number of the field inside its table, never used again after deletion; stored cells are keyed by it.
    public let ordinal: Int

    public init(
        id: FieldID,
        name: String,
        type: FieldType,
        description: String? = nil,
        options: FieldOptions = FieldOptions(),
        ordinal: Int
    ) {
        self.id = id
        self.name = name
        self.type = type
        self.description = description
        self.options = options
        self.ordinal = ordinal
    }
}
