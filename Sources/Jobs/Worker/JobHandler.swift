import Domain

/// What does the jobs of one kind.
///
/// A job may be taken up again after any end of its handler, so a handler goes on from what is stored, and does
/// nothing twice that may not be done twice.
public protocol JobHandler: Sendable {
    /// Whose jobs these are, such as `embedding`.
    var kind: String { get }

    /// Does the job, and returns when it is done.
    ///
    /// Its task is cancelled when the job is cancelled, when another worker has taken it over, and when the process
    /// shuts down.
    ///
    /// - Throws: a `Failure` of a kind that passes (`busy`, `timedOut`, `internal`, …) is tried again, any other is
    ///   the job's end.
    func run(_ job: Job, _ control: JobControl) async throws
}

/// What a handler holds in hand while it works.
public struct JobControl: Sendable {
    let queue: JobQueue
    let claim: JobClaim

    /// Notes how far the job is.
    ///
    /// - Throws: `JobError` when the job is no longer this worker's.
    public func report(_ progress: JobProgress) async throws { try await queue.report(progress, of: claim) }
}

extension FailureKind {
    /// Whether the same call would fail in the same way again.
    var isPermanent: Bool {
        switch self {
        case .invalid, .unauthenticated, .forbidden, .notFound, .tooLarge, .notConfigured, .corrupt: true
        case .conflict, .busy, .timedOut, .cancelled, .internal: false
        }
    }
}
