public import Domain

/// Which records of a table to list, in which order, and where to go on.
public struct RecordQuery: Sendable, Hashable {
    public struct SortKey: Sendable, Hashable {
        /// Name or identifier.
        public var field: String
        public var isDescending: Bool

        public init(field: String, isDescending: Bool = false) {
            self.field = field
            self.isDescending = isDescending
        }
    }

    /// Names or identifiers of the fields to give; nil is all that may be seen.
    public var fields: [String]?
    /// A formula: only records for which it is true.
    public var filter: String?
    /// Only records that fit all of these as well.
    public var conditions: [RecordCondition] = []
    /// Overrides the view's order.
    public var sort: [SortKey] = []
    /// Name or identifier.
    public var view: String?
    /// Over all pages.
    public var maxRecords: Int?
    /// 1 to 100.
    public var pageSize: Int = Limits.pageRecords
    /// What the page before gave. The rest of the query must be the same.
    public var offset: String?
    /// An IANA name, for dates in the filter; nil is UTC.
    public var timeZone: String?
    public var locale: String?

    public init() {}
}

/// A page of a listing.
public struct RecordListing: Sendable, Hashable {
    public let records: [Record]
    /// The fields that were asked for, in the table's order.
    public let fields: [Field]
    /// Nil on the last page.
    public let offset: String?

    public init(records: [Record], fields: [Field], offset: String?) {
        self.records = records
        self.fields = fields
        self.offset = offset
    }
}
