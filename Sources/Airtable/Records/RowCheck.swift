import Database
import Domain

/// The digests of one tenant's records: over tenant, place (with it the table), identifier, time of
/// creation and cells. Links are cells, on both sides, so they are covered with them.
struct RecordDigest: Sendable {
    private static let empty = RowDigest(table: "records")
    private let tenant: RowDigest

    init(tenant: SQLValue) {
        var digest = Self.empty
        digest.add(tenant)
        self.tenant = digest
    }

    func of(position: Int64, id: SQLValue, created: Int64, cells: String) -> SQLValue {
        var digest = tenant
        digest.add(position)
        digest.add(id)
        digest.add(created)
        digest.add(cells)
        return digest.sql
    }

    func of(_ row: StoredRow, id: SQLValue) -> SQLValue {
        of(position: row.position, id: id, created: row.created.microseconds, cells: row.cells)
    }
}

/// Reads rows of one table, and refuses any that is not as this program wrote it.
struct RowCheck {
    /// What `row` reads. The tenant is compared here, not in the query: a row whose tenant is damaged
    /// would be passed over there as if it had been deleted.
    static let columns = "position, id, created, cells, digest, tenant"

    private let model: TableModel
    private let tenant: SQLValue
    private let digest: RecordDigest

    init(_ model: TableModel, _ tenant: TenantID) {
        self.model = model
        self.tenant = tenant.sql
        self.digest = RecordDigest(tenant: self.tenant)
    }

    /// - Parameter row: with `columns`.
    /// - Throws: `.corrupt`.
    func row(_ row: Row) throws(AirtableError) -> StoredRow {
        guard case .integer(let position) = row[0], case .text(let name) = row[1], let id = RecordID(name) else {
            throw damaged(nil)
        }
        guard case .integer(let created) = row[2], case .text(let cells) = row[3], row[5] == tenant,
            row[4] == digest.of(position: position, id: row[1], created: created, cells: cells)
        else { throw damaged(id) }
        return StoredRow(position: position, id: id, created: Instant(microseconds: created), cells: cells)
    }

    func damaged(_ id: RecordID?) -> AirtableError {
        .damaged("\(id.map { "record \($0)" } ?? "a record") of table \"\(model.table.name)\" (\(model.table.id))")
    }
}
