import Access
import Airtable
import Database
import Domain
import Embeddings
import Logging

/// Keeps one tenant's index in step: the live lane and the backfill lane side by side.
///
/// Made by the holder of the indexer's lock, once, after which `prepare` finds out what an earlier end left.
final class TenantIndexer: Sendable {
    let tenant: TenantID
    private let services: IndexingServices
    private let indexer: RecordIndexer
    private let live: LiveLane
    private let backfill: BackfillLane
    private let build: BuildLane
    private let store = SearchStore()
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    /// - Parameter latest: where the change log stands now.
    init(services: IndexingServices, tenant: TenantID, latest: Int64) {
        self.services = services
        self.tenant = tenant
        let indexer = RecordIndexer(services: services, tenant: tenant, gate: Gate())
        let touched = TouchedRecords()
        let trust = TrustLedger(distrustedUntil: latest)
        self.indexer = indexer
        live = LiveLane(services: services, tenant: tenant, indexer: indexer, touched: touched, trust: trust)
        backfill = BackfillLane(services: services, tenant: tenant, indexer: indexer, touched: touched, trust: trust)
        build = BuildLane(services: services, tenant: tenant, indexer: indexer)
        (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Running

    /// Why indexing came to an end by itself.
    enum End: Sendable, Hashable {
        case done
        /// Another model is live now: whoever goes on takes its services.
        case modelChanged
    }

    /// Goes on until the task is cancelled, or the model changes. Errors are logged and tried again, ever more slowly.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.followLog() }
            group.addTask { try await self.workQueue() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Does all there is to do now. Returns when the log is followed to its end and the queue is empty.
    ///
    /// - Parameter afterBlock: called after each block of a backfill.
    func catchUp(afterBlock: @Sendable () async throws -> Void) async throws -> End {
        var checkpoint = try await prepare()
        while true {
            try Task.checkCancellation()
            if let step = try await step(after: checkpoint) {
                checkpoint = step.checkpoint
            } else if try await backfill.step(afterBlock: afterBlock) {
                continue
            } else {
                switch try await build.step() {
                case .worked: try await afterBlock()
                case .switched: return .modelChanged
                case .idle: return .done
                }
            }
        }
    }

    private func followLog() async throws {
        var checkpoint = try await retrying("search index could not be prepared") { try await self.prepare() }
        waker.yield()
        var failures = Failures()
        while true {
            try Task.checkCancellation()
            do {
                if let step = try await step(after: checkpoint, limit: failures.limit) {
                    checkpoint = step.checkpoint
                    if step.enqueued { waker.yield() }
                    if failures.limit == LiveLane.pageChanges || !step.hasMore { failures = Failures() }
                } else {
                    let isNew = try await services.changes.waitForChange(
                        after: checkpoint,
                        tenant: tenant,
                        atMost: .seconds(1)
                    )
                    // Another process may have queued something, such as a rebuild.
                    if !isNew { waker.yield() }
                }
            } catch {
                try Task.checkCancellation()
                if failures.count(error), failures.isHopeless {
                    checkpoint = try await skip(after: checkpoint, error)
                    failures = Failures()
                    continue
                }
                services.logger.warning("search index is behind", metadata: ["error": "\(error)"])
                try await Task.sleep(for: failures.pause)
            }
        }
    }

    /// One batch of the log. A log that was cut off before the checkpoint means going through everything.
    private func step(after checkpoint: Int64, limit: Int = LiveLane.pageChanges) async throws -> LiveLane.Step? {
        do {
            return try await live.step(after: checkpoint, limit: limit)
        } catch let error as AirtableError where error.code == .resynchronise {
            services.logger.notice("search index goes through all records: the change log was cut off")
            let latest = try await resynchronise()
            return LiveLane.Step(checkpoint: latest, hasMore: true, enqueued: true)
        }
    }

    private func workQueue() async throws {
        var wakes = wake.makeAsyncIterator()
        // Prepared first.
        _ = await wakes.next()
        while true {
            try Task.checkCancellation()
            let worked = try await retrying("a table could not be indexed") { try await self.backfill.step() }
            if worked { continue }
            switch try await retrying("the index of another model could not be made", { try await self.build.step() }) {
            case .worked: continue
            case .switched: return
            case .idle: if await wakes.next() == nil { throw CancellationError() }
            }
        }
    }

    private func retrying<T: Sendable>(
        _ what: Logger.Message,
        _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var pause = Duration.milliseconds(200)
        while true {
            do {
                return try await body()
            } catch {
                try Task.checkCancellation()
                services.logger.warning(what, metadata: ["error": "\(error)"])
                await noteTrouble(error)
                try await Task.sleep(for: max(pause, (error as? EmbeddingsError)?.retryAfter ?? .zero))
                pause = min(pause * 2, .seconds(10))
            }
        }
    }

    /// Shows whoever waits for a backfill why it does not get on.
    private func noteTrouble(_ error: any Error) async {
        let (tenant, store) = (tenant, store)
        let message = (error as? any Failure)?.description ?? "Something went wrong; the log has it."
        do {
            try await services.database.write(of: .tenant(tenant)) {
                try store.noteTrouble(message, tenant: tenant, in: $0)
            }
        } catch {
            // The trouble itself is in the log, and will be noted when it comes again.
            services.logger.debug("trouble could not be noted", metadata: ["error": "\(error)"])
        }
    }

    /// Leaves out one change that can never be dealt with, so that it holds up no other.
    private func skip(after checkpoint: Int64, _ error: any Error) async throws -> Int64 {
        services.logger.error(
            "a change could not be indexed and is left out",
            metadata: ["sequence": "\(checkpoint + 1)", "error": "\(error)"]
        )
        try await services.changes.setCheckpoint(checkpoint + 1, of: Indexer.consumer, tenant: tenant)
        return checkpoint + 1
    }

    // MARK: Preparing

    /// Looks whether log, store and index fit together, queues what is needed to make them, and gives the checkpoint.
    private func prepare() async throws -> Int64 {
        try await Reconciliation(services: services, tenant: tenant, indexer: indexer).run()
        try await build.prepare()
        if let checkpoint = try await services.changes.checkpoint(of: Indexer.consumer, tenant: tenant) {
            return checkpoint
        }
        return try await resynchronise()
    }

    /// Queues every table, removes what has none, and begins anew at the log's end.
    private func resynchronise() async throws -> Int64 {
        // First, so that what is written meanwhile is seen twice rather than never.
        let latest = try await services.changes.latestSequence(tenant: tenant)
        let context = try await services.context(tenant)
        var tables: Set<TableID> = []
        for base in try await services.airtable.bases(context: context) {
            for table in try await services.airtable.tables(in: base.id, context: context) {
                tables.insert(table.id)
                try await indexer.enqueue(table, because: .resynchronise, context)
            }
        }
        let (tenant, store) = (tenant, store)
        let known = try await services.database.read(of: .tenant(tenant)) {
            try store.partitions(tenant: tenant, in: $0).map(\.table)
        }
        for table in Set(known).subtracting(tables).sorted() { try await indexer.removeTable(table) }
        try await services.changes.setCheckpoint(latest, of: Indexer.consumer, tenant: tenant)
        return latest
    }
}

/// How often in a row the log could not be followed, and what to do about it.
private struct Failures {
    private(set) var limit = LiveLane.pageChanges
    private var total = 0
    private var permanent = 0

    /// Notes one more; true when the error will be the same next time.
    mutating func count(_ error: any Error) -> Bool {
        total += 1
        let isPermanent = Self.isPermanent(error)
        if isPermanent { permanent += 1 }
        // Change by change, to get at the one that can't be dealt with.
        if permanent >= 3 { limit = 1 }
        return isPermanent
    }

    var isHopeless: Bool { limit == 1 && permanent >= 6 }

    var pause: Duration { min(.milliseconds(100) * (1 << min(total, 6)), .seconds(5)) }

    /// Nobody's fault passes; our own or the data's does not.
    private static func isPermanent(_ error: any Error) -> Bool {
        guard let failure = error as? any Failure else { return false }
        switch failure.kind {
        case .invalid, .tooLarge, .corrupt, .internal, .notFound, .forbidden: return true
        case .busy, .timedOut, .cancelled, .conflict, .notConfigured, .unauthenticated: return false
        }
    }
}

extension IndexingServices {
    /// For one step of indexing.
    func context(_ tenant: TenantID) async throws -> RequestContext {
        try await access.systemContext(tenant: tenant, timeout: .seconds(120), logger: logger)
    }
}
