import Access
import Airtable
import Database
public import Domain
import Embeddings
public import Jobs

/// Embedding on request: whole bases or tables again, or by another model.
///
/// A job never encodes beside the indexer. It queues what is to be done where the indexer finds it (backfills, a build),
/// follows how far that is, and calls it off when it is cancelled; so no text is encoded by two at once, and whatever
/// ends, whoever goes on starts from the indexer's own cursors.
public struct EmbeddingJobs: Sendable {
    /// Of jobs of this kind.
    public static let kind = "embedding"

    let services: IndexingServices
    let queue: JobQueue
    let now: InstantSource
    private let store = SearchStore()
    private let jobStore = JobStore()
    /// Whoever may ask for embeddings may name what is to be embedded.
    private var reads: GatedReads { services.airtable.reads(by: .embed) }

    package init(services: IndexingServices, queue: JobQueue, now: @escaping InstantSource = { .now() }) {
        self.services = services
        self.queue = queue
        self.now = now
    }

    /// Queues a job.
    ///
    /// - Throws: `SearchError` `invalidOption`, `unknownBase`, `unknownTable`, `modelChangeUnderWay`, `tooManyJobs`;
    ///   `EmbeddingsError.invalidModelName`; `AccessError.forbidden` without the permission `embed`, and for a change
    ///   of the model from somebody who sees only a part of what it would change.
    public func start(_ request: EmbeddingJobRequest, context: RequestContext) async throws -> EmbeddingJob {
        try context.require(.embed)
        let visible = try await services.access.visibleScope(for: context, doing: .embed)
        let live = try await services.models.liveName(tenant: context.tenant)
        let model = try request.model.map { try EmbeddingModelName.reading($0) } ?? live
        var tables = try await tables(of: request, visible, context)
        // A job tells of how many records it is.
        guard tables.allSatisfy({ visible.rule(table: $0.id) == nil }) else { throw AccessError.forbidden(.embed) }
        if model != live {
            guard visible.isWholeTenant else { throw AccessError.forbidden(.embed) }
            // Fails here and now when the model can't be had at all.
            do { _ = try services.models.model(model) } catch let error as EmbeddingsError
                where error.kind == .notConfigured
            {
                throw SearchError.modelUnusable(model, error)
            }
            tables = []
            for base in try await reads.bases(context: context) {
                tables += try await reads.tables(in: base.id, context: context)
            }
        }
        let task = EmbeddingTask(
            tables: tables.map(\.id).sorted(),
            bases: Set(tables.map(\.base)),
            model: model,
            changesModel: model != live,
            isForced: request.force
        )
        let job = try await queue(task, tables, live: live, context)
        return try EmbeddingJob(job, now: now())
    }

    /// Jobs about bases that the caller may see, newest first. A page is full or the last one, so that nothing tells of
    /// the others.
    public func jobs(
        after cursor: JobCursor? = nil,
        limit: Int = Limits.pageRecords,
        context: RequestContext
    ) async throws -> EmbeddingJobPage {
        try context.require(.embed)
        let visible = try await services.access.visibleScope(for: context, doing: .embed)
        let limit = max(1, min(limit, Limits.pageRecords))
        var shown: [Job] = []
        var next = cursor
        repeat {
            let page = try await queue.jobs(kind: Self.kind, after: next, tenant: context.tenant)
            shown += try page.jobs.filter { try Self.isVisible($0, visible) }
            next = page.next
        } while shown.count <= limit && next != nil
        let (time, page) = (now(), shown.prefix(limit))
        return EmbeddingJobPage(
            jobs: try page.map { try EmbeddingJob($0, now: time) },
            next: shown.count > limit ? page.last.map(JobCursor.init) : nil
        )
    }

