import Access
import Airtable
import Database
public import Domain
import Embeddings

extension SearchService {
    /// How far the index is, table by table, of the bases that may be seen.
    ///
    /// - Throws: `AccessError.forbidden` without the permission `search`.
    public func status(context: RequestContext) async throws -> SearchStatus {
        try await status(now: .now(), context: context)
    }

    func status(now: Instant, context: RequestContext) async throws -> SearchStatus {
        try context.require(.search)
        let sound = airtable.storedReads(by: .search)
        let visible = try await sound.widened(
            try await access.visibleScope(for: context, doing: .search),
            context: context
        )
        let limits = try await sound.limits(bases: nil, tables: nil, scope: visible, context: context)
        let (store, tenant, feed) = (store, context.tenant, airtable.changes)
        let checkpoint = try await feed.checkpoint(of: Indexer.consumer, tenant: tenant)
        let lag = try await lag(after: checkpoint, now: now, tenant: tenant)
        let stored = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) { transaction in
            (
                scope: try SearchScope(all: try store.partitions(tenant: tenant, in: transaction), visible: visible)
                    .limited(to: limits, store: store, tenant: tenant, in: transaction),
                backfills: try store.backfills(tenant: tenant, in: transaction)
            )
        }
        var units: [TableID: Int] = [:]
        for partition in stored.scope.byNumber.values {
            units[partition.table, default: 0] += partition.units
        }
        let backfills = Dictionary(stored.backfills.map { ($0.table, $0) }, uniquingKeysWith: { _, last in last })
        var entries: [SearchStatus.Entry] = []
        for base in try await reads.bases(context: context) {
            for table in try await reads.tables(in: base.id, context: context) {
                let backfill = backfills[table.id].flatMap { $0.phase == .done ? nil : $0 }
                let own = lag.map { $0[table.id] ?? TableLag() }
                // How much of the others waits, or changed, is not theirs to know.
                let isWhole = limits[table.id] == nil
                entries.append(
                    SearchStatus.Entry(
                        base: base.name,
                        baseID: base.id,
                        table: table.name,
                        tableID: table.id,
                        state: Self.state(own, backfill, hasBegun: checkpoint != nil),
                        records: try await airtable.storedReads(by: .search).recordCount(
                            in: table.id,
                            context: context
                        ),
                        units: units[table.id] ?? 0,
                        filled: isWhole ? backfill?.done : nil,
                        toFill: isWhole ? backfill?.total : nil,
                        lagChanges: isWhole ? own?.changes : nil,
                        lagSeconds: isWhole ? own?.seconds : nil
                    )
                )
            }
        }
        let identity = try await models.live(tenant: tenant).embedder.identity
        return SearchStatus(
            model: .init(id: identity.id, dimensions: identity.dimensions, identity: identity.text),
            isCurrent: entries.allSatisfy { $0.state == .current },
            indexedSequence: checkpoint.map { Int($0) },
            latestSequence: Int(try await feed.latestSequence(tenant: tenant)),
            tables: entries
        )
    }

    private struct TableLag {
        var changes = 0
        var seconds = 0.0
    }

    /// What waits, by table: of the next thousand changes, which is where an index that keeps up never is.
    ///
    /// - Returns: nil when it is not known.
    private func lag(after checkpoint: Int64?, now: Instant, tenant: TenantID) async throws -> [TableID: TableLag]? {
        guard let checkpoint else { return nil }
        do {
            let page = try await airtable.changes.changes(
                after: checkpoint,
                limit: Limits.changePageEntries,
                tenant: tenant
            )
            var lags: [TableID: TableLag] = [:]
            for change in page.changes {
                let waited = Double(now.microseconds - change.time.microseconds) / 1_000_000
                lags[change.table, default: TableLag()].changes += 1
                // The first is the oldest.
                if lags[change.table]?.changes == 1 { lags[change.table]?.seconds = max(0, rounded(waited, to: 1_000)) }
            }
            return lags
        } catch let error as AirtableError where error.code == .resynchronise {
            return nil
        }
    }

    private static func state(_ lag: TableLag?, _ backfill: Backfill?, hasBegun: Bool) -> SearchStatus.Entry.State {
        if backfill != nil { return .filling }
        guard hasBegun else { return .waiting }
        // Without a log that reaches back, every table will be gone through.
        guard let lag else { return .behind }
        return lag.changes == 0 ? .current : .behind
    }
}
