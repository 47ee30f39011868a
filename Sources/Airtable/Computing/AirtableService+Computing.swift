import Access
import Database
public import Domain

/// Computed columns that a change of schema, or an import, makes anew.
extension AirtableService {
    /// Makes the cells anew of fields that are computed otherwise than by `old`, and of whatever reads them.
    ///
    /// The last thing of a transaction that changes a schema, once its version is raised.
    ///
    /// - Parameter number: of the transaction of the log that this belongs to.
    func recompute(
        _ base: BaseID,
        since old: TenantSchema,
        continuing number: Int64?,
        context: RequestContext,
        in transaction: any Transaction
    ) throws {
        let run = try recomputation(of: base, context: context, in: transaction)
        let changed = try run.run(run.changedFields(since: old))
        try announce(changed, of: run, continuing: number)
    }

    /// Makes the computed cells of imported rows, and whatever follows from them.
    ///
    /// - Parameters:
    ///   - tables: new ones, made whole.
    ///   - appended: tables that got rows, and the numbers of those where these waited and still are.
    ///   - announced: tables that consumers read anew already.
    func computeImported(
        _ tables: [TableID],
        appended: [(table: TableID, waiting: Int64)],
        announced: [TableID],
        of base: BaseID,
        context: RequestContext,
        in transaction: any Transaction
    ) throws {
        let run = try recomputation(of: base, context: context, in: transaction)
        guard run.schema.graph(of: base) != nil else { return }
        var changed = try run.run(run.fields(of: tables))
        for rows in appended { changed.formUnion(try run.runAppended(to: rows.table, waitingAt: rows.waiting)) }
        try announce(changed.subtracting(announced), of: run, continuing: nil)
    }

    private func recomputation(
        of base: BaseID,
        context: RequestContext,
        in transaction: any Transaction
    ) throws -> Recomputation {
        Recomputation(
            schema: try cache.schema(context.tenant, in: transaction, keeps: false),
            base: base,
            actor: context.principal.user,
            now: now(),
            transaction: transaction
        )
    }

    /// Says in the change log that these tables are to be read anew.
    private func announce(_ tables: Set<TableID>, of run: Recomputation, continuing number: Int64?) throws {
        let entries = run.schema.tables(in: run.base).filter { tables.contains($0.table.id) }.map { model in
            ChangeEntry(base: run.base, table: model.table.id, kind: .recomputed)
        }
        try log.append(
            entries,
            continuing: number,
            actor: run.actor,
            time: run.now,
            tenant: run.schema.tenant,
            in: run.transaction
        )
    }
}

/// Cells that change with time alone.
extension AirtableService {
    /// Makes the cells of formulas with NOW() or TODAY() anew, and whatever follows where one comes out otherwise.
    ///
    /// Each page of records is a transaction of its own, so that writers get in between; the log says of each changed
    /// record that computed cells followed. Stops at the deadline.
    ///
    /// - Returns: how many records changed.
    public func refreshComputed(context: RequestContext) async throws -> Int {
        try context.require(.recordsWrite)
        let tables = try await read(context) { _, schema in
            schema.bases.flatMap { base in schema.graph(of: base.id)?.volatileTables ?? [] }
        }
        var count = 0
        for table in tables {
            var position: Int64?
            while true {
                try Task.checkCancellation()
                let start = position
                let page = try await change(context) { transaction, schema in
                    try self.refresh(table, after: start, schema, context, transaction)
                }
                count += page.changed
                guard let last = page.last else { break }
                position = last
            }
        }
        return count
    }

    /// - Returns: how many records changed, and where the next page begins; nil after the last one.
    private func refresh(
        _ table: TableID,
        after position: Int64?,
        _ schema: TenantSchema,
        _ context: RequestContext,
        _ transaction: any Transaction
    ) throws -> (changed: Int, last: Int64?) {
        // Another may have changed the schema since the last page.
        guard let model = schema.table(table), let graph = schema.graph(of: model.table.base) else { return (0, nil) }
        let rows = try store.page(
            after: position,
            limit: Limits.internalPageRecords,
            of: model,
            tenant: context.tenant,
            in: transaction
        )
        var session = WriteSession(
            schema: schema,
            actor: context.principal.user,
            now: now(),
            transaction: transaction
        )
        for row in rows { try session.admit(row, model) }
        for rank in graph.ranks(in: table) where graph.fields[rank].isVolatile {
            session.marked[graph.fields[rank].id] = Set(rows.map(\.id))
        }
        try session.flush()
        return (session.derived.count, rows.count == Limits.internalPageRecords ? rows.last?.position : nil)
    }
}
