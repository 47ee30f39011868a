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
