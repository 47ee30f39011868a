public import Domain

/// A table to be made.
public struct TableDraft: Sendable, Hashable {
    /// A new one unless said. Must be free in the tenant.
    package var id: TableID?
    public var name: String
    public var description: String?
    /// In the order people see them.
    public var fields: [FieldDraft]
    /// Name of the primary field; the first one unless said.
    public var primaryField: String?

    public init(name: String, description: String? = nil, fields: [FieldDraft], primaryField: String? = nil) {
        self.name = name
        self.description = description
        self.fields = fields
        self.primaryField = primaryField
    }
}

/// A field to be made.
public struct FieldDraft: Sendable, Hashable {
    /// A new one unless said. Must be free in the tenant.
    package var id: FieldID?
    /// Whether it is made of what is gone, and so not valid from the start: only what an import brings can be.
    package var isBroken = false
    public var name: String
    public var type: FieldType
    public var description: String?
    /// What is not said gets a default. Identifiers of choices are kept when given by
    /// `SelectChoice`.
    public var options: FieldOptions
    /// multipleRecordLinks: name or identifier of the linked table, which may be one made in the
    /// same call.
    public var linkedTable: String?
    /// multipleRecordLinks: name of the field on the other side; when the linked table's draft has
    /// a link field of that name leading back here, the two become one pair. Otherwise a field is
    /// made there, named after this table.
    public var inverseName: String?
    /// rollup, lookup, count: name or identifier of the link field it goes through, and of the field
    /// at its other end; beside `options`, which take identifiers only.
    public var recordLink: String?
    public var fieldInLinkedTable: String?
    /// lastModifiedTime, lastModifiedBy: names or identifiers of the fields it watches.
    public var watchedFields: [String]?

    public init(
        name: String,
        type: FieldType,
        description: String? = nil,
        options: FieldOptions = FieldOptions(),
        linkedTable: String? = nil,
        inverseName: String? = nil
    ) {
        self.name = name
        self.type = type
        self.description = description
        self.options = options
        self.linkedTable = linkedTable
        self.inverseName = inverseName
    }

    /// A select field with these choices.
    public init(name: String, type: FieldType, choices: [String]) {
        var options = FieldOptions()
        options.choices = choices.map { SelectChoice(id: .random(), name: $0) }
        self.init(name: name, type: type, options: options)
    }

    /// A link field to the table of this name or identifier.
    public static func link(_ name: String, to table: String, inverse: String? = nil) -> Self {
        Self(name: name, type: .multipleRecordLinks, linkedTable: table, inverseName: inverse)
    }
}

/// A base with all its tables.
public struct BaseSchema: Sendable, Hashable {
    public let base: Base
    /// In the order people see them.
    public let tables: [Table]

    public init(base: Base, tables: [Table]) {
        self.base = base
        self.tables = tables
    }
}

/// What a field is to be from now on; what is nil stays.
public struct FieldUpdate: Sendable, Hashable {
    public var name: String?
    /// Empty takes it away.
    public var description: String?
    /// Of these, the members that are set replace the field's. Choices are the whole list in its new
    /// order: those with an identifier of the field's are renamed and recoloured, others are added.
    public var options: FieldOptions?
    /// Whether choices left out are deleted, and taken out of every record. Else leaving one out is refused.
    public var deletesChoices: Bool

    public init(
        name: String? = nil,
        description: String? = nil,
        options: FieldOptions? = nil,
        deletesChoices: Bool = false
    ) {
        self.name = name
        self.description = description
        self.options = options
        self.deletesChoices = deletesChoices
    }
}

/// What a table is to be called from now on; what is nil stays.
public struct TableUpdate: Sendable, Hashable {
    public var name: String?
    /// Empty takes it away.
    public var description: String?

    public init(name: String? = nil, description: String? = nil) {
        self.name = name
        self.description = description
    }
}
