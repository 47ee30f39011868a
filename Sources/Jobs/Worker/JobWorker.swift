public import Domain
public import Logging

/// Takes jobs up and has them done, a few at once, for as long as the process lives.
public struct JobWorker: Sendable {
    /// Waits; tests bring a clock of their own.
    public typealias Sleep = @Sendable (Duration) async throws -> Void

    private let queue: JobQueue
    private let handlers: [String: any JobHandler]
    private let tenants: @Sendable () async throws -> [TenantID]
    private let owner: String
    private let concurrency: Int
    private let pollInterval: Duration
    private let sleep: Sleep
    private let logger: Logger

    /// - Parameters:
    ///   - concurrency: jobs at once in this process.
    ///   - pollInterval: how often an idle worker looks.
    ///   - tenants: whose jobs are done here.
    public init(
        queue: JobQueue,
        handlers: [any JobHandler],
        owner: String = JobWorker.randomOwner(),
        concurrency: Int = Limits.jobsAtOnce,
        pollInterval: Duration = .seconds(1),
        sleep: @escaping Sleep = { try await Task.sleep(for: $0) },
        logger: Logger,
        tenants: @escaping @Sendable () async throws -> [TenantID]
    ) {
        self.queue = queue
        self.handlers = Dictionary(handlers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.owner = owner
        self.concurrency = max(1, concurrency)
        self.pollInterval = pollInterval
        self.sleep = sleep
        self.logger = logger
        self.tenants = tenants
    }

    /// A name that no other process has.
    public static func randomOwner() -> String { "worker-\(UInt64.random(in: .min ... .max))" }

    /// Ends only by cancellation; jobs in hand are given back.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency { group.addTask { try await self.serve() } }
            try await group.waitForAll()
        }
    }

    /// Does jobs until none waits that is due.
    ///
    /// - Returns: how many were taken up.
    @discardableResult
    public func runAll() async throws -> Int {
        var count = 0
        while try await runOne() {
            count += 1
            try Task.checkCancellation()
        }
        return count
    }

    /// Takes up one job, if one waits, and returns at its end, whatever that is.
    public func runOne() async throws -> Bool {
        for tenant in try await tenants() {
            let claim = try await queue.claim(kinds: Set(handlers.keys), owner: owner, tenant: tenant)
            if let claim {
                try await work(claim)
                return true
            }
        }
        return false
    }

    // MARK: Private

    private func serve() async throws {
        while true {
            try Task.checkCancellation()
            do {
                if try await runOne() { continue }
            } catch {
                try Task.checkCancellation()
                logger.warning("jobs could not be taken up", metadata: ["error": "\(error)"])
            }
            try await sleep(pollInterval)
        }
    }

    private func work(_ claim: JobClaim) async throws {
        guard let handler = handlers[claim.job.kind] else { return }
        var logger = logger
        logger[metadataKey: "job"] = .string(claim.job.id.description)
        do {
            try await withHeartbeat(claim) { try await handler.run(claim.job, JobControl(queue: queue, claim: claim)) }
            try await queue.finish(claim)
            logger.debug("job done")
        } catch let error as JobError where [.cancelled, .leaseLost, .notFound].contains(error.code) {
            logger.notice("job is no longer this worker's", metadata: ["reason": "\(error.code)"])
        } catch {
            if Task.isCancelled {
                await giveBack(claim, logger)
                throw CancellationError()
            }
            try await note(error, of: claim, logger)
        }
    }

    /// Runs `body`, renewing the lease beside it; a lease that is lost cancels `body`, and comes out as the error.
    private func withHeartbeat(_ claim: JobClaim, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let (queue, sleep, interval) = (queue, sleep, queue.timing.lease / 3)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                while true {
                    try await sleep(interval)
                    do {
                        try await queue.renew(claim)
                    } catch let error as JobError {
                        throw error
                    } catch {
                        // The database is not there for a moment: the next beat may reach it, or the lease runs out.
                        try Task.checkCancellation()
                    }
                }
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    private func note(_ error: any Error, of claim: JobClaim, _ logger: Logger) async throws {
        let failure = error as? any Failure
        logger.warning("job failed", metadata: ["error": "\(error)", "detail": "\(failure?.detail ?? "")"])
        do {
            try await queue.fail(
                claim,
                message: failure.map { shown($0) } ?? "Something went wrong; the log has it under the job's id.",
                isPermanent: failure?.kind.isPermanent ?? false
            )
        } catch let error as JobError where [.cancelled, .leaseLost, .notFound].contains(error.code) {
            // Whoever has it now decides.
            logger.notice("job is no longer this worker's", metadata: ["reason": "\(error.code)"])
        }
    }

    private func shown(_ failure: any Failure) -> String { String(failure.description.prefix(500)) }

    /// In a task of its own, because this one is cancelled and its transactions are rolled back. It is waited for, so it
    /// outlives nothing.
    private func giveBack(_ claim: JobClaim, _ logger: Logger) async {
        await Task { [queue] in
            do {
                try await queue.giveBack(claim)
            } catch {
                // Then the lease runs out.
                logger.debug("job could not be given back", metadata: ["error": "\(error)"])
            }
        }.value
    }
}
