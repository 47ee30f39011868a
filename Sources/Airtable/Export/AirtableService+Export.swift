import Access
import Database
public import Domain

/// Writing tables and bases to files.
extension AirtableService {
    /// Writes a table's records to `file`, as one snapshot has them.
    ///
    /// - Parameter address: of attachments, which have none without it.
    /// - Throws: as `list`; `SpoolError`.
    public func export(
        _ export: TableExport,
        of table: TableID,
        to file: SpooledFile,
        address: AttachmentAddress? = nil,
        context: RequestContext
    ) async throws -> ExportSummary {
        try context.require(.recordsRead)
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        let (filters, now) = (filters, now())
        return try await writing(file, AuditObject(.table, table), context) { transaction, schema in
            let sight = RecordSight(scope, schema, now: now, in: transaction)
            let (model, scope) = (try sight.table(table), sight.scope)
            let view = try export.query.view.map { name in
                try VisibleViews(of: model, scope: scope, filters: filters, tenant: context.tenant, in: transaction)
                    .view(name)
            }
            let plan = try ListingPlan(
                export.query,
                model: model,
                view: view,
                scope: scope,
                filters: filters,
                now: now
            )
            let scan = RecordScan(plan: plan, sight: sight)
            var lines = try RecordLines(export, fields: plan.fields, address: address)
            var count = 0
            func add(_ records: [Record]) throws {
                let links =
                    lines.showsLinks
                    ? try LinkTexts(of: records, fields: plan.fields, sight) : LinkTexts()
                for record in records { try lines.add(record, links: links) }
                count += records.count
                try file.write(lines.drain())
            }
            try scan.forEachBlock(add)
            try file.write(lines.drain())
            return ExportSummary(tableCount: 1, recordCount: count)
        }
    }

    /// Reads one snapshot into `file`, from the start again when the database has to begin again. The audit log has it
    /// before anybody gets it.
    func writing(
        _ file: SpooledFile,
        _ object: AuditObject,
        _ context: RequestContext,
        _ body: @escaping @Sendable (any Transaction, TenantSchema) throws -> ExportSummary
    ) async throws -> ExportSummary {
        let summary = try await withTaskCancellationHandler {
            try await read(context) { transaction, schema in
                try file.restart()
                return try body(transaction, schema)
            }
        } onCancel: {
            file.abandon()
        }
        try await access.audit.record(
            .exported,
            by: context,
            object: object,
            details: [.tables: "\(summary.tableCount)", .records: "\(summary.recordCount)"]
        )
        return summary
    }
}

extension RecordScan {
    /// Calls `body` with all records of the list in its order, some hundred at a time.
    func forEachBlock(_ body: ([Record]) throws -> Void) throws {
        if plan.sort.isEmpty {
            var (rows, left) = ([StoredRow](), plan.maxRecords)
            try forEachMatch(after: nil) { row, _, _, _ in
                rows.append(row)
                left -= 1
                if rows.count == Limits.internalPageRecords || left == 0 {
                    try body(try sight.shown(rows, of: plan.shown))
                    rows.removeAll(keepingCapacity: true)
                }
                return left > 0
            }
            if !rows.isEmpty { try body(try sight.shown(rows, of: plan.shown)) }
            return
        }
        let positions = try sortedPositions()
        var index: Int? = positions.isEmpty ? nil : 0
        while let from = index {
            let page = try page(of: positions, from: from)
            try body(page.records)
            index = page.next
        }
    }
}