    /// - Throws: `JobError.notFound`, also for a job about a base that the caller may not see.
    public func job(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob {
        try EmbeddingJob(try await visibleJob(id, context), now: now())
    }

    /// Ends a job; what it has done stays. One that is over stays as it is.
    ///
    /// A change of the model is called off: the old one stays. What the index needs anyway goes on.
    public func cancel(_ id: JobID, context: RequestContext) async throws -> EmbeddingJob {
        let job = try await visibleJob(id, context)
        let task = try EmbeddingTask(job.payload)
        let (store, jobStore, tenant, time) = (store, jobStore, context.tenant, now())
        let ended = try await services.database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            transaction in
            if try jobStore.cancel(id, now: time, tenant: tenant, in: transaction) {
                let others = try jobStore.unfinished(kind: Self.kind, tenant: tenant, in: transaction)
                try store.callOff(id, for: others, tenant: tenant, in: transaction)
                let build = task.changesModel ? try store.build(tenant: tenant, in: transaction) : nil
                if let build, build.target == task.model, !build.isFinished {
                    try store.stopBuild(tenant: tenant, in: transaction)
                }
            }
            return try jobStore.job(id, tenant: tenant, in: transaction)
        }
        return try EmbeddingJob(ended, now: time)
    }

    // MARK: Private

    private func visibleJob(_ id: JobID, _ context: RequestContext) async throws -> Job {
        try context.require(.embed)
        let visible = try await services.access.visibleScope(for: context, doing: .embed)
        let job = try await queue.job(id, tenant: context.tenant)
        guard job.kind == Self.kind, try Self.isVisible(job, visible) else {
            throw JobError(.notFound, "There is no such job.")
        }
        return job
    }

    private static func isVisible(_ job: Job, _ visible: VisibleScope) throws -> Bool {
        let task = try EmbeddingTask(job.payload)
        guard task.bases.allSatisfy({ visible.allows(base: $0) }) else { return false }
        return task.tables.allSatisfy { table in
            visible.rule(table: table) == nil && task.bases.contains { visible.allows(table: table, in: $0) }
        }
    }

    private func tables(
        of request: EmbeddingJobRequest,
        _ visible: VisibleScope,
        _ context: RequestContext
    ) async throws -> [Table] {
        guard (request.base == nil) != (request.tables == nil) else {
            throw SearchError(.invalidOption, "Exactly one of base and tables must be given.")
        }
        let bases = try await reads.bases(context: context).filter { visible.allows(base: $0.id) }
        if let name = request.base {
            guard let base = bases.first(where: { SearchPlaces.names(name, $0.id.description, $0.name) }) else {
                throw SearchError.unknown(.unknownBase, name, among: bases.map(\.name))
            }
            return try await reads.tables(in: base.id, context: context).filter { visible.allows(table: $0) }
        }
        let names = request.tables ?? []
        guard (1...Limits.jobTables).contains(names.count) else {
            throw SearchError(
                .invalidOption,
                "\(names.count) tables are named; at least 1 and at most \(Limits.jobTables) may be."
            )
        }
        var all: [Table] = []
        for base in bases {
            all += try await reads.tables(in: base.id, context: context).filter { visible.allows(table: $0) }
        }
        var found: [TableID: Table] = [:]
        for name in names {
            // A name may stand for a table in each of several bases.
            let fitting = all.filter { SearchPlaces.names(name, $0.id.description, $0.name) }
            if fitting.isEmpty { throw SearchError.unknown(.unknownTable, name, among: all.map(\.name)) }
            for table in fitting { found[table.id] = table }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// What a table's backfill needs to know, read beforehand.
    private struct Place: Sendable {
        let table: Table
        let layout: TableLayout
        let total: Int
    }

    /// Queues the job together with what it is about, in one transaction.
    private func queue(
        _ task: EmbeddingTask,
        _ tables: [Table],
        live: EmbeddingModelName,
        _ context: RequestContext
    ) async throws -> Job {
        let places = task.changesModel ? [] : try await places(tables, tenant: context.tenant)
        let (store, jobStore, tenant, time, id) = (store, jobStore, context.tenant, now(), JobID.random())
        let draft = JobDraft(kind: Self.kind, payload: task.payload, creator: context.principal.user)
        let configured = services.models.configured
        return try await services.database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            transaction in
            try transaction.lock("search-models-\(tenant)")
            guard
                try jobStore.unfinishedCount(kind: Self.kind, tenant: tenant, in: transaction) < Limits.jobsUnfinished
            else {
                throw SearchError(
                    .tooManyJobs,
                    "\(Limits.jobsUnfinished) embedding jobs are waiting or running.",
                    hint: "wait for one, or cancel one"
                )
            }
            let present = try store.liveModel(tenant: tenant, in: transaction)
            guard present == nil || present == live else { throw SearchError.modelJustChanged }
            if task.changesModel {
                if present == nil {
                    try store.setLiveModel(
                        live,
                        configured: configured.description,
                        needsPass: false,
                        tenant: tenant,
                        in: transaction
                    )
                }
                try store.requestBuild(
                    task.model,
                    reencodes: task.isForced ? time : nil,
                    tenant: tenant,
                    in: transaction
                )
            }
            for place in places {
                try store.enqueue(
                    place.layout,
                    total: place.total,
                    job: id,
                    isForced: task.isForced,
                    now: time,
                    tenant: tenant,
                    in: transaction
                )
            }
            return try jobStore.insert(draft, id: id, now: time, tenant: tenant, in: transaction)
        }
    }

    private func places(_ tables: [Table], tenant: TenantID) async throws -> [Place] {
        // The indexer's own eyes: who may ask for embeddings need not be allowed to read records.
        let context = try await services.context(tenant)
        let reader = RecordReader(airtable: services.soundReads)
        var places: [Place] = []
        for table in tables {
            places.append(
                Place(
                    table: table,
                    layout: try await reader.layout(of: table, context: context),
                    total: try await services.airtable.storedReads(by: .recordsRead).recordCount(
                        in: table.id,
                        context: context
                    )
                )
            )
        }
        return places
    }
}

extension SearchError {
    static var modelJustChanged: Self {
        Self(.modelChangeUnderWay, "The model has just been changed.", hint: "ask again")
    }
}

extension SearchStore {
    /// Begins a build, or joins one of the same model.
    ///
    /// - Throws: `SearchError.modelChangeUnderWay` while another model's index is being made.
    func requestBuild(
        _ target: EmbeddingModelName,
        reencodes: Instant?,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        if let build = try build(tenant: tenant, in: transaction), !build.isFinished, !build.isStuck {
            guard build.target == target else {
                throw SearchError(
                    .modelChangeUnderWay,
                    "The index is being made by \(build.target) already.",
                    hint: "wait for that job, or cancel it"
                )
            }
            if build.reencodes != nil || reencodes == nil { return }
        }
        try startBuild(target, reencodes: reencodes, tenant: tenant, in: transaction)
    }

