public import Domain

/// A view to be made.
public struct ViewDraft: Sendable, Hashable {
    public var name: String
    public var filter: String?
    public var sort: [RecordQuery.SortKey]
    /// Names or identifiers; nil is all.
    public var visibleFields: [String]?

    public init(
        name: String,
        filter: String? = nil,
        sort: [RecordQuery.SortKey] = [],
        visibleFields: [String]? = nil
    ) {
        self.name = name
        self.filter = filter
        self.sort = sort
        self.visibleFields = visibleFields
    }
}

/// What a view is to be from now on; what is nil stays.
public struct ViewUpdate: Sendable, Hashable {
    public var name: String?
    /// Empty shows all records.
    public var filter: String?
    public var sort: [RecordQuery.SortKey]?
    /// Empty shows all fields.
    public var visibleFields: [String]?

    public init(
        name: String? = nil,
        filter: String? = nil,
        sort: [RecordQuery.SortKey]? = nil,
        visibleFields: [String]? = nil
    ) {
        self.name = name
        self.filter = filter
        self.sort = sort
        self.visibleFields = visibleFields
    }
}

/// A table with its views, as one reader sees them.
public struct ViewedTable: Sendable, Hashable {
    public let table: Table
    /// In the order they were made.
    public let views: [TableView]

    public init(table: Table, views: [TableView]) {
        self.table = table
        self.views = views
    }

    /// A table just made.
    public init(new table: Table) { self.init(table: table, views: [TableView(firstOf: table.id)]) }
}
