/// Bounds of resources, prompts, and of who is told of changes.
extension Limits {
    /// Bytes of a resource's address: two names of the longest kind, each character as four encoded bytes, and the rest.
    public static let resourceAddressBytes = 2 * nameCharacters * 12 + 256
    /// Resources in one list; what is beyond is found by the templates and their completion. Some 2 MiB of JSON.
    public static let resourcesListed = 10_000
    /// Records in one reading of a view; the answer says how to go on.
    public static let resourceViewRecords = 50
    /// Bytes of JSON in one reading of a view, unless one record alone has more: some 75,000 tokens.
    public static let resourceViewBytes = 256 * 1_024
    /// Values of one completion, which the protocol bounds as well.
    public static let completionValues = 100
    /// Records among which a completion looks: one page, at every letter that somebody types.
    public static let completionRecords = internalPageRecords
    /// Characters of what a person writes into a prompt: a paragraph.
    public static let promptTextCharacters = 4_000
    /// Resources that one program is told of: more than a person can look at, and each may be read whenever its table changes.
    public static let watchedResources = 256
    /// Records linked from a watched one that are looked after with it, since their names stand in it.
    public static let watchedLinks = 256
    /// Contents remembered between the moment somebody asks to be told and the moment they listen.
    public static let watchedContents = 4_096
    /// Entries of the change log in one look; after more at once, everything watched is looked at.
    public static let watchedChanges = 8_192
    /// Programs for which what they watch is looked at at once, so that most connections are left for who asks.
    public static let watchLooks = 4
    /// Times in a row that somebody's rights can't be asked for before nothing is told to them any more.
    public static let watchFailures = 5
}
