import Airtable
import Database
import Domain
import Embeddings
import Synchronization
import VectorIndex

/// Goes through whole tables in small blocks, behind the live lane: after an import, a change of schema, a loss of the
/// index. Each block is rendered, encoded and committed with the place to go on from, so that it survives any end.
struct BackfillLane: Sendable {
    /// Records of one block, most often of one text or two: some tenths of a second of encoding, about one call of a
    /// model elsewhere.
    static let blockRecords = 96
    /// Blocks read and not yet written: one is written while others are encoded, with one in reserve, so that the model
    /// always has something to read. Megabytes.
    static let blocksAtOnce = 4
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

    /// Does the first thing in the queue, until it is done or another has taken its place; false when there is nothing
    /// to do. Of a sweep one block.
    ///
    /// - Parameter afterBlock: called after each block.
    func step(afterBlock: @Sendable () async throws -> Void = {}) async throws -> Bool {
        let (tenant, store) = (tenant, store)
        let queue = try await services.database.read(of: .tenant(tenant)) {
            try store.backfills(tenant: tenant, in: $0)
        }
        guard let backfill = queue.first(where: { $0.phase != .done }) else { return try await clear() }
        let context = try await services.context(tenant)
        do {
            let trusted = trust.trusts(backfill: backfill.position)
            trust.distrust(backfill: backfill.position)
            let table = try await services.airtable.table(id: backfill.table, context: context)
            switch backfill.phase {
            case .rendering: try await render(backfill, isTrusted: trusted, afterBlock)
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

    /// A block as it was read.
    private struct Page: Sendable {
        let batch: RecordIndexer.Batch
        let watch: TouchedRecords.Watch
        /// The backfill as it stands when the block is written, but for its counts.
        let next: Backfill
    }

    /// A block that is ready to be written.
    private struct Block: Sendable {
        let prepared: RecordIndexer.Prepared
        let page: Page
    }

    /// Goes through the records: reads block after block, encodes some at once, writes them in order.
    private func render(
        _ backfill: Backfill,
        isTrusted: Bool,
        _ afterBlock: @Sendable () async throws -> Void
    ) async throws {
        let watches = touched.watches()
        defer { watches.endAll() }
        try await withThrowingTaskGroup(of: (Int, Block).self) { group in
            var ready: [Int: Block] = [:]
            var following: Backfill? = backfill
            var (begun, written) = (0, 0)
            var counts = backfill.counts
            while true {
                while begun - written < Self.blocksAtOnce, let next = following {
                    // What was left half done is written whatever its hashes say; what follows was not begun.
                    let isForced = backfill.isForced || (begun == 0 && !isTrusted)
                    let page = try await read(next, watches.begin(), isForced: isForced)
                    following = page.next.phase == .rendering ? page.next : nil
                    group.addTask { [begun] in
                        (begun, Block(prepared: try await indexer.prepare(page.batch), page: page))
                    }
                    begun += 1
                }
                while ready[written] == nil, let (number, block) = try await group.next() { ready[number] = block }
                guard let block = ready.removeValue(forKey: written) else { return }
                guard try await write(block, adding: &counts) else { return group.cancelAll() }
                written += 1
                try await afterBlock()
            }
        }
    }

    private func read(_ backfill: Backfill, _ watch: TouchedRecords.Watch, isForced: Bool) async throws -> Page {
        // Its own time: long texts and a slow model may take a minute a block.
        let context = try await services.context(tenant)
        // Anew for each block: a field that is added queues no other backfill.
        let table = try await services.airtable.table(id: backfill.table, context: context)
        let request = RecordPageRequest(limit: Self.blockRecords, after: backfill.cursor.flatMap(RecordCursor.init))
        let page = try await services.soundReads.records(in: table.id, page: request, context: context)
        var next = backfill
        next.done += page.records.count
        next.total = max(next.total, next.done)
        next.cursor = page.next?.description
        if page.next == nil { next.phase = backfill.sweeps ? .sweeping : .done }
        if next.phase == .done { next.total = next.done }
        let batch = RecordIndexer.Batch(
            layout: try await indexer.reader.layout(of: table, context: context),
            ids: page.records.map(\.id),
            shown: try await indexer.reader.shown(page.records, in: table, context: context),
            priority: .bulk,
            isForced: isForced,
            reencodes: backfill.reencodes
        )
        return Page(batch: batch, watch: watch, next: next)
    }

    /// Writes a block together with the place to go on from, and adds its counts to the backfill's.
    ///
    /// - Returns: false when another backfill has taken this one's place, or it was called off.
    private func write(_ block: Block, adding counts: inout EncodingCounts) async throws -> Bool {
        defer { touched.end(block.page.watch) }
        let (touched, tenant, store, before) = (touched, tenant, store, counts)
        let stands = Atomic(true)
        let outcome = try await indexer.apply(
            block.prepared,
            skipping: { touched.records(since: block.page.watch) },
            commit: { transaction, outcome in
                var next = block.page.next
                next.counts = before
                next.counts.add(outcome.counts)
                let isUpdated = try store.update(next, tenant: tenant, in: transaction)
                stands.store(isUpdated, ordering: .releasing)
            }
        )
        counts.add(outcome.counts)
        return stands.load(ordering: .acquiring)
    }

    /// Removes the units of records that no longer exist.
    private func sweep(_ backfill: Backfill, _ table: Table, _ context: RequestContext) async throws {
        let watch = touched.begin()
        defer { touched.end(watch) }
        let place = SweepPlace(backfill.cursor)
        let (tenant, store) = (tenant, store)
        let found = try await services.database.read(of: .tenant(context.tenant)) {
            transaction -> (units: [StoredUnit], next: SweepPlace?) in
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
            skipping: { touched.records(since: watch) },
            commit: { transaction, _ in
                _ = try store.update(updated, tenant: tenant, in: transaction)
            }
        )
    }
}

extension BackfillLane {
    /// Clears away a bit of what deleted tables left; false when nothing is left.
    private func clear() async throws -> Bool {
        let (tenant, store) = (tenant, SearchStore())
        let found = try await services.database.read(of: .tenant(tenant)) { transaction in
            let removal = try store.removals(tenant: tenant, in: transaction).first
            return (removal, Set(try store.partitions(tenant: tenant, in: transaction).map(\.base)))
        }
        guard let removal = found.0 else { return false }
        let hasOtherTables = found.1.contains(removal.base)
        let end = min(removal.nextEntry, removal.doneEntry + Self.sweepUnits)
        let all = try await services.collectionsKept(tenant: tenant)
        let (pool, database) = (services.pool, services.database)
        try await indexer.gate.run {
            try await pool.run(priority: .interactive) {
                for collections in all {
                    guard hasOtherTables else {
                        try collections.remove(tenant: tenant, base: removal.base)
                        continue
                    }
                    try collections.withWriter(tenant: tenant, base: removal.base) { writer in
                        for entry in removal.doneEntry..<end {
                            let key = UnitKey(partition: removal.partition, entry: UInt32(entry)).rawValue
                            if writer.contains(key) { try writer.delete(key) }
                        }
                        try writer.flush()
                    }
                }
            }
            _ = try await database.write(of: .tenant(tenant)) { transaction in
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
