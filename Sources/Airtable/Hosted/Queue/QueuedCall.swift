import Outbound

/// A call as the queue sees it: whose, how urgent, and what it may not overtake.
struct QueuedCall: Sendable {
    /// Rises with arrival.
    let id: UInt64
    let caller: String
    var lane: HostedLane
    let token: OutboundSecret
    /// Calls with the same key may go out as one; nil for what goes alone.
    let merge: MergeKey?
    /// Records it carries.
    let weight: Int
    /// Records it writes. Of two calls that share one, the later waits until the earlier is over.
    let keys: [String]
    /// Times it went out and failed for reasons that pass.
    var attempts = 0
    /// It rests until then after a failure.
    var notBefore: ContinuousClock.Instant?
    /// Calls with the same number go out together and with no other: halves of a refused batch.
    var bundle: UInt64?

    struct MergeKey: Sendable, Hashable {
        let token: OutboundSecret
        let table: String
        let operation: String
    }
}

/// Calls that go out as one request.
struct CallGroup: Sendable {
    var calls: [QueuedCall]
    let line: String
    let admission: CircuitState.Admission
}

/// What becomes of a group after its request.
enum GroupFate: Sendable {
    /// Every call of it is over, well or not.
    case over
    /// The service's limit: the whole line rests.
    case limited(until: ContinuousClock.Instant)
    /// All wait until then, and are tried again.
    case again(at: ContinuousClock.Instant)
    /// Both halves are tried on their own.
    case split
}
