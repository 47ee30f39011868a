public import Domain

/// What a server offers its clients: the providers behind the protocol.
public struct MCPOffer: Sendable {
    public var tools: any ToolProvider
    public var resources: (any ResourceProvider)?
    public var prompts: (any PromptProvider)?
    /// Tells of changes; nil when clients are told of none.
    public var watcher: (any OfferWatcher)?
    /// Seals what clients of 2026-07-28 bring back with their answers.
    public var sealer: any StateSealer

    public init(
        tools: any ToolProvider,
        resources: (any ResourceProvider)? = nil,
        prompts: (any PromptProvider)? = nil,
        watcher: (any OfferWatcher)? = nil,
        sealer: any StateSealer
    ) {
        self.tools = tools
        self.resources = resources
        self.prompts = prompts
        self.watcher = watcher
        self.sealer = sealer
    }
}
