import Access
import ConformanceFixtures
import Domain
public import MCP

/// What a conformance suite of MCP finds instead of the product's tools, resources and prompts. Never beside real data.
public struct FixtureMode: Sendable {
    private let isOpen: Bool

    /// - Parameter isOpen: whether MCP asks for no key, as suites without authorization expect.
    public init(isOpen: Bool) { self.isOpen = isOpen }

    /// As the server of a data directory that was made for this.
    func offer(_ services: Services) -> MCPOffer { Self.offer(services.access.stateSealer) }

    /// Without a data directory, on stdin and stdout.
    public static func offer() -> MCPOffer { offer(MemoryStateSealer()) }

    func guest(_ services: Services) -> (@Sendable () async throws -> RequestContext)? {
        guard isOpen else { return nil }
        return {
            try await services.ownerContext(
                .mcpHTTP,
                timeout: .seconds(Limits.mcpWorkSeconds + Limits.mcpAnswerSeconds)
            )
        }
    }

    private static func offer(_ sealer: any StateSealer) -> MCPOffer {
        let fixtures = Fixtures()
        return MCPOffer(
            tools: fixtures.tools,
            resources: fixtures.resources,
            prompts: fixtures.prompts,
            watcher: fixtures.watcher,
            sealer: sealer
        )
    }
}
