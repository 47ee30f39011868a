import Database
import Domain
import TestSupport
import Testing

@testable import Jobs

@Suite("Job queue")
struct JobQueueTests {
    @Test("a job waits, is taken up once, tells its progress and is done", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let queued = try await world.enqueue()
            #expect(queued.state == .queued && queued.attempts == 0 && queued.payload == ["what": "this"])
            let claim = try #require(try await world.claim())
            #expect(claim.job.id == queued.id)
            #expect(try await world.claim("b") == nil, "taken up twice")
            try await world.queue.report(
                JobProgress(done: 3, total: 10, details: ["tokens": 7]),
                of: claim
            )
            world.pass(.seconds(5))
            try await world.queue.finish(claim)
            let done = try await world.job(queued.id)
            #expect(done.state == .succeeded)
            #expect(done.progress == JobProgress(done: 3, total: 10, details: ["tokens": 7]))
            #expect(done.startedTime == queued.createdTime)
            #expect(done.finishedTime == world.clock.value)
            #expect(try await world.claim() == nil, "done jobs are done")
        }
    }

    @Test("jobs are taken up in the order they came, those of other kinds are left", arguments: DatabaseKind.allCases)
    func order(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            var ids: [JobID] = []
            for name in ["work", "other", "work", "work"] {
                let job = try await world.enqueue(name)
                if name == "work" { ids.append(job.id) }
                world.pass(.milliseconds(1))
            }
            var taken: [JobID] = []
            while let claim = try await world.claim() { taken.append(claim.job.id) }
            #expect(taken == ids)
            let other = try await world.queue.claim(kinds: ["other"], owner: "a", tenant: world.tenant)
            #expect(other != nil)
        }
    }

    @Test(
        "the jobs of a worker that is known to be dead are taken up at once, those of others are not",
        arguments: DatabaseKind.allCases
    )
    func release(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let lost = try await world.enqueue()
            world.pass(.milliseconds(1))
            let kept = try await world.enqueue()
            let dead = try #require(try await world.claim("dead"))
            let alive = try #require(try await world.claim("alive"))
            #expect(dead.job.id == lost.id && alive.job.id == kept.id)
            #expect(try await world.claim("next") == nil)
            #expect(try await world.queue.release(owner: "nobody", tenant: world.tenant) == 0)
            #expect(try await world.queue.release(owner: "dead", tenant: .random()) == 0)
            #expect(try await world.queue.release(owner: "dead", tenant: world.tenant) == 1)
            #expect(try await world.claim("next")?.job.id == lost.id)
            #expect(try await world.claim("next") == nil)
            await #expect(throws: JobError(.leaseLost, "")) { try await world.queue.finish(dead) }
            try await world.queue.finish(alive)
        }
    }

    @Test("a silent worker loses its job to another, and can say nothing more of it", arguments: DatabaseKind.allCases)
    func takeOver(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue()
            let first = try #require(try await world.claim("first"))
            world.pass(.seconds(15))
            try await world.queue.renew(first)
            world.pass(.seconds(19))
            #expect(try await world.claim("second") == nil, "the lease was renewed")
            world.pass(.seconds(1))
            let second = try #require(try await world.claim("second"))
            #expect(second.job.id == job.id && second.fence > first.fence)
            await #expect(throws: JobError.leaseLost) { try await world.queue.renew(first) }
            await #expect(throws: JobError.leaseLost) {
                try await world.queue.report(JobProgress(done: 99, total: 99), of: first)
            }
            await #expect(throws: JobError.leaseLost) { try await world.queue.finish(first) }
            await #expect(throws: JobError.leaseLost) { try await world.queue.giveBack(first) }
            await #expect(throws: JobError.leaseLost) {
                try await world.queue.fail(first, message: "no", isPermanent: true)
            }
            #expect(try await world.job(job.id).progress.done == 0)
            try await world.queue.finish(second)
            #expect(try await world.job(job.id).state == .succeeded)
        }
    }

    @Test("a lease that ran out with nobody taking over is still good", arguments: DatabaseKind.allCases)
    func lateRenewal(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            try await world.enqueue()
            let claim = try #require(try await world.claim())
            world.pass(.seconds(100))
            try await world.queue.renew(claim)
            #expect(try await world.claim("b") == nil)
        }
    }

    @Test(
        "progress never goes back, and its details are those of the furthest report",
        arguments: DatabaseKind.allCases
    )
    func progress(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue()
            let claim = try #require(try await world.claim())
            let reports: [(Int64, Int64, JSONObject)] = [
                (5, 10, ["n": 5]), (3, 4, ["n": 3]), (5, 20, ["n": 6]), (7, 0, ["n": 7]),
            ]
            var seen: [JobProgress] = []
            for (done, total, details) in reports {
                try await world.queue.report(JobProgress(done: done, total: total, details: details), of: claim)
                seen.append(try await world.job(job.id).progress)
            }
            #expect(seen.map(\.done) == [5, 5, 5, 7])
            #expect(seen.map(\.total) == [10, 10, 20, 20])
            #expect(seen.map(\.details) == [["n": 5], ["n": 5], ["n": 6], ["n": 7]])
        }
    }

    @Test("failures rest ever longer, and the last one is for good", arguments: DatabaseKind.allCases)
    func attempts(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue(attemptsMax: 3)
            var rests: [Int64] = []
            for attempt in 1...3 {
                let claim = try #require(try await world.claim())
                #expect(claim.job.attempts == attempt)
                try await world.queue.fail(claim, message: "not now", isPermanent: false)
                let state = try await world.job(job.id)
                guard state.state == .queued else { break }
                #expect(state.message == "not now")
                #expect(try await world.claim() == nil, "it rests")
                rests.append(state.due.microseconds - world.clock.value.microseconds)
                world.pass(.seconds(60))
            }
            #expect(rests.count == 2 && rests[1] > rests[0])
            let end = try await world.job(job.id)
            #expect(end.state == .failed && end.message == "not now" && end.finishedTime == world.clock.value)
        }
    }

    @Test("getting on makes up for failures before", arguments: DatabaseKind.allCases)
    func attemptsAndProgress(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue(attemptsMax: 2)
            for step in 1...6 {
                let claim = try #require(try await world.claim(), "step \(step)")
                try await world.queue.report(JobProgress(done: Int64(step), total: 9), of: claim)
                try await world.queue.fail(claim, message: "again", isPermanent: false)
                world.pass(.seconds(60))
            }
            #expect(try await world.job(job.id).state == .queued)
        }
    }

    @Test("what would fail again fails at once, and a given rest is kept", arguments: DatabaseKind.allCases)
    func permanence(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let hopeless = try await world.enqueue(attemptsMax: 9)
            let claim = try #require(try await world.claim())
            try await world.queue.fail(claim, message: "never", isPermanent: true)
            #expect(try await world.job(hopeless.id).state == .failed)
            let patient = try await world.enqueue(attemptsMax: 9)
            let second = try #require(try await world.claim())
            try await world.queue.fail(second, message: "quota", isPermanent: false, rest: .seconds(500))
            let due = try await world.job(patient.id).due
            #expect(due.microseconds - world.clock.value.microseconds == 500_000_000)
        }
    }

    @Test("a job that ends its workers again and again is given up", arguments: DatabaseKind.allCases)
    func deadlyJob(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue(attemptsMax: 3)
            for _ in 1...3 {
                #expect(try await world.claim() != nil)
                world.pass(.seconds(21))
            }
            #expect(try await world.claim() == nil)
            let end = try await world.job(job.id)
            #expect(end.state == .failed && end.message?.isEmpty == false)
        }
    }

    @Test("cancelling ends a job in any state, once, and tells whoever works on it", arguments: DatabaseKind.allCases)
    func cancelling(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let waiting = try await world.enqueue()
            #expect(try await world.queue.cancel(waiting.id, tenant: world.tenant).state == .cancelled)
            #expect(try await world.claim() == nil)
            let running = try await world.enqueue()
            let claim = try #require(try await world.claim())
            #expect(try await world.queue.cancel(running.id, tenant: world.tenant).state == .cancelled)
            await #expect(throws: JobError.cancelled) { try await world.queue.renew(claim) }
            await #expect(throws: JobError.cancelled) { try await world.queue.finish(claim) }
            let done = try await world.enqueue()
            try await world.queue.finish(try #require(try await world.claim()))
            #expect(try await world.queue.cancel(done.id, tenant: world.tenant).state == .succeeded)
        }
    }

    @Test("another tenant's jobs are not there", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let job = try await world.enqueue()
            let stranger = TenantID.random()
            await #expect(throws: JobError.notFound) { try await world.queue.job(job.id, tenant: stranger) }
            await #expect(throws: JobError.notFound) { try await world.queue.cancel(job.id, tenant: stranger) }
            #expect(try await world.queue.jobs(kind: "work", tenant: stranger).jobs.isEmpty)
            #expect(try await world.queue.claim(kinds: ["work"], owner: "a", tenant: stranger) == nil)
            #expect(try await world.queue.removeFinished(olderThan: .zero, tenant: stranger) == 0)
            #expect(try await world.job(job.id).state == .queued)
        }
    }

    @Test("pages hold every job once, newest first, also those of one moment", arguments: DatabaseKind.allCases)
    func pages(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            var made: [Job] = []
            for number in 0..<23 {
                made.append(try await world.enqueue())
                if number % 3 == 0 { world.pass(.milliseconds(1)) }
            }
            var seen: [Job] = []
            var cursor: JobCursor?
            repeat {
                let page = try await world.queue.jobs(kind: "work", after: cursor, limit: 5, tenant: world.tenant)
                seen += page.jobs
                // As a client gives it back.
                cursor = page.next.flatMap { JobCursor($0.description) }
            } while cursor != nil
            let expected = made.sorted { ($0.createdTime, $0.id) > ($1.createdTime, $1.id) }
            #expect(seen.map(\.id) == expected.map(\.id))
            for text in ["", "-", "zz", "1-jobX", "-1-\(made[0].id)", "1-\(made[0].id)-2"] {
                #expect(JobCursor(text) == nil, "\(text)")
            }
        }
    }

    @Test("finished jobs go after a while, others stay", arguments: DatabaseKind.allCases)
    func retention(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            let old = try await world.enqueue()
            try await world.queue.finish(try #require(try await world.claim()))
            let waiting = try await world.enqueue()
            world.pass(.seconds(100))
            let recent = try await world.enqueue()
            try await world.queue.cancel(recent.id, tenant: world.tenant)
            #expect(try await world.queue.removeFinished(olderThan: .seconds(50), tenant: world.tenant) == 1)
            await #expect(throws: JobError.notFound) { try await world.job(old.id) }
            #expect(try await world.job(waiting.id).state == .queued)
            #expect(try await world.job(recent.id).state == .cancelled)
        }
    }

    @Test("of many workers at once each job has one", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withJobs(kind) { world in
            var ids: Set<JobID> = []
            for _ in 0..<40 { ids.insert(try await world.enqueue().id) }
            let taken = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var mine: [JobID] = []
                        while let claim = try await world.claim("worker \(worker)") { mine.append(claim.job.id) }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 40, "some were passed over, or taken twice")
            #expect(Set(taken) == ids)
        }
    }

    @Test("rests grow to a bound and lie between half the first and the whole")
    func backoff() {
        let timing = JobTiming(lease: .seconds(20), backoff: .seconds(2), backoffMax: .seconds(60))
        for attempts in 0...40 {
            for share in [0, 0.3, 0.999_999] {
                let rest = timing.rest(afterAttempts: attempts, share: share)
                #expect(rest >= .seconds(1) && rest <= .seconds(60), "\(attempts) \(share) \(rest)")
            }
        }
        #expect(timing.rest(afterAttempts: 3, share: 0.999_999) > .seconds(7))
    }
}
