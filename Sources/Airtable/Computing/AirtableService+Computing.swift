import Database
import Domain

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
        let run = Recomputation(
            schema: try cache.schema(context.tenant, in: transaction, keeps: false),
            base: base,
            actor: context.principal.user,
            now: now(),
            transaction: transaction
        )
        let changed = try run.run(run.changedFields(since: old))
        try announce(changed, of: run, continuing: number)
    }

    /// Makes all computed cells of these tables, and of whatever reads them: their records came by other ways.
    func recompute(
        _ tables: [TableID],
        of base: BaseID,
        context: RequestContext,
        in transaction: any Transaction
    ) throws {
        let run = Recomputation(
            schema: try cache.schema(context.tenant, in: transaction, keeps: false),
            base: base,
            actor: context.principal.user,
            now: now(),
            transaction: transaction
        )
        let changed = try run.run(run.fields(of: tables))
        try announce(changed.subtracting(tables), of: run, continuing: nil)
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
