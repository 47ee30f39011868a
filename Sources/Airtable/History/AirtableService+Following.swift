import Access
public import Domain

/// Changes in the order they happened, from a place on.
public struct FollowedChanges: Sendable, Hashable {
    /// Oldest first. May be few, even none, and others after them: one page looks at a bounded part of the log.
    public let entries: [HistoryEntry]
    /// For `after` of the next page.
    public let end: Int64
    /// Nothing has happened after `end` so far.
    public let isLast: Bool
}

/// Following what changes, as somebody sees it. Programs that keep something in step whole have `changes`.
extension AirtableService {
    /// What happened after an entry of the change log in a base, in one table of it or to one record; changes of schema
    /// included.
    ///
    /// - Parameters:
    ///   - record: of `table`, which must be given with it.
    ///   - after: `end` of the page before, or the `sequence` of an entry.
    ///   - limit: 1 to 1,000 entries.
    /// - Throws: `.notFound` for a record that the table neither has nor is known to have had; `.resynchronise` when entries
    ///   after `after` are no longer kept; `.invalidOffset` for what the log never came to.
    public func changes(
        in base: BaseID,
        table: TableID? = nil,
        record: RecordID? = nil,
        after: Int64,
        limit: Int = Limits.pageRecords,
        context: RequestContext
    ) async throws -> FollowedChanges {
        try context.require(.recordsRead)
        guard (1...Limits.changePageEntries).contains(limit) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.changePageEntries) changes, received \(limit)."
            )
        }
        // Whether it is there for the caller.
        if let record, let table { _ = try await history(of: record, in: table, limit: 1, context: context) }
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        return try await seeing(scope, context) { [log] sight in
            let (schema, transaction) = (sight.schema, sight.transaction)
            _ = try schema.base(base, sight.scope)
            if let table { _ = try sight.table(table) }
            let extent = try log.extent(tenant: schema.tenant, in: transaction)
            guard after >= extent.oldest - 1 else {
                throw AirtableError(
                    .resynchronise,
                    "The change log is no longer kept that far back.",
                    hint: "read the records anew, then go on from the newest change"
                )
            }
            guard after <= extent.latest else { throw AirtableError.offsetNotOfThisList }
            let window = try log.changes(
                in: base,
                table: table,
                record: record,
                after: after,
                limit: limit,
                schema: schema,
                in: transaction
            )
            return FollowedChanges(
                entries: try HistoryEntry.entries(window.changes, sight),
                end: window.end,
                isLast: window.isLast
            )
        }
    }
}
