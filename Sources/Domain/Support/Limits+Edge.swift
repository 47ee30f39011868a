/// Bounds of the HTTP edge.
extension Limits {
    /// HTTP: path and query together. Beyond it proxies give up as well.
    public static let uriBytes = 8 * 1_024
    /// HTTP: the same under `/v0`. Airtable's clients put up to 16,000 characters there before they switch to a body, and
    /// a server in front of ours may lengthen the path.
    public static let airtableURIBytes = 17_000
    /// HTTP: all header fields of a request together, and their number.
    public static let headerBytes = 16 * 1_024
    public static let headerFields = 100
    /// HTTP: bytes of requests that wait on a connection for the answer to the one before; more stay with the client.
    public static let pipelinedBytes = 64 * 1_024
    /// HTTP: the extension of one chunk, and all extensions and trailers of one body: read and dropped, and nobody has
    /// a use for long ones.
    public static let chunkExtensionBytes = 256
    public static let trailerBytes = 4 * 1_024
    /// HTTP: callers, tenants and addresses whose requests are counted at once, some 100 bytes each. Full buckets are
    /// forgotten, so it takes as many that came within the last minute to fill it.
    public static let countedCallers = 100_000
    /// HTTP: bytes of an answer that is kept for who sends its request again, and such answers of one tenant in a day.
    public static let keptReplyBytes = 256 * 1_024
    public static let keptReplies = 100_000
    /// HTTP: addresses that one `X-Forwarded-For` may name and be looked at: no honest chain is longer.
    public static let forwardedAddresses = 32
}
