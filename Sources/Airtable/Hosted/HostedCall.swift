public import Outbound

/// Who goes first where calls wait.
public enum HostedLane: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// Somebody waits for the answer.
    case interactive
    /// Mirrors, imports, polling.
    case bulk

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// On whose behalf, and until when, the hosted service is called.
public struct HostedCall: Sendable {
    public var token: OutboundSecret
    /// Callers take turns; a user is one, whatever they ask.
    public var caller: String
    public var lane: HostedLane
    /// When nobody waits for the answer any more. Over queueing, back-off and all attempts.
    public var deadline: ContinuousClock.Instant
    /// Whether an answer out of the cache will not do, as when a mirror looks for changes.
    public var wantsFresh: Bool

    public init(
        token: OutboundSecret,
        caller: String,
        lane: HostedLane = .interactive,
        deadline: ContinuousClock.Instant,
        wantsFresh: Bool = false
    ) {
        self.token = token
        self.caller = caller
        self.lane = lane
        self.deadline = deadline
        self.wantsFresh = wantsFresh
    }
}

/// What happens inside, for metrics. Holds no identifiers.
public enum HostedEvent: String, Sendable, Hashable, CaseIterable {
    /// A request went out.
    case sent
    /// A read took the answer of the same read that was under way.
    case joinedRead = "joined_read"
    /// A single write went out in a call with others.
    case joinedWrite = "joined_write"
    case cacheHit = "cache_hit"
    case cacheMiss = "cache_miss"
    case cacheInvalidated = "cache_invalidated"
    /// The service answered 429 all the same.
    case limited
    /// A call is tried again after a failure that passes.
    case retried
    /// A batch was refused and cut in halves.
    case split
    /// The service failed, or gave no answer.
    case failed
    /// A caller's deadline came before the answer.
    case expired
}

/// How busy the client is.
public struct HostedLoad: Sendable, Hashable {
    /// Calls that wait for their turn.
    public var waiting = 0
    /// Requests under way.
    public var running = 0
    /// How long all calls so far have waited for their turn, taken together.
    public var waited = Duration.zero
}
