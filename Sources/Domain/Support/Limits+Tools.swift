extension Limits {
    /// A tool's name: what the strictest clients take.
    public static let toolNameBytes = 64
    /// Conditions of one filter: more is a formula's work.
    public static let filterConditions = 20
    /// Tokens that records in one answer of a tool may take unless the caller says: a sixteenth of a small model's window.
    public static let toolTokens = 8_000
    /// The least: one short record and its place.
    public static let toolTokensMin = 200
    /// The most: what clients cut tool results at, of those that say.
    public static let toolTokensMax = 25_000
    /// Scalars of one cell beside others in a tool's answer; get_record has it whole.
    public static let toolCellCharacters = 1_000
    /// Tables in one answer: with their fields' names some 4,000 tokens.
    public static let tablesShown = 50
    /// Fields named of each table where several are listed.
    public static let fieldNamesShown = 40
    /// Fields ranked by a question in one answer, where a table has more.
    public static let rankedFields = 40
    /// Changes and comments in one answer of a tool unless the caller says.
    public static let toolEntries = 20
}
