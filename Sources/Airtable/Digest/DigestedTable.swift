import Database

/// A table of the database whose rows each carry a digest of all their other columns.
///
/// For rows that are few or written once: changing one reads it whole. Records have statements of
/// their own, see `RecordStore`.
struct DigestedTable: Sendable {
    let name: String
    /// Every column but `digest`, in the order that the digest covers them.
    let columns: [String]
    /// Those that name one row.
    let key: [String]
    /// What one row is to people: `field`.
    let noun: String
    private let empty: RowDigest

    init(_ name: StaticString, noun: String, key: [String], columns: [String]) {
        self.name = "\(name)"
        self.noun = noun
        self.key = key
        self.columns = columns
        empty = RowDigest(table: name)
    }

    /// - Parameter values: one a column, in their order.
    func digest(_ values: some Sequence<SQLValue>) -> SQLValue { empty.adding(values).sql }

    func insert(_ values: [SQLValue], in transaction: any Transaction) throws {
        precondition(values.count == columns.count, "one value a column")
        try transaction.execute(
            """
            INSERT INTO \(name) (\(columns.joined(separator: ", ")), digest)
            VALUES (\(RecordStore.parameters(1..<(columns.count + 2))))
            """,
            values + [digest(values)]
        )
    }

    /// The rows for which `condition` holds, each with the columns named `columns` and its digest, which
    /// fits.
    ///
    /// - Throws: `.corrupt` for the first row that was changed outside.
    func rows(
        where condition: String,
        _ arguments: [SQLValue],
        orderedBy order: String,
        in transaction: any Transaction
    ) throws -> [Row] {
        let rows = try transaction.rows(query(where: condition, orderedBy: order), arguments)
        for row in rows where !holds(row) { throw damaged(row) }
        return rows
    }

    /// The query behind `rows`, for who wants to look at each row: see `holds`.
    func query(where condition: String, orderedBy order: String) -> String {
        "SELECT \(columns.joined(separator: ", ")), digest FROM \(name) WHERE \(condition) ORDER BY \(order)"
    }

    /// Whether the digest of a row fits its values.
    func holds(_ row: Row) -> Bool {
        row.count == columns.count + 1 && row[columns.count] == digest(row.values.prefix(columns.count))
    }

    func damaged(_ row: Row) -> AirtableError {
        let id = key.last.map { row[$0] }
        let name: String? =
            switch id {
            case .text(let text): text.cut(to: 32)
            case .integer(let number): "\(number)"
            default: nil
            }
        return .damaged(([noun] + [name].compactMap { $0 }).joined(separator: " "))
    }

    /// Sets columns of every row for which `condition` holds.
    ///
    /// The caller holds the tenant's lock, or is the only one to write these rows.
    func update(
        _ changes: [(column: String, value: SQLValue)],
        where condition: String,
        _ arguments: [SQLValue],
        in transaction: any Transaction
    ) throws {
        let order = key.joined(separator: ", ")
        for row in try rows(where: condition, arguments, orderedBy: order, in: transaction) {
            var values = Array(row.values.prefix(columns.count))
            for (column, value) in changes {
                guard let position = columns.firstIndex(of: column) else {
                    preconditionFailure("\(name) has no column \(column)")
                }
                values[position] = value
            }
            let settings = changes.map(\.column) + ["digest"]
            let count = try transaction.execute(
                """
                UPDATE \(name) SET \(settings.enumerated().map { "\($1) = $\($0 + 1)" }.joined(separator: ", "))
                WHERE \(key.enumerated().map { "\($1) = $\($0 + settings.count + 1)" }.joined(separator: " AND "))
                """,
                changes.map(\.value) + [digest(values)] + key.map { row[$0] }
            )
            guard count == 1 else { throw damaged(row) }
        }
    }
}
