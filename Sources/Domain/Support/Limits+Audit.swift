extension Limits {
    /// Audit: characters of one member of an entry; identifiers and words of ours have fewer.
    public static let auditCharacters = 200
    /// Audit: events that wait to be written, and different refusals that are counted: a few MB.
    public static let auditWaiting = 4_096
    /// Audit: how long an event waits for others that are written together with it. A commit costs a sync of the disk, and a
    /// busy client makes thousands of calls a second.
    public static let auditGatherMilliseconds = 100
    /// Audit: entries written or read at once.
    public static let auditBatch = 500
    /// Audit: entries of one page.
    public static let auditPage = 200
}
