import Database
import Domain

/// Rows that are read through links to compute others: of each no more than the cells that anything reads so.
struct FarRows: Sendable {
    struct Row: Sendable {
        let created: Instant
        let cells: [FieldID: CellValue]
    }

    private var rows: [TableID: [RecordID: Row]] = [:]
    /// Of each table what it takes to read those cells only.
    private var readers: [TableID: TableModel] = [:]

    subscript(id: RecordID, table: TableID) -> Row? { rows[table]?[id] }

    /// Reads the rows among `ids` that exist and are not at hand yet.
    mutating func load(
        _ ids: some Sequence<RecordID>,
        of model: TableModel,
        reading fields: Set<FieldID>,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let table = model.table.id
        var missing: Set<RecordID> = []
        for id in ids where rows[table]?[id] == nil { missing.insert(id) }
        if missing.isEmpty { return }
        let reader = readers[table] ?? model.reading(fields)
        readers[table] = reader
        for row in try RecordStore().rows(missing, of: model, tenant: tenant, in: transaction) {
            let cells = try StoredCells.decode(row.cells, model: reader)
            rows[table, default: [:]][row.id] = Row(created: row.created, cells: cells)
        }
    }
}
