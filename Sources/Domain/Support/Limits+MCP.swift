extension Limits {
    /// Values of one completion, as MCP has it.
    public static let mcpCompletions = 100
    /// Entries of a page of resources, templates or prompts: small ones, of which a client shows all.
    public static let mcpListPage = 200
    /// Seconds that one request of MCP may work, questions not counted: a write of thousands of records takes some.
    public static let mcpWorkSeconds = 120
    /// Seconds that a client may take to answer a question: people read before they say yes.
    public static let mcpAnswerSeconds = 600
    /// Seconds after which a request without an answer is answered by a stream, so that nobody on the way gives up.
    public static let mcpStreamAfterSeconds = 10
    /// Seconds that what a client is to bring back with its answers is good for.
    public static let mcpStateSeconds = 600
    /// Addresses that one client may watch at a time.
    public static let mcpWatchedResources = 1_000
    /// Streams of `subscriptions/listen` on one connection of stdio.
    public static let mcpListenStreams = 16
    /// Messages of a stream that wait for its reader; one that has more waiting is ended.
    public static let mcpStreamMessages = 4_096
    /// Ended streams of one session whose messages are kept for a client that comes back.
    public static let mcpKeptStreams = 16
    /// Bytes of messages that one session keeps for a client that comes back.
    public static let mcpKeptStreamBytes = 256 << 10
    /// Milliseconds that a client whose stream was let go should wait before it comes back.
    public static let mcpRetryMilliseconds = 500
    /// Reports of progress of one request come at most this often, in milliseconds.
    public static let mcpProgressMilliseconds = 20
}
