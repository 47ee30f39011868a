import Access
import Database
public import Domain

/// What changed, when and by whom; and taking it back. As far back as the change log is kept.
extension AirtableService {
    // MARK: Reading

    /// What happened to one record, newest first; also to one that is deleted.
    ///
    /// - Parameters:
    ///   - before: `next` of the page before.
    ///   - limit: 1 to 1,000 entries.
    /// - Throws: `.notFound` for a record that this table neither has nor is known to have had.
    public func history(
        of record: RecordID,
        in table: TableID,
        before: Int64? = nil,
        limit: Int = Limits.pageRecords,
        context: RequestContext
    ) async throws -> HistoryPage {
        try context.require(.recordsRead)
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        return try await history(of: record, in: table, before: before, limit: limit, scope: scope, context: context)
    }

    func history(
        of record: RecordID,
        in table: TableID,
        before: Int64?,
        limit: Int,
        scope: VisibleScope,
        context: RequestContext
    ) async throws -> HistoryPage {
        try Self.checkHistoryPage(limit)
        return try await seeing(scope, context) { [store, log] sight in
            let (schema, transaction) = (sight.schema, sight.transaction)
            let model = try sight.table(table)
            let window = try log.changes(of: record, before: before, limit: limit, schema: schema, in: transaction)
            let changes = window.changes.filter { $0.table == table }
            let rows = try store.rows([record], of: model, tenant: context.tenant, in: transaction)
            if rows.isEmpty {
                if changes.isEmpty, window.next == nil { throw AirtableError.recordNotFound() }
                let last = try log.latestChange(of: record, after: 0, schema: schema, in: transaction)
                guard let last, try sight.seesStates(of: last) else { throw AirtableError.recordNotFound() }
            } else if try sight.seen(rows, of: model).isEmpty {
                throw AirtableError.recordNotFound()
            }
            return HistoryPage(entries: try HistoryEntry.entries(changes, sight), next: window.next)
        }
    }

    /// What happened in a base, or in one table of it, newest first; changes of schema included.
    public func history(
        in base: BaseID,
        table: TableID? = nil,
        before: Int64? = nil,
        limit: Int = Limits.pageRecords,
        context: RequestContext
    ) async throws -> HistoryPage {
        try context.require(.recordsRead)
        try Self.checkHistoryPage(limit)
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        return try await seeing(scope, context) { [log] sight in
            let (schema, transaction) = (sight.schema, sight.transaction)
            _ = try schema.base(base, sight.scope)
            if let table { _ = try sight.table(table) }
            let window = try log.changes(
                in: base,
                table: table,
                before: before,
                limit: limit,
                schema: schema,
                in: transaction
            )
            return HistoryPage(entries: try HistoryEntry.entries(window.changes, sight), next: window.next)
        }
    }

    /// What one transaction of the change log changed, in its order.
    ///
    /// - Throws: `.notFound` when the log does not keep it, or nothing of it may be seen; `.tooLarge` beyond
    ///   `Limits.undoRecords` entries.
    public func history(ofTransaction number: Int64, context: RequestContext) async throws -> [HistoryEntry] {
        try context.require(.recordsRead)
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        return try await seeing(scope, context) { [log] sight in
            let changes = try Self.changes(of: number, derived: true, log, sight.schema, sight.transaction)
            let entries = try HistoryEntry.entries(changes, sight)
            guard !entries.isEmpty else { throw AirtableError.transactionNotFound() }
            return entries
        }
    }

    // MARK: Undoing

    /// Takes back what one transaction of the change log did to records, as one new transaction, if every cell that it set is
    /// still as it left it; else changes nothing and says what is not.
    ///
    /// Records that it deleted come back with their identifier, time of creation and numbers, at the end of the
    /// table. Choices that it added to a field stay. Changes of schema and imports are not undone.
    ///
    /// - Throws: `.notFound` when the log does not keep it, or the caller may not see all that it touched;
    ///   `.tooLarge` beyond `Limits.undoRecords` entries.
    public func undo(transaction number: Int64, context: RequestContext) async throws -> UndoOutcome {
        try context.require(.recordsWrite)
        let scope = try await access.visibleScope(for: context, doing: .recordsWrite)
        return try await undo(number, scope: scope, context: context)
    }

    func undo(_ number: Int64, scope: VisibleScope, context: RequestContext) async throws -> UndoOutcome {
        let (now, people) = (now(), try await people(context))
        var deleting: VisibleScope?
        if context.principal.permissions.contains(.recordsDelete) {
            deleting = try await access.visibleScope(for: context, doing: .recordsDelete)
        }
        let deletion = deleting
        return try await change(context) { [log] transaction, schema in
            let gate = WriteGate(.recordsWrite, RecordSight(scope, schema, now: now, in: transaction))
            let changes = try Self.changes(of: number, derived: false, log, schema, transaction)
            for base in Set(changes.map(\.base)) {
                try schema.requireEmbedded(base, "what happened in it is taken back there")
            }
            var plan = try UndoPlan(changes, gate: gate)
            if plan.deletes {
                try context.require(.recordsDelete)
                guard let deletion else { throw AccessError.forbidden(.recordsDelete) }
                let sight = RecordSight(deletion, schema, now: now, in: transaction)
                try plan.requireDeletions(WriteGate(.recordsDelete, sight))
            }
            if !plan.obstacles.isEmpty { return .refused(plan.obstacles) }
            var session = WriteSession(
                schema: schema,
                actor: context.principal.user,
                people: people,
                now: now,
                gate: gate,
                transaction: transaction
            )
            try plan.apply(to: &session)
            if !plan.obstacles.isEmpty { return .refused(plan.obstacles) }
            let before = try log.extent(tenant: context.tenant, in: transaction).latest
            try session.flush()
            let after = try log.extent(tenant: context.tenant, in: transaction).latest
            return .undone(transaction: after > before ? before + 1 : nil, records: session.changedRecords)
        }
    }

    // MARK: Shared

    private static func changes(
        of number: Int64,
        derived: Bool,
        _ log: ChangeLogStore,
        _ schema: TenantSchema,
        _ transaction: any Transaction
    ) throws -> [RecordChange] {
        let limit = Limits.undoRecords
        let changes = try log.changes(
            ofTransaction: number,
            limit: limit + 1,
            derived: derived,
            schema: schema,
            in: transaction
        )
        if changes.isEmpty { throw AirtableError.transactionNotFound() }
        guard changes.count <= limit else {
            throw AirtableError(.tooLarge, "Transaction \(number) changed more than \(limit) records.")
        }
        return changes
    }

    private static func checkHistoryPage(_ limit: Int) throws(AirtableError) {
        guard (1...Limits.changePageEntries).contains(limit) else {
            throw AirtableError(
                .invalidRequest,
                "A page of history has 1 to \(Limits.changePageEntries) entries, received \(limit)."
            )
        }
    }
}
