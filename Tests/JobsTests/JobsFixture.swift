import Database
import Domain
import Logging
import TestSupport

@testable import Jobs

/// A queue over a fresh database, with a clock that stands until it is moved.
struct JobsFixture: Sendable {
    let database: any SQLDatabase
    let clock = Guarded(Instant(milliseconds: 1_800_000_000_000))
    let tenant = TenantID.random()

    var timing: JobTiming { JobTiming(lease: .seconds(20), backoff: .seconds(2), backoffMax: .seconds(60)) }

    /// The queue as one process sees it.
    var queue: JobQueue {
        JobQueue(database: database, timing: timing, now: { [clock] in clock.value }, random: { 0.999_999 })
    }

    func pass(_ duration: Duration) {
        clock.update { $0 = Instant(microseconds: $0.microseconds + duration.microseconds) }
    }

    @discardableResult
    func enqueue(_ kind: String = "work", attemptsMax: Int = 3) async throws -> Job {
        try await queue.enqueue(
            JobDraft(kind: kind, payload: ["what": "this"], attemptsMax: attemptsMax),
            tenant: tenant
        )
    }

    func claim(_ owner: String = "a") async throws -> JobClaim? {
        try await queue.claim(kinds: ["work"], owner: owner, tenant: tenant)
    }

    func job(_ id: JobID) async throws -> Job { try await queue.job(id, tenant: tenant) }

    func worker(
        _ handler: any JobHandler,
        sleep: @escaping JobWorker.Sleep = { try await Task.sleep(for: $0) }
    ) -> JobWorker {
        JobWorker(
            queue: queue,
            handlers: [handler],
            pollInterval: .milliseconds(5),
            sleep: sleep,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { [tenant] in [tenant] }
    }
}

func withJobs(_ kind: DatabaseKind, _ body: (JobsFixture) async throws -> Void) async throws {
    try await withDatabase(kind, migrations: JobQueue.migrations) { database in
        try await body(JobsFixture(database: database))
    }
}

/// A handler that is a closure.
struct Handling: JobHandler {
    var kind = "work"
    let body: @Sendable (Job, JobControl) async throws -> Void

    func run(_ job: Job, _ control: JobControl) async throws { try await body(job, control) }
}
