import Database
import Domain

/// Adds links to stored rows, with no entries in the change log: for rows that are hidden, or
/// announced as imported.
///
/// Each touched row is read and written once.
struct HiddenRowEdit {
    private struct Target: Hashable {
        let table: TableID
        let record: RecordID
    }

    private let tenant: TenantID
    private let transaction: any Transaction
    private var tables: [TableID: ImportTable] = [:]
    private var additions: [Target: [FieldID: [RecordID]]] = [:]
    private let store = RecordStore()

    init(tenant: TenantID, transaction: any Transaction) {
        self.tenant = tenant
        self.transaction = transaction
    }

    mutating func add(_ links: [RecordID], to field: FieldID, of record: RecordID, in table: ImportTable) {
        tables[table.table.id] = table
        additions[Target(table: table.table.id, record: record), default: [:]][field, default: []] += links
    }

    /// Writes the rows that gained something.
    ///
    /// - Returns: the tables that changed.
    /// - Throws: `.rowDoesNotExist`.
    func write() throws -> Set<TableID> {
        var changed: Set<TableID> = []
        for (id, group) in Dictionary(grouping: additions, by: \.key.table) {
            guard let table = tables[id] else { continue }
            let wanted = Dictionary(group.map { ($0.key.record, $0.value) }) { first, _ in first }
            let rows = try store.rows(
                wanted.keys,
                of: table.model,
                at: table.number,
                tenant: tenant,
                in: transaction
            )
            if rows.count < wanted.count {
                let found = Set(rows.map(\.id))
                for record in wanted.keys where !found.contains(record) { throw AirtableError.rowDoesNotExist(record) }
            }
            var updated: [StoredRow] = []
            for row in rows {
                guard let cells = try Self.adding(wanted[row.id] ?? [:], to: row, table.model) else { continue }
                updated.append(StoredRow(position: row.position, id: row.id, created: row.created, cells: cells))
            }
            if !updated.isEmpty { changed.insert(id) }
            try store.update(updated, tenant: tenant, in: transaction)
        }
        return changed
    }

    /// The row's cells with links added that they lack; nil when they lack none.
    private static func adding(
        _ additions: [FieldID: [RecordID]],
        to row: StoredRow,
        _ model: TableModel
    ) throws(AirtableError) -> String? {
        var cells = try StoredCells.decode(row.cells, model: model)
        var isChanged = false
        for (field, ids) in additions {
            var links: [RecordID] = if case .links(let present) = cells[field] { present } else { [] }
            var seen = Set(links)
            for id in ids where seen.insert(id).inserted {
                links.append(id)
                isChanged = true
            }
            guard links.count <= Limits.linksPerCell else {
                throw AirtableError(.tooLarge, "A cell links to at most \(Limits.linksPerCell) records.")
            }
            if !links.isEmpty { cells[field] = .links(links) }
        }
        guard isChanged else { return nil }
        return StoredCells.encode(cells, times: try ChangedTimes.read(row.cells, model: model), model: model)
    }
}
