/// Bounds of writes that are proposed first, and of what programs may write at once.
extension Limits {
    /// Records of one proposed write, which is one transaction: about a second of the write lock, and one undo takes it back.
    public static let proposedRecords = 10_000
    /// How long a proposed change can be accepted: a person has read it by then, and the world has not moved on far.
    public static let proposalSeconds: Int64 = 600
    /// Records that may be written without asking anybody: a person's own batch in Airtable's API.
    public static let unaskedRecords = 10
    /// Records, and characters of one value, that a question to a person shows.
    public static let confirmedRecords = 10
    public static let confirmedValueCharacters = 80
    /// Records that an answer tells one by one; the change log has all.
    public static let reportedRecords = 1_000
    /// Changed records that a dry run shows.
    public static let proposedRecordsShown = 20
    /// Proposals that one process handed out and would take back; the oldest makes room.
    public static let handedProposals = 1_024
    /// Times that a change is proposed anew in one call because the records changed while somebody was asked.
    public static let proposalRounds = 5
    /// How long somebody who was shown text that names writing tools is asked about small changes too; and how many such callers one
    /// process remembers, some 100 bytes each.
    public static let shownOrderSeconds: Int64 = 86_400
    public static let shownOrders = 4_096
    /// Bytes of text that `import_data` takes in one call: the message it comes in may be 4 MiB.
    public static let inlineImportBytes = 2 * 1_024 * 1_024
}
