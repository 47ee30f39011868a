import Access
public import MCP
import Tools

extension SearchServices {
    /// What AI clients are offered over MCP, through every door of it. Each call is in the audit log.
    public func mcpOffer(_ services: Services) -> MCPOffer {
        MCPOffer(
            tools: audited(by: "mcp", services),
            resources: offers.resources,
            prompts: offers.prompts,
            watcher: offers.watcher,
            sealer: services.access.stateSealer
        )
    }
}
