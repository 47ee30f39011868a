import Airtable
import Database
import Domain
import Embeddings
import VectorIndex

/// Goes through whole tables in small blocks, behind the live lane: after an import, a change of schema, a loss of the
/// index. Each block is rendered, encoded and committed with the place to go on from, so that it survives any end.
struct BackfillLane: Sendable {
    /// Records of one block: some hundred texts, a second or so of encoding.
    static let blockRecords = 64
    /// Units that one block of a sweep looks at.
    static let sweepUnits = 500

    let services: IndexingServices
    let tenant: TenantID
    let indexer: RecordIndexer
    let touched: TouchedRecords
    let trust: TrustLedger
    private let store = SearchStore()

    init(
        services: IndexingServices,
        tenant: TenantID,
        indexer: RecordIndexer,
        touched: TouchedRecords,
        trust: TrustLedger
    ) {
        self.services = services
        self.tenant = tenant
        self.indexer = indexer
        self.touched = touched
        self.trust = trust
    }

    /// Does one block of the first thing in the queue; false when there is nothing to do.
    func step() async throws -> Bool {
        let (tenant, store) = (tenant, store)
        let queue = try await services.database.read { try store.backfills(tenant: tenant, in: $0) }
        guard let backfill = queue.first(where: { $0.phase != .done }) else { return try await clear() }
        let context = try await services.context(tenant)
        touched.begin()
        defer { touched.end() }
        do {
            let trusted = trust.trusts(backfill: backfill.position)
            trust.distrust(backfill: backfill.position)
            let table = try await services.airtable.table(id: backfill.table, context: context)
            switch backfill.phase {
            case .rendering: try await render(backfill, table, isForced: backfill.isForced || !trusted, context)
            case .sweeping: try await sweep(backfill, table, context)
            case .done: break
            }
            trust.trust(backfill: backfill.position)
        } catch let error as AirtableError where error.code == .modelNotFound {
            try await indexer.removeTable(backfill.table)
        }
        return true
    }

    // MARK: Private

    private func render(
        _ backfill: Backfill,
        _ table: Table,
        isForced: Bool,
        _ context: RequestContext
    ) async throws {
        let request = RecordPageRequest(limit: Self.blockRecords, after: backfill.cursor.flatMap(RecordCursor.init))
        let page = try await services.soundReads.records(in: table.id, page: request, context: context)
        let layout = try await indexer.reader.layout(of: table, context: context)
        var next = backfill
        next.done += page.records.count
        next.total = max(next.total, next.done)
        next.cursor = page.next?.description
        if page.next == nil { next.phase = backfill.sweeps ? .sweeping : .done }
        if next.phase == .done { next.total = next.done }
        let shown = try await indexer.reader.shown(page.records, in: table, context: context)
        let batch = RecordIndexer.Batch(
            layout: layout,
            ids: page.records.map(\.id),
            shown: shown,
            priority: .bulk,
            isForced: isForced
        )
        let (touched, tenant, store, updated) = (touched, tenant, store, next)
        _ = try await indexer.index(
            batch,
            skipping: { touched.current },
            commit: { transaction in
                try store.update(updated, tenant: tenant, in: transaction)
            }
        )
    }

    /// Removes the units of records that no longer exist.
    private func sweep(_ backfill: Backfill, _ table: Table, _ context: RequestContext) async throws {
        let place = SweepPlace(backfill.cursor)
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read { transaction -> (units: [StoredUnit], next: SweepPlace?) in
            let partitions = try store.partitions(of: table.id, tenant: tenant, in: transaction).map(\.number)
            guard let partition = partitions.first(where: { $0 >= place.partition }) else { return ([], nil) }
            let units = try store.units(
                in: partition,
                after: partition == place.partition ? place.entry : -1,
                limit: Self.sweepUnits,
                tenant: tenant,
                transaction
            )
            guard let last = units.last else { return ([], SweepPlace(partition: partition + 1, entry: -1)) }
            return (units, SweepPlace(partition: partition, entry: Int64(last.key.entry)))
        }
        let ids = Set(found.units.map(\.record))
        let present = try await services.soundReads.records(ids.sorted(), in: table.id, context: context).map(\.id)
        var next = backfill
        next.cursor = found.next?.text
        if found.next == nil { next.phase = .done }
        let updated = next
        let batch = RecordIndexer.Batch(
            layout: try await indexer.reader.layout(of: table, context: context),
            ids: ids.subtracting(present).sorted(),
            shown: RecordReader.Shown(table: table, records: [], linked: [:]),
            priority: .bulk,
            isForced: false
        )
        let touched = touched
        _ = try await indexer.index(
            batch,
            skipping: { touched.current },
            commit: { transaction in
                try store.update(updated, tenant: tenant, in: transaction)
            }
        )
    }
}

extension BackfillLane {
    /// Clears away a bit of what deleted tables left; false when nothing is left.
    private func clear() async throws -> Bool {
        let (tenant, store) = (tenant, SearchStore())
        let found = try await services.database.read { transaction in
            let removal = try store.removals(tenant: tenant, in: transaction).first
            return (removal, Set(try store.partitions(tenant: tenant, in: transaction).map(\.base)))
        }
        guard let removal = found.0 else { return false }
        let hasOtherTables = found.1.contains(removal.base)
        let end = min(removal.nextEntry, removal.doneEntry + Self.sweepUnits)
        let (collections, pool, database) = (services.collections, services.pool, services.database)
        try await indexer.gate.run {
            try await pool.run(priority: .interactive) {
                guard hasOtherTables else {
                    try collections.remove(tenant: tenant, base: removal.base)
                    return
                }
                try collections.withWriter(tenant: tenant, base: removal.base) { writer in
                    for entry in removal.doneEntry..<end {
                        let key = UnitKey(partition: removal.partition, entry: UInt32(entry)).rawValue
                        if writer.contains(key) { try writer.delete(key) }
                    }
                    try writer.flush()
                }
            }
            _ = try await database.write { transaction in
                try store.clear(
                    removal,
                    before: end,
                    limit: Limits.sweepRows,
                    tenant: tenant,
                    in: transaction
                )
            }
        }
        return true
    }
}

/// How far a sweep has come.
private struct SweepPlace {
    let partition: UInt32
    /// The last entry looked at; −1 for none.
    let entry: Int64

    init(partition: UInt32, entry: Int64) {
        self.partition = partition
        self.entry = entry
    }

    init(_ text: String?) {
        let parts = (text ?? "").split(separator: ":")
        partition = parts.first.flatMap { UInt32($0) } ?? 0
        entry = parts.dropFirst().first.flatMap { Int64($0) } ?? -1
    }

    var text: String { "\(partition):\(entry)" }
}
