import Access
import Domain

/// What the writer behind a session sees and may change.
extension WriteSession {
    /// The loaded rows that are to be changed, or deleted.
    ///
    /// - Throws: `.rowDoesNotExist` for the first that is not there for the writer; `AccessError.forbidden` for one that they see
    ///   and may not change.
    func requireTargets(_ ids: [RecordID], in table: TableID) throws {
        for id in ids where row(id, in: table) == nil { throw AirtableError.rowDoesNotExist(id) }
        guard let gate, gate.hasRule(table) else { return }
        let model = try model(table)
        let stored = ids.compactMap { rows[table]?[$0]?.stored }
        let seen = Set(try gate.sight.seen(stored, of: model).map(\.id))
        for row in stored where !seen.contains(row.id) { throw AirtableError.rowDoesNotExist(row.id) }
        try gate.requirePermission(for: stored, of: model)
    }

    /// The links among `old` that the writer does not see, and so neither kept nor took away.
    ///
    /// - Parameter new: the links that the writer wants.
    /// - Throws: `.rowDoesNotExist` for a new one that is not there for them.
    func unseen(among new: [RecordID], _ old: [RecordID], in linked: TableID) throws -> [RecordID] {
        guard let gate, gate.sight.rule(of: linked) != nil else { return [] }
        let made = Set((new + old).filter { rows[linked]?[$0].map { $0.stored == nil } ?? false })
        let seen = try gate.sight.seen(Set(new + old).subtracting(made), in: linked).union(made)
        for id in new where !seen.contains(id) { throw AirtableError.rowDoesNotExist(id) }
        return old.filter { !seen.contains($0) }
    }

    /// Refuses what the writer would have made or changed so that it is beyond them, once everything is computed.
    ///
    /// - Throws: `AccessError.forbidden`.
    func checkAims() throws {
        guard let gate else { return }
        for (table, keys) in Dictionary(grouping: aimed, by: \.table) {
            guard gate.hasRule(table), let model = schema.table(table) else { continue }
            let records = keys.compactMap { key -> Record? in
                guard let row = row(key.record, in: table) else { return nil }
                var cells = row.cells
                model.complete(&cells, created: row.created)
                return Record(id: key.record, createdTime: row.created, cells: cells, changedTimes: row.times)
            }
            try gate.requirePermission(for: records, in: table)
        }
    }
}