    /// Ends the backfills that are done for a job alone. Where others wait for the same table, it is theirs from now on:
    /// they would be told that it is done, and it would not be.
    func callOff(_ job: JobID, for others: [Job], tenant: TenantID, in transaction: any Transaction) throws {
        let waiting = try others.map { (id: $0.id, task: try EmbeddingTask($0.payload)) }.filter {
            !$0.task.changesModel
        }
        for backfill in try backfills(tenant: tenant, in: transaction)
        where backfill.job == job && backfill.phase != .done {
            let heirs = waiting.filter { $0.task.tables.contains(backfill.table) }
            guard let heir = heirs.first else {
                try callOff(backfill, tenant: tenant, in: transaction)
                continue
            }
            let isForced = heirs.contains { $0.task.isForced }
            try handOver(backfill, to: heir.id, isForced: isForced, tenant: tenant, in: transaction)
        }
    }

    /// Queues a table for a job, unless it is being gone through anyway.
    func enqueue(
        _ layout: TableLayout,
        total: Int,
        job: JobID,
        isForced: Bool,
        now: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        _ = try ensurePartitions([], layout: layout, tenant: tenant, in: transaction)
        if try signature(of: layout.table.id, tenant: tenant, in: transaction) == nil {
            try setSignature(layout.signature, of: layout.table.id, tenant: tenant, in: transaction)
        }
        if !isForced {
            let queued = try backfills(tenant: tenant, in: transaction)
            if queued.contains(where: { $0.table == layout.table.id && $0.phase != .done }) { return }
        }
        try enqueue(
            layout.table.id,
            base: layout.table.base,
            isForced: isForced,
            sweeps: false,
            total: total,
            job: job,
            reencodes: isForced ? now : nil,
            tenant: tenant,
            in: transaction
        )
    }
}
