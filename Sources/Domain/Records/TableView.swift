/// A view of a table: which of its records, in which order, and which of their fields people see.
///
/// Grids only; of other types of view nothing would be different here.
public struct TableView: Sendable, Hashable, Identifiable {
    public struct SortKey: Sendable, Hashable {
        public var field: FieldID
        public var isDescending: Bool

        public init(field: FieldID, isDescending: Bool = false) {
            self.field = field
            self.isDescending = isDescending
        }
    }

    public let id: ViewID
    public let table: TableID
    public var name: String
    /// A formula; nil shows all records.
    public var filter: String?
    public var sort: [SortKey]
    /// In the order people see them, the primary field first; nil is all in the table's order, those made later too.
    public var visibleFields: [FieldID]?

    public init(
        id: ViewID,
        table: TableID,
        name: String,
        filter: String? = nil,
        sort: [SortKey] = [],
        visibleFields: [FieldID]? = nil
    ) {
        self.id = id
        self.table = table
        self.name = name
        self.filter = filter
        self.sort = sort
        self.visibleFields = visibleFields
    }

    /// The view that every table begins with. Its identifier is made from the table's, so that tables need not store it.
    public init(firstOf table: TableID) {
        guard let id = ViewID("viw" + table.description.dropFirst(3)) else {
            preconditionFailure("identifiers have prefixes of one length")
        }
        self.init(id: id, table: table, name: "Grid view")
    }

    /// Airtable's name for what it is.
    public var type: String { "grid" }
}
