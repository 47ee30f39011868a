import Access
import Database
package import Domain

/// How an import of no more rows than a write may have ends, when it only appends.
extension ImportStore {
    /// Whether the rows of `session` can be shown by `write`.
    static func isWrite(_ session: ImportSession, rows count: Int) -> Bool {
        session.tables.allSatisfy(\.isAppend) && count <= Limits.proposedRecords
    }

    /// Shows the rows of an append as a write would, in one transaction: each with its entry in the change log, so that `undo`
    /// takes them back. They keep their numbers and times.
    ///
    /// - Parameter computedCellsMax: how many computed cells may follow.
    /// - Returns: the transaction's number in the log; nil when there are no rows.
    /// - Throws: as `publish`; `.tooLarge` when more follow, and then `publish` may still do it.
    package func write(
        _ session: ImportSession,
        computedCellsMax: Int = Limits.computedCellsPerWrite,
        context: RequestContext
    ) async throws -> Int64? {
        try require(context)
        let (service, now, people) = (service, service.now(), try await service.people(context))
        let number = try await service.change(context) { transaction, schema -> Int64? in
            try Self.end(session, context: context, in: transaction)
            guard schema.base(session.base.id) != nil else { throw AirtableError.baseNotFound() }
            var edit = WriteSession(
                schema: schema,
                actor: context.principal.user,
                people: people,
                now: now,
                transaction: transaction
            )
            // The waiting rows have been counted.
            edit.countsNewRows = false
            edit.computedCellsMax = computedCellsMax
            // All rows before their links, which may lead from one to the other.
            var links: [(table: TableID, linked: [LinkedRow])] = []
            for table in session.tables {
                links.append((table.table.id, try Self.adopt(table, into: &edit)))
                try service.schemas.deleteTable(number: table.number, tenant: context.tenant, in: transaction)
            }
            for (table, linked) in links { try Self.link(linked, in: table, of: &edit) }
            let before = try service.log.extent(tenant: context.tenant, in: transaction).latest
            try edit.flush()
            let after = try service.log.extent(tenant: context.tenant, in: transaction).latest
            return after > before ? before + 1 : nil
        }
        await service.clearSoon(context: context)
        return number
    }

    private typealias LinkedRow = (record: RecordID, cells: [FieldID: CellValue?])

    /// Takes the waiting rows over, but for their links.
    ///
    /// - Returns: these.
    private static func adopt(_ table: ImportTable, into edit: inout WriteSession) throws -> [LinkedRow] {
        guard let model = edit.schema.table(table.table.id), model.number == table.model.number else {
            throw AirtableError.tableNotFound()
        }
        var linked: [LinkedRow] = []
        var position: Int64?
        while true {
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                at: table.number,
                tenant: edit.tenant,
                in: edit.transaction
            )
            for row in page {
                var cells = try StoredCells.decode(row.cells, model: model)
                var links: [FieldID: CellValue?] = [:]
                for field in model.linkFields {
                    if let value = cells.removeValue(forKey: field.id) { links[field.id] = value }
                }
                edit.put(cells, created: row.created, of: row.id, in: table.table.id)
                if !links.isEmpty { linked.append((row.id, links)) }
            }
            guard page.count == Limits.internalPageRecords, let last = page.last else { return linked }
            position = last.position
        }
    }

    /// Sets both sides; links that another row has brought by then stay.
    private static func link(_ linked: [LinkedRow], in table: TableID, of edit: inout WriteSession) throws {
        try edit.loadLinked(to: linked.map(\.record), changing: linked.map(\.cells), in: table)
        for (record, cells) in linked {
            var cells = cells
            for (field, value) in cells {
                guard case .links(let own)? = value,
                    case .links(let present)? = edit.row(record, in: table)?.cells[field]
                else { continue }
                cells[field] = .links((own + present).distinct())
            }
            try edit.set(cells, of: record, in: table)
        }
    }
}
