/// Bounds of `mcp --url`, which hands messages of a client on to a server.
extension Limits {
    /// Requests of one client under way at once: what a server takes of one session. More are refused, so that a cancellation
    /// still gets through.
    public static let bridgeRequests = 128
    /// Lines read ahead of the one that is handled.
    public static let bridgeLines = 16
    /// Bytes of one answer: above all that a server of ours says.
    public static let bridgeReplyBytes = 32 * 1_024 * 1_024
    /// Bytes of a whole stream of events, each of which has its own bound: it may go on for weeks.
    public static let bridgeStreamBytes = 1 << 50
    /// Pages of a list of tools that are read for the headers that a call needs.
    public static let bridgeToolPages = 20
    /// Streams that are taken up again, one after another, without anything new on them.
    public static let bridgeResumptions = 10
    /// A server that wants a stream to be taken up later than this is asked sooner: people wait for answers.
    public static let bridgePauseSeconds = 60
}

extension Limits {
    /// Mirrors that are remembered to be whole: some 100 bytes each.
    public static let wholeMirrors = 10_000
}
