/// Offers tools and runs them. Edges know no tool by itself, only this.
public protocol ToolProvider: Sendable {
    /// What this caller may use, in a stable order.
    func tools(context: RequestContext) async throws -> [ToolDefinition]

    /// The tool of this name, also when this caller lacks the permission for it; nil when it is not offered to anybody here.
    func definition(of name: String, context: RequestContext) async throws -> ToolDefinition?

    /// Runs one tool. A tool that ran and failed is a result with `isError`.
    ///
    /// - Throws: `ToolProviderError.unknownTool` for a name that this caller is not offered; `InputRequired`.
    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult

    /// What the caller of a tool must have, whoever asks; nil for what is no tool, or not offered at all.
    func permission(toCall name: String) -> Permission?

    /// Whether a call looks at a few rows and no more, so that a thread that others wait for may do it.
    func isQuick(_ name: String) -> Bool
}

extension ToolProvider {
    /// Among those that the caller may use.
    public func definition(of name: String, context: RequestContext) async throws -> ToolDefinition? {
        try await tools(context: context).first { $0.name == name }
    }

    public func permission(toCall name: String) -> Permission? { nil }

    public func isQuick(_ name: String) -> Bool { false }

    /// Runs one tool for somebody who cannot be asked.
    public func call(_ call: ToolCall, context: RequestContext) async throws -> ToolResult {
        try await self.call(call, caller: SilentCaller(), context: context)
    }
}

/// Why a tool could not be run at all.
public struct ToolProviderError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case unknownTool
    }

    public let code: Code
    public let message: String
    public let hint: String?

    public var kind: FailureKind {
        switch code {
        case .unknownTool: .notFound
        }
    }

    public static func unknownTool(_ name: String) -> Self {
        Self(code: .unknownTool, message: "there is no tool named '\(name)'", hint: "list the tools that are offered")
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
