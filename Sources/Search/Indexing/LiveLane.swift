import Airtable
import Database
import Domain
import Embeddings
import Logging
import Synchronization

/// Follows the change log: small batches, first and fast, so that what is written is found at once, also while a
/// backfill goes on. What concerns whole tables it leaves to the backfill lane.
struct LiveLane: Sendable {
    /// Changes of one batch.
    static let pageChanges = 200
    /// Up to so many changes somebody is taken to be waiting for them to be found; more are a load.
    static let interactiveChanges = 32
    /// When more records than this show a changed primary value, their table is gone through as a whole.
    static let derivedMax = 1_000

    let services: IndexingServices
    let tenant: TenantID
    let indexer: RecordIndexer
    let touched: TouchedRecords
    let trust: TrustLedger
    private let store = SearchStore()
    private let log = ChangeLogStore()

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

    /// What one batch did.
    struct Step: Sendable {
        let checkpoint: Int64
        /// Whether the log had more than this.
        let hasMore: Bool
        let enqueued: Bool
    }

    /// Deals with the changes after `checkpoint`, up to `limit`; nil when there are none.
    ///
    /// - Throws: `AirtableError.resynchronise` when the log no longer goes back that far.
    func step(after checkpoint: Int64, limit: Int = pageChanges) async throws -> Step? {
        let page = try await services.changes.changes(after: checkpoint, limit: limit, tenant: tenant)
        guard let last = page.changes.last else { return nil }
        do {
            return try await apply(page, last: last.sequence)
        } catch {
            // What was written to the index, and what not, is unknown now.
            trust.distrust(until: last.sequence)
            throw error
        }
    }

    // MARK: Private

    private func apply(_ page: ChangePage, last: Int64) async throws -> Step {
        let context = try await services.context(tenant)
        var work = LiveWork(page.changes)
        try await removeTables(work.deletedTables)
        let tables = try await tables(of: work, context)
        work.addDerived(from: page.changes, tables: tables)
        // What deleted tables leave is for the backfill lane too.
        var enqueued = !work.deletedTables.isEmpty
        for (id, reason) in work.wholeTables.sorted(by: { $0.key < $1.key }) {
            guard let table = tables[id] else { continue }
            if try await indexer.enqueue(table, because: reason, context) { enqueued = true }
        }
        let priority: EmbeddingPriority =
            page.changes.count <= Self.interactiveChanges ? .interactive : .bulk
        for (table, ids) in work.records.sorted(by: { $0.key < $1.key }) {
            guard let model = tables[table] else { continue }
            try await index(ids.sorted(), in: model, priority, isForced: !trust.trusts(last), context)
        }
        let (tenant, log, time) = (tenant, log, Instant.now())
        try await services.database.write(of: .tenant(tenant)) { transaction in
            try log.setCheckpoint(last, of: Indexer.consumer, time: time, tenant: tenant, in: transaction)
        }
        return Step(checkpoint: last, hasMore: last < page.latest, enqueued: enqueued)
    }

    private func index(
        _ ids: [RecordID],
        in table: Table,
        _ priority: EmbeddingPriority,
        isForced: Bool,
        _ context: RequestContext
    ) async throws {
        let layout = try await indexer.reader.layout(of: table, context: context)
        for run in SQLLists.runs(of: ids, count: Self.pageChanges) {
            let shown = try await indexer.reader.shown(Array(run), in: table, context: context)
            let batch = RecordIndexer.Batch(
                layout: layout,
                ids: Array(run),
                shown: shown,
                priority: priority,
                isForced: isForced
            )
            let touched = touched
            _ = try await indexer.index(batch, applied: { touched.insert($0) })
        }
    }

    /// The tables that still exist, of those that the batch is about, and all tables of their bases.
    private func tables(of work: LiveWork, _ context: RequestContext) async throws -> [TableID: Table] {
        var tables: [TableID: Table] = [:]
        for base in work.bases {
            do {
                for table in try await services.airtable.tables(in: base, context: context) { tables[table.id] = table }
            } catch let error as AirtableError where error.code == .modelNotFound {
                // The base is gone; its entries say nothing any more.
                continue
            }
        }
        return tables
    }

    private func removeTables(_ removed: Set<TableID>) async throws {
        for table in removed.sorted() {
            try await indexer.removeTable(table)
        }
    }
}

/// Why a whole table is gone through.
enum BackfillReason: Sendable {
    /// Its schema changed, or that of a table it links to: only if its records look different now.
    case schemaChanged
    /// Records came or changed that the log does not name.
    case recordsChanged
    /// The index may lack changes, or have kept records that are gone.
    case resynchronise
    /// The index's vectors are lost or doubtful.
    case vectorsLost
}

/// What a run of changes asks for, each record once.
struct LiveWork {
    private(set) var records: [TableID: Set<RecordID>] = [:]
    private(set) var wholeTables: [TableID: BackfillReason] = [:]
    private(set) var deletedTables: Set<TableID> = []
    private(set) var bases: Set<BaseID> = []

