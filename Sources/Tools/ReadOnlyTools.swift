public import Domain

/// The tools that change nothing, of those that another provider offers: for who must not write, whatever is asked of them.
public struct ReadOnlyTools: ToolProvider {
    private let tools: any ToolProvider

    public init(_ tools: any ToolProvider) { self.tools = tools }

    public func tools(context: RequestContext) async throws -> [ToolDefinition] {
        try await tools.tools(context: context).filter(\.annotations.readOnlyHint)
    }

    public func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        guard try await tools(context: context).contains(where: { $0.name == call.name }) else {
            throw ToolProviderError.unknownTool(call.name)
        }
        return try await tools.call(call, caller: caller, context: context)
    }
}
