extension Limits {
    /// Audit: characters of one member of an entry; identifiers and words of ours have fewer.
    public static let auditCharacters = 200
    /// Audit: events that wait to be written, and different refusals that are counted: a few MB.
    public static let auditWaiting = 4_096
    /// Audit: entries written or read at once.
    public static let auditBatch = 500
    /// Audit: entries of one page.
    public static let auditPage = 200
}
