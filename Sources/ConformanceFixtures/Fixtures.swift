public import Domain

/// Tools, resources and prompts under the names that conformance suites of the Model Context Protocol ask for.
///
/// They know no data and no era of the protocol: each does what its name promises through `ToolCaller` alone.
/// Offered in place of the product's own, to whoever is let in at all, and never beside real data.
public struct Fixtures: Sendable {
    public let tools: any ToolProvider
    public let resources: any ResourceProvider
    public let prompts: any PromptProvider
    public let watcher: any OfferWatcher

    public init() { self.init { try await Task.sleep(for: $0) } }

    /// - Parameter pause: waits between the steps of tools that take their time.
    init(pause: @escaping @Sendable (Duration) async throws -> Void) {
        let stage = FixtureStage(pause: pause)
        tools = FixtureTools(stage: stage)
        resources = FixtureResources(stage: stage)
        prompts = FixturePrompts(stage: stage)
        watcher = FixtureWatcher(stage: stage)
    }
}
