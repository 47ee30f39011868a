import Domain

/// What is written to one table.
struct TableWrites {
    var nextPosition: Int64 = 0
    var inserted: [StoredRow] = []
    var updated: [StoredRow] = []
    var deleted: [StoredRow] = []

    /// - Returns: the entry of the change log; nil when the row stays as it was.
    mutating func add(_ id: RecordID, _ row: WriteSession.WorkingRow, _ model: TableModel) -> ChangeEntry? {
        var entry = ChangeEntry(base: model.table.base, table: model.table.id, kind: .created)
        entry.record = id
        entry.created = row.created
        switch (row.stored, row.isDeleted) {
        case (nil, true): return nil
        case (nil, false):
            let cells = StoredCells.encode(row.cells, times: row.times, model: model)
            inserted.append(StoredRow(position: nextPosition, id: id, created: row.created, cells: cells))
            nextPosition += 1
            entry.after = cells
            return entry
        case (let stored?, true):
            deleted.append(stored)
            entry.kind = .deleted
            entry.before = stored.cells
            return entry
        case (let stored?, false):
            if row.cells == row.original { return nil }
            let cells = StoredCells.encode(row.cells, times: row.times, model: model)
            updated.append(StoredRow(position: stored.position, id: id, created: row.created, cells: cells))
            entry.kind = .updated
            entry.before = stored.cells
            entry.after = cells
            return entry
        }
    }
}
