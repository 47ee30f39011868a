/// How a mirrored base is kept in step. What the service does not say is decided here, each with its reason.
public struct MirrorRules: Sendable, Hashable {
    /// From one round to the next. A round without news costs one call a table, or one a base with a webhook.
    public var pollInterval = Duration.seconds(15)
    /// From one comparison of every record to the next: the only way to see deletions and computed cells without a
    /// webhook. A hundred records a call.
    public var sweepInterval = Duration.seconds(3_600)
    /// A round asks for what changed this much before the last one began: two clocks and an edit under way.
    public var pollMargin = Duration.seconds(60)
    /// After a longer pause every record is compared: the filter would find most of them anyway.
    public var pollSpanMax = Duration.seconds(86_400)
    /// Records asked for by their identifiers in one call: the formula stays below 2,000 characters.
    public var recordsPerQuestion = 50
    /// A table with no more records than this, some of whose cells are computed from other records, is compared as soon
    /// as anything in the base has changed: twenty calls.
    public var smallTableRecords = 2_000
    /// How often one pass over a table begins again, when the service has forgotten where it was.
    public var restartsMax = 3
    /// How long whoever keeps a base in step may be silent before others take over; one call may take 30 s.
    public var lease = Duration.seconds(60)
    /// How long one call may wait for its turn, storms included.
    public var patience = Duration.seconds(300)
    /// A webhook lives seven days after it was made or refreshed, and is refreshed when so much is left.
    public var webhookRest = Duration.seconds(3 * 86_400)
    /// After a webhook was refused, for want of a scope or because the base has ten, none is asked for so long.
    public var webhookPause = Duration.seconds(86_400)
    /// After rounds that failed: twice as long each time, up to this.
    public var pauseMax = Duration.seconds(300)

    public init() {}
}

/// What a round is at.
public struct MirrorProgress: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable {
        /// The records come for the first time.
        case pulling
        /// Every record is compared.
        case comparing
    }

    public let phase: Phase
    public let table: String
    /// Records read so far.
    public let records: Int
}
