public import Domain

/// Everything one run is made from.
public struct OrchestratorRun: Sendable {
    public var id: RunID
    /// The chain of fallbacks, the preferred one first; not empty.
    public var models: [any LanguageModel]
    /// Trusted instructions, such as `PromptLibrary`'s.
    public var system: String
    /// Ends with the question.
    public var messages: [ModelMessage]
    public var offersTools: Bool
    /// Of the tools that the caller may use, only these are offered; nil for all of them.
    public var toolNames: Set<String>?
    public var settings: RunSettings
    public var limits: RunLimits
    /// Fences tool results; pass the one that fenced the records in `messages`.
    public var data: UntrustedText

    public init(
        id: RunID,
        models: [any LanguageModel],
        system: String,
        messages: [ModelMessage],
        offersTools: Bool = true,
        toolNames: Set<String>? = nil,
        settings: RunSettings = RunSettings(),
        limits: RunLimits = .standard,
        data: UntrustedText = .random()
    ) {
        self.id = id
        self.models = models
        self.system = system
        self.messages = messages
        self.offersTools = offersTools
        self.toolNames = toolNames
        self.settings = settings
        self.limits = limits
        self.data = data
    }
}
