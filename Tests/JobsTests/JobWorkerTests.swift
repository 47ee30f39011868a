import Database
import Domain
import TestSupport
import Testing

@testable import Jobs

@Suite("Job worker")
struct JobWorkerTests {
    /// A failure of a given kind.
    struct Trouble: Failure {
        enum Code: String, Sendable { case trouble }
        let kind: FailureKind
        var code: Code { .trouble }
        var message: String { "trouble of kind \(kind)" }
    }

    /// Runs `body` beside a worker, which is then cancelled and waited for.
    private func beside(_ worker: JobWorker, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await body()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result { #expect(error is CancellationError) }
            }
        }
    }

    @Test("does what waits and what comes later", arguments: DatabaseKind.allCases)
    func works(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let seen = Guarded<[JobID]>([])
            let first = try await world.enqueue()
            let worker = world.worker(
                Handling { job, control in
                    try await control.report(JobProgress(done: 1, total: 1))
                    seen.update { $0.append(job.id) }
                }
            )
            try await beside(worker) {
                try await eventually { try await world.job(first.id).state == .succeeded }
                let second = try await world.enqueue()
                try await eventually { try await world.job(second.id).state == .succeeded }
                #expect(seen.value == [first.id, second.id])
            }
        }
    }

    @Test("never more at once than allowed, and as many as allowed")
    func concurrency() async throws {
        try await withJobs(.sqlite) { world in
            for _ in 0..<6 { try await world.enqueue() }
            let counts = Guarded((now: 0, most: 0))
            let worker = world.worker(
                Handling { _, _ in
                    counts.update {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    // Both places are taken before one is given up: otherwise this never returns.
                    try await eventually { counts.value.most == Limits.jobsAtOnce }
                    counts.update { $0.now -= 1 }
                }
            )
            try await beside(worker) {
                try await eventually {
                    try await world.queue.jobs(kind: "work", tenant: world.tenant).jobs
                        .allSatisfy { $0.state == .succeeded }
                }
                #expect(counts.value.most == Limits.jobsAtOnce)
            }
        }
    }

    @Test(
        "what passes is tried again, what does not is the end",
        arguments: [
            (FailureKind.busy, JobState.queued), (.timedOut, .queued), (.internal, .queued), (.invalid, .failed),
            (.notFound, .failed), (.notConfigured, .failed), (.forbidden, .failed),
        ]
    )
    func failures(_ kind: FailureKind, _ expected: JobState) async throws {
        try await withJobs(.sqlite) { world in
            let job = try await world.enqueue()
            #expect(try await world.worker(Handling { _, _ in throw Trouble(kind: kind) }).runOne())
            let state = try await world.job(job.id)
            #expect(state.state == expected)
            #expect(state.message == "trouble of kind \(kind)")
        }
    }

    @Test("an error of no kind is tried again, and its words are shown to nobody")
    func foreignError() async throws {
        struct Secret: Error { let text = "hunter2" }
        try await withJobs(.sqlite) { world in
            let job = try await world.enqueue()
            _ = try await world.worker(Handling { _, _ in throw Secret() }).runOne()
            let state = try await world.job(job.id)
            #expect(state.state == .queued)
            #expect(state.message?.contains("hunter2") == false)
        }
    }

    @Test("a cancelled job's handler is ended by the next heartbeat", arguments: DatabaseKind.allCases)
    func cancelled(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue()
            let (isRunning, wasCancelled) = (Guarded(false), Guarded(false))
            let worker = world.worker(
                Handling { _, _ in
                    isRunning.value = true
                    do { try await Task.sleep(for: .seconds(600)) } catch { wasCancelled.value = true }
                },
                sleep: { _ in try await Task.sleep(for: .milliseconds(2)) }
            )
            try await beside(worker) {
                try await eventually { isRunning.value }
                try await world.queue.cancel(job.id, tenant: world.tenant)
                try await eventually { wasCancelled.value }
                #expect(try await world.job(job.id).state == .cancelled)
            }
        }
    }

    @Test("shutting down gives a job back at once, as if it had not been tried", arguments: DatabaseKind.allCases)
    func shutdown(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue()
            let isRunning = Guarded(false)
            let worker = world.worker(
                Handling { _, _ in
                    isRunning.value = true
                    try await Task.sleep(for: .seconds(600))
                }
            )
            try await beside(worker) { try await eventually { isRunning.value } }
            let state = try await world.job(job.id)
            #expect(state.state == .queued && state.attempts == 0)
            #expect(try await world.claim() != nil, "somebody else may go on at once")
        }
    }

    @Test("heartbeats keep a long job from being taken over", arguments: DatabaseKind.allCases)
    func heartbeat(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            try await world.enqueue()
            let beats = Guarded(0)
            let worker = world.worker(
                Handling { _, _ in try await eventually { beats.value > 5 } },
                // Each beat is seven seconds later: six of them are two leases.
                sleep: { duration in
                    #expect(duration < .seconds(20))
                    world.pass(.seconds(7))
                    beats.update { $0 += 1 }
                    try await Task.sleep(for: .milliseconds(20))
                    #expect(try await world.claim("thief") == nil)
                }
            )
            #expect(try await worker.runOne())
        }
    }

    @Test(
        "workers that end anywhere finish every job between them, progress only rising",
        arguments: DatabaseKind.allCases
    )
    func suddenEnds(_ kind: DatabaseKind) async throws {
        struct SuddenEnd: Error {}
        for seed in UInt64(1)...(kind == .sqlite ? 10 : 3) {
            try await withJobs(kind) { world in
                var generator = SeededGenerator(seed: seed)
                let job = try await world.enqueue(attemptsMax: 3)
                // What the job brings about: each step at most once more than stored progress says.
                var steps = [Int](repeating: 0, count: 40)
                var highest: Int64 = 0
                for _ in 0..<200 {
                    guard let claim = try await world.claim() else {
                        if try await world.job(job.id).state == .succeeded { break }
                        world.pass(.seconds(21))
                        continue
                    }
                    let end = Int.random(in: 1...12, using: &generator)
                    var position = Int(claim.job.progress.done)
                    #expect(Int64(position) >= highest, "seed \(seed)")
                    for _ in 0..<end where position < steps.count {
                        steps[position] += 1
                        if Int.random(in: 0..<12, using: &generator) == 0 { break }
                        position += 1
                        try await world.queue.report(JobProgress(done: Int64(position), total: 40), of: claim)
                        highest = Int64(position)
                    }
                    if position == steps.count { try await world.queue.finish(claim) }
                }
                #expect(try await world.job(job.id).state == .succeeded, "seed \(seed)")
                #expect(steps.allSatisfy { $0 >= 1 }, "seed \(seed)")
            }
        }
    }
}
