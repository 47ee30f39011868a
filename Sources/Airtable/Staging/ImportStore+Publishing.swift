import Access
import Database
package import Domain

/// How an import ends.
extension ImportStore {
    /// Shows everything that was imported, in one transaction.
    ///
    /// - Throws: `.duplicateBaseName` when a base of that name has come meanwhile, `.modelNotFound`
    ///   when the base or table to go to has gone, `.importGone`. The import is still there then,
    ///   to be abandoned.
    package func publish(_ session: ImportSession, context: RequestContext) async throws -> BaseSchema {
        try require(context)
        let service = service
        try await service.change(context) { transaction, schema in
            try Self.end(session, context: context, in: transaction)
            var deleted: [TableID] = []
            switch session.target {
            case .newBase:
                guard !schema.bases.contains(where: { nameKey($0.name) == nameKey(session.base.name) }) else {
                    throw AirtableError.duplicateBaseName(session.base.name)
                }
            case .replacing(let base):
                guard schema.base(base) != nil else { throw AirtableError.baseNotFound() }
                for model in schema.tables(in: base) {
                    try service.schemas.deleteTable(number: model.number, tenant: context.tenant, in: transaction)
                    deleted.append(model.table.id)
                }
            case .appending(let base, _):
                guard schema.base(base) != nil else { throw AirtableError.baseNotFound() }
                try Self.checkNames(session, schema)
            }
            let appended = try Self.moveRows(session, schema, context: context, in: transaction)
            try service.schemas.publish(ofImport: session.id, tenant: context.tenant, in: transaction)
            let new = session.tables.filter { !$0.isAppend }.map(\.table.id)
            let base = session.base.id
            try service.note(.tableDeleted, of: deleted.map { (base, $0) }, context: context, in: transaction)
            let imported = appended + new
            try service.note(.imported, of: imported.map { (base, $0) }, context: context, in: transaction)
            try service.computeImported(
                new,
                appended: session.tables.filter(\.isAppend).map { ($0.table.id, $0.number) },
                announced: imported,
                of: base,
                context: context,
                in: transaction
            )
        }
        service.access.policyChanged(in: context.tenant)
        await service.clearSoon(context: context)
        return try await service.read(context) { _, schema in
            guard let base = schema.base(session.base.id) else { throw AirtableError.baseNotFound() }
            return BaseSchema(base: base, tables: schema.tables(in: base.id).map(\.table))
        }
    }

    /// Takes the import out of the journal.
    static func end(_ session: ImportSession, context: RequestContext, in transaction: any Transaction) throws {
        let ended = try transaction.execute(
            "DELETE FROM imports WHERE tenant = $1 AND id = $2",
            [context.tenant.sql, .text(session.id)]
        )
        guard ended == 1 else { throw AirtableError.importGone() }
    }

    private static func checkNames(_ session: ImportSession, _ schema: TenantSchema) throws(AirtableError) {
        let taken = Set(schema.tables(in: session.base.id).map { nameKey($0.table.name) })
        for table in session.tables where !table.isAppend && taken.contains(nameKey(table.table.name)) {
            throw AirtableError(
                .duplicateTableName,
                "The base has a table named \"\(table.table.name)\" already."
            )
        }
    }

    /// Moves waiting rows to the tables they are for, and completes the other sides of their links.
    ///
    /// - Returns: the tables whose rows changed.
    private static func moveRows(
        _ session: ImportSession,
        _ schema: TenantSchema,
        context: RequestContext,
        in transaction: any Transaction
    ) throws -> [TableID] {
        let store = RecordStore()
        var changed: [TableID] = []
        for table in session.tables where table.isAppend {
            guard let model = schema.table(table.table.id), model.number == table.model.number else {
                throw AirtableError.tableNotFound()
            }
            let count = try store.copyAll(from: table.number, to: model, tenant: context.tenant, in: transaction)
            if count > 0 { changed.append(table.table.id) }
            try SchemaStore().deleteTable(number: table.number, tenant: context.tenant, in: transaction)
        }
        for table in session.tables where table.isAppend {
            for other in try completeLinks(of: table, schema, context: context, in: transaction)
            where !changed.contains(other) { changed.append(other) }
        }
        return changed
    }

    private static func completeLinks(
        of table: ImportTable,
        _ schema: TenantSchema,
        context: RequestContext,
        in transaction: any Transaction
    ) throws -> Set<TableID> {
        guard let model = schema.table(table.table.id), !model.linkFields.isEmpty else { return [] }
        var changed: Set<TableID> = []
        var position: Int64?
        while true {
            // The rows still lie in the waiting table too, apart from those that were there before.
            let page = try RecordStore().page(
                after: position,
                limit: Limits.internalPageRecords,
                of: model,
                at: table.number,
                tenant: context.tenant,
                in: transaction
            )
            var edit = HiddenRowEdit(tenant: context.tenant, transaction: transaction)
            for row in page {
                let cells = try StoredCells.decode(row.cells, model: model)
                for field in model.linkFields {
                    guard case .links(let targets) = cells[field.id], let inverse = field.options.inverseLinkField,
                        let linked = field.options.linkedTable.flatMap({ schema.table($0) })
                    else { continue }
                    let other = ImportTable(model: linked, number: linked.number)
                    for target in targets { edit.add([row.id], to: inverse, of: target, in: other) }
                }
            }
            changed.formUnion(try edit.write())
            guard page.count == Limits.internalPageRecords, let last = page.last else { return changed }
            position = last.position
        }
    }

    /// Ends an import and removes what it has made so far. Harmless when it has ended already.
    package func abandon(_ id: String, context: RequestContext) async throws {
        try require(context)
        try await service.database.write(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            // Before the journal's entry, as publishing takes them.
            _ = try SchemaStore().lock(tenant: context.tenant, in: transaction)
            let ended = try transaction.execute(
                "DELETE FROM imports WHERE tenant = $1 AND id = $2",
                [context.tenant.sql, .text(id)]
            )
            if ended == 0 { return }
            try SchemaStore().discard(ofImport: id, tenant: context.tenant, in: transaction)
        }
        await service.clearSoon(context: context)
    }

    // MARK: The journal

    /// Imports under way, and interrupted ones that nobody has cleared yet.
    package func journal(context: RequestContext) async throws -> [ImportJournalEntry] {
        try require(context)
        return try await service.database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            let rows = try transaction.rows(
                "SELECT id, base, owner, started, lease_end FROM imports WHERE tenant = $1 ORDER BY started, id",
                [context.tenant.sql]
            )
            return try rows.map { row in
                ImportJournalEntry(
                    id: try row.text(0),
                    base: try row.identifier(1),
                    owner: try row.text(2),
                    started: Instant(microseconds: try row.integer(3)),
                    leaseEnd: Instant(microseconds: try row.integer(4))
                )
            }
        }
    }

    /// Removes what interrupted imports left: those whose lease ran out, and those whose owner is
    /// known to be gone.
    ///
    /// Also goes on with clearing deleted tables. Call it at every start.
    ///
    /// - Parameter isGone: whether the owner of an entry surely does not run any more.
    /// - Returns: how many imports were removed.
    package func clearInterrupted(
        isGone: @Sendable (ImportJournalEntry) -> Bool = { _ in false },
        context: RequestContext
    ) async throws -> Int {
        var count = 0
        for entry in try await journal(context: context) where entry.leaseEnd < service.now() || isGone(entry) {
            try await abandon(entry.id, context: context)
            count += 1
        }
        try await service.clearDeleted(tenant: context.tenant, until: context.deadline)
        return count
    }
}
