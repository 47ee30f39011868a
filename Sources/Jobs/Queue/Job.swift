public import Domain

/// Where a job is in its life. The last three are for ever.
public enum JobState: String, Sendable, Hashable, CaseIterable {
    /// Waits for a worker, perhaps until `Job.due`.
    case queued
    /// A worker holds it, or held it until its lease ran out.
    case running
    case succeeded
    case failed
    case cancelled

    public var isTerminal: Bool {
        switch self {
        case .queued, .running: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

/// How far a job is. `done` never goes back in the store, whatever is reported.
public struct JobProgress: Sendable, Hashable {
    public var done: Int64
    /// Never below `done`; 0 while unknown.
    public var total: Int64
    /// What the kind of job tells beside: counts, names. No secrets, no cell contents.
    public var details: JSONObject

    public init(done: Int64 = 0, total: Int64 = 0, details: JSONObject = JSONObject()) {
        self.done = done
        self.total = total
        self.details = details
    }
}

/// A piece of work that outlives processes: one durable row.
public struct Job: Sendable, Hashable {
    public let id: JobID
    public let tenant: TenantID
    /// Which handler runs it, such as `embedding`.
    public let kind: String
    /// What is to be done, in the handler's own words.
    public let payload: JSONObject
    /// Who asked for it; nil for the server itself.
    public let creator: UserID?
    public let state: JobState
    public let progress: JobProgress
    /// Times a worker took it up since it last made progress.
    public let attempts: Int
    public let attemptsMax: Int
    /// Not before this moment is it taken up.
    public let due: Instant
    public let createdTime: Instant
    /// When a worker first took it up.
    public let startedTime: Instant?
    public let finishedTime: Instant?
    /// Why it failed, or failed last; safe to show.
    public let message: String?
}

/// A job to be queued.
public struct JobDraft: Sendable, Hashable {
    public var kind: String
    public var payload: JSONObject
    public var creator: UserID?
    /// Times it is taken up without getting on before it has failed for good.
    public var attemptsMax: Int

    public init(
        kind: String,
        payload: JSONObject,
        creator: UserID? = nil,
        attemptsMax: Int = Limits.jobAttempts
    ) {
        self.kind = kind
        self.payload = payload
        self.creator = creator
        self.attemptsMax = attemptsMax
    }
}

/// The right to work on a job until its lease runs out, and the proof of it.
///
/// `fence` rises each time the job is taken up, so whoever lost a job can change nothing of it any more, however late
/// they come back.
public struct JobClaim: Sendable, Hashable {
    public let job: Job
    public let owner: String
    public let fence: Int64
}

/// A part of a tenant's jobs, newest first.
public struct JobPage: Sendable, Hashable {
    public let jobs: [Job]
    /// Where the next page begins; nil on the last one.
    public let next: JobCursor?
}

/// A place in the list of jobs: after the one made at that moment with that identifier.
public struct JobCursor: Sendable, Hashable, LosslessStringConvertible {
    let createdTime: Instant
    let id: JobID

    package init(_ job: Job) {
        createdTime = job.createdTime
        id = job.id
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0], radix: 36), microseconds >= 0,
            let id = JobID(String(parts[1]))
        else { return nil }
        createdTime = Instant(microseconds: microseconds)
        self.id = id
    }

    public var description: String { "\(String(createdTime.microseconds, radix: 36))-\(id)" }
}
