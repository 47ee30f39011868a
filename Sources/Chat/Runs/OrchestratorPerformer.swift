public import Domain
public import LLM

/// Has the orchestrator answer: models from the catalogue, tools with the asker's own context.
public struct OrchestratorPerformer: RunPerforming {
    private let orchestrator: Orchestrator
    private let catalog: ModelCatalog
    private let traffic: RunTrafficStore
    private let limits: RunLimits

    /// - Parameter traffic: the one that `orchestrator` records to.
    public init(
        orchestrator: Orchestrator,
        catalog: ModelCatalog,
        traffic: RunTrafficStore,
        limits: RunLimits = .standard
    ) {
        self.orchestrator = orchestrator
        self.catalog = catalog
        self.traffic = traffic
        self.limits = limits
    }

    public var prompt: (version: String, text: String) {
        let prompt = PromptLibrary.grounded
        return (prompt.id, prompt.text)
    }

    public func models(for name: String?) throws -> [any LanguageModel] {
        catalog.isExtractive(name) ? [] : try catalog.models(for: name)
    }

    public func perform(
        _ work: RunWork,
        context: RequestContext,
        onEvent: @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd {
        let run = OrchestratorRun(
            id: work.id,
            models: work.models,
            system: work.system,
            messages: work.messages,
            toolNames: work.settings.tools.map { Set($0) },
            settings: RunSettings(
                temperature: work.settings.temperature,
                outputTokensMax: work.settings.outputTokensMax
            ),
            limits: limits,
            data: work.data
        )
        return await orchestrator.run(run, context: context, onEvent: onEvent)
    }

    public func forget(_ runs: [RunID], tenant: TenantID) async throws {
        try await traffic.delete(runs: runs, tenant: tenant)
    }
}
