/// The rows of one table that belong to a tenant, said once, for whoever has to remove them all.
///
/// Every module lists its tables, those that depend on others first. A table that no list names fails a test of `App`.
public struct TenantRows: Sendable, Hashable {
    public let table: String
    private let key: [String]
    private let selection: String

    /// A table with a column for the tenant.
    ///
    /// - Parameters:
    ///   - key: columns that tell its rows apart.
    ///   - column: where the tenant stands.
    public init(_ table: String, key: String..., tenant column: String = "tenant") {
        self.init(
            table,
            key: key,
            selection: "SELECT \(key.joined(separator: ", ")) FROM \(table) WHERE \(column) = $1"
        )
    }

    /// A table whose rows are found otherwise.
    ///
    /// - Parameter selection: a query for the keys of the tenant's rows, in which `$1` is the tenant.
    public init(_ table: String, key: String..., selecting selection: String) {
        self.init(table, key: key, selection: selection)
    }

    private init(_ table: String, key: [String], selection: String) {
        self.table = table
        self.key = key
        self.selection = selection
    }

    /// Deletes up to `limit` of them.
    ///
    /// - Returns: how many.
    public func delete(of tenant: String, limit: Int, in transaction: any Transaction) throws -> Int {
        let columns = key.count == 1 ? key[0] : "(\(key.joined(separator: ", ")))"
        return try transaction.execute(
            "DELETE FROM \(table) WHERE \(columns) IN (\(selection) LIMIT $2)",
            [.text(tenant), .integer(Int64(limit))]
        )
    }
}
