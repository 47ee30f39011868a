import Airtable
import Database
public import Domain
import Logging

/// Keeps the search index of a data directory in step with the records, by pulling the change log.
///
/// Of all processes with the directory open one indexes: the holder of an advisory lock. The others try again every
/// second, so that one of them takes over when it ends.
public final class Indexer: Sendable {
    /// Under this name the change log remembers how far the index is.
    static let consumer = "search"

    private let services: IndexingServices
    private let tenants: @Sendable () async throws -> [TenantID]
    private let lockInterval: Duration
    private let tenantInterval: Duration
    private let owner: String?
    private let releaseJobs: @Sendable (String) async throws -> Void

    /// - Parameters:
    ///   - owner: the name under which this process takes up jobs; nil when it takes up none.
    ///   - releaseJobs: told the name of the process that had the lock before and died with it.
    ///   - tenants: all tenants there are; asked when this process becomes the one that indexes, and every
    ///     `tenantInterval` from then on.
    package init(
        services: IndexingServices,
        lockInterval: Duration = .seconds(1),
        tenantInterval: Duration = .seconds(2),
        owner: String? = nil,
        releaseJobs: @escaping @Sendable (String) async throws -> Void = { _ in },
        tenants: @escaping @Sendable () async throws -> [TenantID]
    ) {
        self.services = services
        self.lockInterval = lockInterval
        self.tenantInterval = tenantInterval
        self.owner = owner
        self.releaseJobs = releaseJobs
        self.tenants = tenants
    }

    /// Indexes while this process has the lock, waits for it otherwise. Ends only by cancelling the task.
    public func run() async throws {
        while true {
            try Task.checkCancellation()
            guard let lock = try IndexerLock.take(in: services.collections.directory) else {
                try await Task.sleep(for: lockInterval)
                continue
            }
            defer {
                services.models.closeWriters()
                if owner != nil { lock.forget() }
                withExtendedLifetime(lock) {}
            }
            services.logger.notice("this process keeps the search index")
            await succeed(lock)
            let known: [TenantID]
            let indexers: [TenantIndexer]
            do {
                known = try await tenants()
                indexers = try await tenantIndexers(known)
            } catch {
                try Task.checkCancellation()
                // A model that is not set up stays so until somebody sets it up; anything else may pass.
                guard let failure = error as? any Failure, [.busy, .timedOut].contains(failure.kind) else {
                    throw error
                }
                services.logger.warning("indexing could not begin", metadata: ["error": "\(error)"])
                try await Task.sleep(for: .seconds(1))
                continue
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for indexer in indexers { group.addTask { try await indexer.run() } }
                // Tenants come and go; with another set of them everything begins anew, from the checkpoints.
                group.addTask {
                    // Not being told is no news: the indexers themselves say when the database is gone.
                    repeat {
                        try await Task.sleep(for: self.tenantInterval)
                    } while (try? await self.tenants()) ?? known == known
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    /// Returns when everything written before the call can be found, whichever process does the work.
    ///
    /// - Parameter progress: called now and then with what is done of what is to do.
    public func indexAll(progress: @escaping @Sendable (IndexProgress) -> Void = { _ in }) async throws {
        let watch = ProgressWatch(report: progress)
        while true {
            try Task.checkCancellation()
            if let lock = try IndexerLock.take(in: services.collections.directory) {
                defer {
                    services.models.closeWriters()
                    withExtendedLifetime(lock) {}
                }
                var changes = false
                for indexer in try await tenantIndexers(try await tenants()) {
                    let end = try await indexer.catchUp {
                        watch.see(try await self.backfills(indexer.tenant), of: indexer.tenant)
                    }
                    if end == .modelChanged { changes = true }
                }
                // Another model is live: what is left to do is done with its services.
                if changes { continue }
                return
            }
            var isCurrent = true
            for tenant in try await tenants() {
                let status = try await status(tenant: tenant)
                watch.see(try await backfills(tenant), of: tenant)
                if !status.isCurrent { isCurrent = false }
            }
            if isCurrent, try await !isChangingModel() { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Has every table gone through again and every vector written anew. It happens in `run` or `indexAll`.
    public func requestRebuild(context: RequestContext) async throws {
        let tenant = context.tenant
        let indexer = RecordIndexer(services: services, tenant: tenant, gate: Gate())
        for base in try await services.airtable.bases(context: context) {
            for table in try await services.airtable.tables(in: base.id, context: context) {
                try await indexer.enqueue(table, because: .vectorsLost, context)
            }
        }
    }

    /// How far the index is behind the records.
    public func status(tenant: TenantID) async throws -> IndexStatus {
        let checkpoint = try await services.changes.checkpoint(of: Self.consumer, tenant: tenant)
        let latest = try await services.changes.latestSequence(tenant: tenant)
        let tables = try await backfills(tenant).map { backfill in
            IndexStatus.Table(
                table: backfill.table,
                base: backfill.base,
                done: backfill.done,
                total: backfill.total,
                isCurrent: backfill.phase == .done
            )
        }
        return IndexStatus(checkpoint: checkpoint, latest: latest, tables: tables)
    }

    /// Lets go of the jobs of a holder that died, which nobody else would before their leases run out.
    private func succeed(_ lock: IndexerLock) async {
        guard let owner else { return }
        if let dead = lock.deadHolder, dead != owner {
            do {
                try await releaseJobs(dead)
            } catch {
                // Then the leases run out.
                services.logger.warning("jobs of a dead process are not released", metadata: ["error": "\(error)"])
            }
        }
        lock.note(owner)
    }

    private func tenantIndexers(_ tenants: [TenantID]) async throws -> [TenantIndexer] {
        var indexers: [TenantIndexer] = []
        for tenant in tenants {
            let latest = try await services.changes.latestSequence(tenant: tenant)
            let settled = try await services.settle(tenant: tenant)
            indexers.append(TenantIndexer(services: settled, tenant: tenant, latest: latest))
        }
        return indexers
    }

    private func isChangingModel() async throws -> Bool {
        for tenant in try await tenants() {
            let build = try await services.database.read(of: .tenant(tenant)) {
                try SearchStore().build(tenant: tenant, in: $0)
            }
            if let build, !build.isFinished, !build.isStuck { return true }
        }
        return false
    }

    private func backfills(_ tenant: TenantID) async throws -> [Backfill] {
        try await services.database.read(of: .tenant(tenant)) { try SearchStore().backfills(tenant: tenant, in: $0) }
    }
}
