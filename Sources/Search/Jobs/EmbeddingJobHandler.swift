import Database
import Domain
import Embeddings
public import Jobs

/// Follows what an embedding job has queued, until it is done.
public struct EmbeddingJobHandler: JobHandler {
    public var kind: String { EmbeddingJobs.kind }

    private let services: IndexingServices
    private let pollInterval: Duration
    /// Looks from one report to the next: reading costs little, a report is a commit.
    private static let looksPerReport = 5
    private let store = SearchStore()

    package init(services: IndexingServices, pollInterval: Duration = .milliseconds(100)) {
        self.services = services
        self.pollInterval = pollInterval
    }

    public func run(_ job: Job, _ control: JobControl) async throws {
        let task = try EmbeddingTask(job.payload)
        var last: JobProgress?
        var looks = 0
        while true {
            try Task.checkCancellation()
            let (progress, isDone) = try await state(of: task, tenant: job.tenant)
            if isDone || (progress != last && looks % Self.looksPerReport == 0) {
                try await control.report(progress)
                last = progress
            }
            if isDone { return }
            looks += 1
            try await Task.sleep(for: pollInterval)
        }
    }

    private func state(of task: EmbeddingTask, tenant: TenantID) async throws -> (JobProgress, isDone: Bool) {
        let store = store
        return try await services.database.read(of: .tenant(tenant)) { transaction in
            task.changesModel
                ? try Self.change(task, store, tenant, transaction)
                : try Self.backfills(task, store, tenant, transaction)
        }
    }

    private static func backfills(
        _ task: EmbeddingTask,
        _ store: SearchStore,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> (JobProgress, isDone: Bool) {
        let tables = Set(task.tables)
        let all = try store.backfills(tenant: tenant, in: transaction).filter { tables.contains($0.table) }
        var counts = EncodingCounts()
        for backfill in all { counts.add(backfill.counts) }
        let progress = JobProgress(
            done: Int64(all.reduce(0) { $0 + $1.done }),
            total: Int64(all.reduce(0) { $0 + max($1.total, $1.done) }),
            details: counts.details(trouble: all.lazy.compactMap(\.trouble).first)
        )
        return (progress, all.allSatisfy { $0.phase == .done })
    }

    private static func change(
        _ task: EmbeddingTask,
        _ store: SearchStore,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> (JobProgress, isDone: Bool) {
        let build = try store.build(tenant: tenant, in: transaction)
        guard let build, build.target == task.model else { throw SearchError.modelJustChanged }
        if build.isStuck {
            let reason = build.trouble ?? "its model failed"
            throw SearchError(.modelChangeFailed, "The index could not be made by \(build.target): \(reason)")
        }
        let progress = JobProgress(
            done: Int64(build.done),
            total: Int64(max(build.total, build.done)),
            details: build.counts.details(trouble: build.trouble)
        )
        return (progress, build.isFinished)
    }
}
