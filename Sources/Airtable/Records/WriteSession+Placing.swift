import Database
import Domain

/// Where new rows go, and the numbers that they get.
extension WriteSession {
    /// Gives new rows their places, and their numbers in autoNumber fields.
    mutating func placeNewRows(_ writes: inout [TableID: TableWrites]) throws {
        var counts: [TableID: Int] = [:]
        for key in order where isNew(key) { counts[key.table, default: 0] += 1 }
        for (table, count) in counts {
            let model = try model(table)
            if countsNewRows { try TenantRoom.requireRecords(count, tenant: tenant, in: transaction) }
            writes[table, default: TableWrites()].nextPosition = try RecordStore().reservePositions(
                count,
                tableNumber: model.number,
                tenant: tenant,
                in: transaction
            )
            try number(order.filter { $0.table == table && isNew($0) }, model)
        }
    }

    /// Gives rows the numbers that they lack: what comes back has its own.
    private mutating func number(_ keys: [RowKey], _ model: TableModel) throws {
        func lacksNumber(_ key: RowKey, _ field: FieldID) -> Bool {
            guard let row = rows[key.table]?[key.record] else { return false }
            return !row.isRestored || row.cells[field] == nil
        }
        let fields = model.autoNumberFields
        let lacking = keys.filter { key in fields.contains { lacksNumber(key, $0) } }
        if lacking.isEmpty { return }
        var number = try RecordStore().reserveNumbers(
            lacking.count,
            tableNumber: model.number,
            tenant: tenant,
            in: transaction
        )
        for key in lacking {
            for field in fields where lacksNumber(key, field) {
                rows[key.table]?[key.record]?.cells[field] = .number(Double(number))
            }
            number += 1
        }
    }

    private func isNew(_ key: RowKey) -> Bool {
        guard let row = rows[key.table]?[key.record] else { return false }
        return row.stored == nil && !row.isDeleted
    }
}
