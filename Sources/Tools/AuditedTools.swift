package import Access
public import Domain

/// Tools whose every call is told to the audit log: which tool, for whom, by which program, and how it ended; not with
/// what arguments, which are text of people and models.
public struct AuditedTools: ToolProvider {
    private let tools: any ToolProvider
    private let audit: AuditLog
    private let agent: String

    /// - Parameter agent: the program that calls on its user's behalf, such as `chat`.
    package init(_ tools: any ToolProvider, audit: AuditLog, agent: String) {
        self.tools = tools
        self.audit = audit
        self.agent = agent
    }

    public func tools(context: RequestContext) async throws -> [ToolDefinition] {
        try await tools.tools(context: context)
    }

    public func definition(of name: String, context: RequestContext) async throws -> ToolDefinition? {
        try await tools.definition(of: name, context: context)
    }

    public func permission(toCall name: String) -> Permission? { tools.permission(toCall: name) }

    public func isQuick(_ name: String) -> Bool { tools.isQuick(name) }

    public func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        do {
            let result = try await tools.call(call, caller: caller, context: context)
            note(result.isError ? .failed : .done, call, context)
            return result
        } catch let question as InputRequired {
            // Not the end of the call: it comes again with the answer.
            throw question
        } catch {
            note(.failed, call, context)
            throw error
        }
    }

    private func note(_ result: AuditEvent.Result, _ call: ToolCall, _ context: RequestContext) {
        // A name that is no tool's is text of the model's.
        let isName = call.name.utf8.count <= 64 && call.name.utf8.allSatisfy { Self.letters.contains($0) }
        audit.note(
            .toolCalled,
            result: result,
            by: context,
            agent: agent,
            object: AuditObject(.tool, isName ? call.name : "unknown")
        )
    }

    private static let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.".utf8)
}
