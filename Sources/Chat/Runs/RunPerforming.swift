public import Domain
public import LLM

/// What chat needs of whoever makes a model answer: the orchestrator, or a script in tests.
public protocol RunPerforming: Sendable {
    /// The models to be tried, the preferred one first; empty when the answer is to be extracted, without a model.
    ///
    /// - Throws: `ModelError` `notConfigured`, or `modelNotFound` for a name that means nothing.
    func models(for name: String?) throws -> [any LanguageModel]

    /// Instructions for the model, and the name of their version.
    var prompt: (version: String, text: String) { get }

    /// Answers. Ends within a second when its task is cancelled, with reason `cancelled`.
    ///
    /// - Parameter onEvent: called in order, awaited.
    func perform(
        _ work: RunWork,
        context: RequestContext,
        onEvent: @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd

    /// Forgets what was recorded of runs that are no more.
    func forget(_ runs: [RunID], tenant: TenantID) async throws
}

/// What one run is made from.
public struct RunWork: Sendable {
    public var id: RunID
    public var models: [any LanguageModel]
    public var system: String
    /// Ends with the question.
    public var messages: [ModelMessage]
    public var settings: ChatSettings
    /// Fenced the records in `messages`.
    public var data: UntrustedText

    public init(
        id: RunID,
        models: [any LanguageModel],
        system: String,
        messages: [ModelMessage],
        settings: ChatSettings,
        data: UntrustedText
    ) {
        self.id = id
        self.models = models
        self.system = system
        self.messages = messages
        self.settings = settings
        self.data = data
    }
}
