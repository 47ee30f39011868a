/// What a change of a table's schema was. Kept whole, so that what changed can be read back after the next change.
public enum SchemaChange: Sendable, Hashable {
    case tableCreated(name: String)
    case tableUpdated(before: TableHead, after: TableHead)
    case fieldCreated(Field)
    /// Name, description or options, of which choices are a part.
    case fieldUpdated(before: Field, after: Field)
    case fieldDeleted(Field)
    /// Formulas of views name fields by identifier here.
    case viewCreated(TableView)
    case viewUpdated(before: TableView, after: TableView)
    case viewDeleted(TableView)
    /// Told of each of the base's tables.
    case baseRenamed(before: String, after: String)
}

/// What a table is called.
public struct TableHead: Sendable, Hashable {
    public var name: String
    public var description: String?

    public init(name: String, description: String?) {
        self.name = name
        self.description = description
    }
}
