import Access
import Database
import Domain

/// Bases from the documents that an export wrote; see `BaseDocument`.
extension Importer {
    /// Makes the document's base, or puts its tables in place of all that a base of its name has.
    ///
    /// Records keep their identifiers; base, tables and fields do where these are free.
    func runDocument(_ path: String, options: ImportOptions) async throws -> ImportReport {
        guard options.mode != .append, !options.skipsBadRows else {
            throw ImportError(.malformedPlan, "\(path) is a whole base, which is taken as it is or not at all")
        }
        // Its cells may name any attachment of the tenant, and who sees them sees the files.
        guard try await service.access.visibleScope(for: context, doing: .schemaWrite).isWholeTenant else {
            throw AccessError.forbidden(.schemaWrite)
        }
        let schema = try DocumentScan.schema(of: path)
        let name = options.baseName ?? schema.name
        if !options.isDryRun { try await clearInterrupted() }
        let existing = try await existingBase(named: name)
        if let existing, let report = try answer(for: existing, options) { return report }
        let free = try await imports.free(schema.base, schema.identifiers, context: context)
        var scan = try DocumentScan(path, schema, named: name, keepsBaseID: free.base, keepsIDs: free.parts)
        try await scan.run { done, total in
            progress(ImportProgress(phase: .reading, table: name, done: done, total: total))
        }
        if options.isDryRun { return scan.report(.dryRun, base: existing, ids: false) }
        let target: ImportTarget =
            existing.map { .replacing($0.id) } ?? .newBase(name: name, workspace: nil, id: scan.baseID)
        let session = try await imports.begin(
            target,
            tables: scan.drafts,
            views: scan.views,
            owner: ImportOwner.current,
            context: context
        )
        do {
            try await write(scan, session)
            _ = try await imports.publish(session, context: context)
            return noted(scan.report(.imported, base: session.base, ids: true))
        } catch {
            // The first error is the one to tell; what can't be removed now is removed by the next start.
            try? await imports.abandon(session.id, context: context)
            throw error
        }
    }

    private func write(_ scan: DocumentScan, _ session: ImportSession) async throws {
        var chunk: [ImportRow] = []
        var (position, written) = (0, 0)
        func flush() async throws {
            if chunk.isEmpty { return }
            try await imports.insertRows(chunk, into: scan.tables[position].id, of: session, context: context)
            written += chunk.count
            chunk.removeAll(keepingCapacity: true)
            let total = Int64(scan.counts.reduce(0, +))
            progress(ImportProgress(phase: .writing, table: scan.baseName, done: Int64(written), total: total))
            // A breath between two chunks: whoever waits for the write lock gets it.
            try await Task.sleep(for: .milliseconds(2))
        }
        try await scan.forEachRecord(progress: { _, _ in }) { row, table, _ in
            if table != position || chunk.count == ImportWriter.chunkRows { try await flush() }
            position = table
            chunk.append(row)
        }
        try await flush()
    }
}

extension DocumentScan {
    fileprivate func report(_ outcome: ImportReport.Outcome, base: Base?, ids: Bool) -> ImportReport {
        let names = Dictionary(tables.map { ($0.id, $0.name) }) { first, _ in first }
        let tables = zip(tables, counts).map { table, count in
            ImportReport.TableReport(
                name: table.name,
                id: ids ? table.id : nil,
                rowCount: count,
                skippedCount: 0,
                columns: table.fields.map { field in
                    ImportReport.Column(
                        name: field.name,
                        type: field.type,
                        linkedTable: field.options.linkedTable.flatMap { names[$0] },
                        isPrimary: field.id == table.primaryField
                    )
                }
            )
        }
        return ImportReport(
            outcome: outcome,
            baseName: base?.name ?? baseName,
            base: base?.id,
            tables: tables,
            skipped: [],
            skippedLinkCount: 0
        )
    }
}

extension ImportStore {
    /// Whether a base, and all of these parts, have identifiers that the tenant does not use, not even for what is
    /// deleted and not yet cleared away.
    func free(
        _ base: BaseID,
        _ parts: DocumentSchema.Identifiers,
        context: RequestContext
    ) async throws -> (base: Bool, parts: Bool) {
        try require(context)
        return try await service.database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            func isFree(_ table: String, _ ids: [SQLValue]) throws -> Bool {
                for group in PaddedGroups(ids) {
                    let places = RecordStore.parameters(2..<(2 + group.count))
                    let found = try transaction.firstRow(
                        "SELECT id FROM \(table) WHERE tenant = $1 AND id IN (\(places)) LIMIT 1",
                        [context.tenant.sql] + group
                    )
                    if found != nil { return false }
                }
                return true
            }
            let tables = try isFree("tables", parts.tables.map(\.sql))
            let fields = try isFree("fields", parts.fields.map(\.sql))
            let views = try isFree("views", parts.views.map(\.sql))
            return (try isFree("bases", [base.sql]), tables && fields && views)
        }
    }
}
