public import Domain

/// Tools of which only some are offered, whoever asks: a group, some names, or those that change nothing.
///
/// What is not selected is neither listed nor run: it is as unknown as a tool that does not exist.
public struct SelectedTools: ToolProvider {
    private let tools: any ToolProvider
    private let selection: ToolSelection

    public init(_ tools: any ToolProvider, selection: ToolSelection) {
        self.tools = tools
        self.selection = selection
    }

    public func tools(context: RequestContext) async throws -> [ToolDefinition] {
        try await tools.tools(context: context).filter(selection.includes)
    }

    public func definition(of name: String, context: RequestContext) async throws -> ToolDefinition? {
        let tool = try await tools.definition(of: name, context: context)
        return tool.flatMap { selection.includes($0) ? $0 : nil }
    }

    public func isQuick(_ name: String) -> Bool { tools.isQuick(name) }

    public func permission(toCall name: String) -> Permission? {
        selection.names?.contains(name) ?? true ? tools.permission(toCall: name) : nil
    }

    public func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        if selection == .everything { return try await tools.call(call, caller: caller, context: context) }
        guard try await definition(of: call.name, context: context) != nil else {
            throw ToolProviderError.unknownTool(call.name)
        }
        return try await tools.call(call, caller: caller, context: context)
    }
}
