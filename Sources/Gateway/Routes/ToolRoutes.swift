import Access
package import Domain
import HTTPTypes

/// The tools of MCP for programs that speak plain HTTP: the same registry, permissions and answers.
enum ToolRoutes {
    static let all = [list, call]

    private static let list = Route(
        .get,
        "/api/v1/tools",
        name: "listTools",
        summary: "The tools that the caller may use.",
        reply: .json(ToolListWire.self, "The tools, with schemas of what they take and answer."),
        handler: .authenticated { call, context in
            try .json(ToolListWire(tools: try await call.services.tools.tools(context: context).map { ToolWire($0) }))
        }
    )

    private static let call = Route(
        .post,
        "/api/v1/tools/{tool}",
        name: "callTool",
        summary: "Runs a tool; what it needs is asked for as its own permission.",
        body: RouteBody(ToolArgumentsWire.self),
        reply: .json(ToolAnswerWire.self, "What the tool answered."),
        problems: [.notFound, .conflict],
        handler: .authenticated { call, context in
            let name = String(call.parameters[.tool] ?? "")
            let tools = call.services.tools
            guard let tool = try await tools.definition(of: name, context: context) else {
                throw ToolProviderError.unknownTool(Misnamed.shown(name))
            }
            try context.require(tool.permission)
            let body: ToolArgumentsWire = try call.decodedBody()
            let request = ToolCall(name: tool.name, arguments: body.arguments.objectValue ?? [:])
            let result = try await tools.call(request, context: context)
            if result.isError { throw ToolRefusal(result) }
            return try .json(ToolAnswerWire(result))
        }
    )
}

/// A tool that ran and failed, as a problem.
package struct ToolRefusal: Failure, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
    }

    package let code: Code
    package let kind: FailureKind
    package let message: String
    package let hint: String?

    init(_ result: ToolResult) {
        let problem = result.problem ?? ToolProblem(code: "toolFailed", kind: .invalid, message: result.text)
        code = Code(rawValue: problem.code)
        kind = problem.kind
        message = problem.message
        hint = problem.hint
    }
}

/// Where nobody gave tools.
struct NoTools: ToolProvider {
    func tools(context: Domain.RequestContext) async throws -> [ToolDefinition] { [] }

    func call(_ call: ToolCall, caller: any ToolCaller, context: Domain.RequestContext) async throws -> ToolResult {
        throw ToolProviderError.unknownTool(call.name)
    }
}