    init(_ changes: [RecordChange]) {
        for change in changes {
            bases.insert(change.base)
            switch change.event {
            case .created(let record), .deleted(let record), .updated(_, let record):
                records[change.table, default: []].insert(record.id)
            case .schemaChanged:
                if wholeTables[change.table] == nil { wholeTables[change.table] = .schemaChanged }
            case .imported:
                wholeTables[change.table] = .recordsChanged
            case .tableDeleted:
                deletedTables.insert(change.table)
            }
        }
        for table in deletedTables {
            records[table] = nil
            wholeTables[table] = nil
        }
    }

    /// Adds the records that show a primary value that changed, found through the other side of their links, and the
    /// tables whose links show another primary field since a schema changed.
    mutating func addDerived(from changes: [RecordChange], tables: [TableID: Table]) {
        for change in changes {
            guard let table = tables[change.table] else { continue }
            switch change.event {
            case .updated(let before, let after):
                let primary = table.primaryField
                if before.cells[primary] != after.cells[primary] { addLinking(to: [before, after], in: table, tables) }
            // Into a mirror a record may come later than those that link to it.
            case .created(let record), .deleted(let record):
                addLinking(to: [record], in: table, tables)
            case .schemaChanged:
                for other in tables.values
                where other.base == table.base && other.id != table.id
                    && other.fields.contains(where: { $0.options.linkedTable == table.id })
                {
                    if wholeTables[other.id] == nil { wholeTables[other.id] = .schemaChanged }
                }
            case .imported, .tableDeleted: break
            }
        }
    }

    private mutating func addLinking(to records: [Record], in table: Table, _ tables: [TableID: Table]) {
        for field in table.fields {
            guard let other = field.options.linkedTable, tables[other] != nil else { continue }
            var ids: Set<RecordID> = []
            for record in records {
                if case .links(let list) = record.cells[field.id] { ids.formUnion(list) }
            }
            if ids.count > LiveLane.derivedMax {
                wholeTables[other] = .recordsChanged
            } else if !ids.isEmpty {
                self.records[other, default: []].formUnion(ids)
            }
        }
    }
}

/// Records that the live lane has brought up to date while a block of a backfill is being prepared: the block leaves
/// them alone, since it may have read them before.
final class TouchedRecords: Sendable {
    /// One block's own list: several blocks are prepared at once.
    struct Watch: Sendable, Hashable { fileprivate let number: Int }

    private struct State {
        var lists: [Watch: Set<RecordID>] = [:]
        var watches = 0
    }

    private let state = Mutex(State())

    /// A block begins, before it reads its records.
    func begin() -> Watch {
        state.withLock { state in
            state.watches += 1
            let watch = Watch(number: state.watches)
            state.lists[watch] = []
            return watch
        }
    }

    func end(_ watch: Watch) { state.withLock { $0.lists[watch] = nil } }

    func insert(_ ids: [RecordID]) {
        state.withLock { state in
            for watch in state.lists.keys { state.lists[watch]?.formUnion(ids) }
        }
    }

    /// The watches of one step, which end with it.
    func watches() -> Watches { Watches(touched: self) }

    final class Watches: Sendable {
        private let touched: TouchedRecords
        private let begun = Mutex<[Watch]>([])

        fileprivate init(touched: TouchedRecords) { self.touched = touched }

        func begin() -> Watch {
            let watch = touched.begin()
            begun.withLock { $0.append(watch) }
            return watch
        }

        /// Also of those that were ended one by one.
        func endAll() { for watch in begun.withLock({ $0 }) { touched.end(watch) } }
    }

    func records(since watch: Watch) -> Set<RecordID> { state.withLock { $0.lists[watch] ?? [] } }
}

/// What may be taken to be in the index as SQL says.
///
/// After a crash, or an error in the middle of a batch, the last batch may have changed vectors without SQL knowing.
/// So whatever such a batch may have been about is written once without comparing hashes.
final class TrustLedger: Sendable {
    private struct State {
        var distrustedUntil: Int64
        var trustedBackfills: Set<Int64> = []
    }

    private let state: Mutex<State>

    /// - Parameter distrustedUntil: where the change log stands as this process takes over.
    init(distrustedUntil: Int64) { state = Mutex(State(distrustedUntil: distrustedUntil)) }

    func trusts(_ sequence: Int64) -> Bool { state.withLock { sequence > $0.distrustedUntil } }

    func distrust(until sequence: Int64) {
        state.withLock { $0.distrustedUntil = max($0.distrustedUntil, sequence) }
    }

    /// Whether the last block of the backfill at `position` was done by this process, and whole.
    func trusts(backfill position: Int64) -> Bool { state.withLock { $0.trustedBackfills.contains(position) } }

    func trust(backfill position: Int64) { state.withLock { _ = $0.trustedBackfills.insert(position) } }

    func distrust(backfill position: Int64) { state.withLock { _ = $0.trustedBackfills.remove(position) } }
}
