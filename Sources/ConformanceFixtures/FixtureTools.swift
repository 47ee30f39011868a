import Domain

/// One tool of the fixtures.
struct FixtureTool: Sendable {
    typealias Run = @Sendable (JSONObject, any ToolCaller) async throws -> ToolResult

    let definition: ToolDefinition
    let run: Run

    /// - Parameter changes: whether it changes what is on show.
    init(
        _ name: String,
        _ description: String,
        input: JSONSchema = .object(properties: [:]),
        output: JSONSchema? = nil,
        changes: Bool = false,
        run: @escaping Run
    ) {
        definition = ToolDefinition(
            name: name,
            title: Self.title(of: name),
            description: description,
            inputSchema: input,
            outputSchema: output,
            annotations: changes
                ? ToolAnnotations(
                    readOnlyHint: false,
                    destructiveHint: false,
                    idempotentHint: false,
                    openWorldHint: false
                )
                : .readOnly,
            permission: .basesRead
        )
        self.run = run
    }

    private static func title(of name: String) -> String {
        let words = name.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

/// Tools under the names that conformance suites call, and a few more that show what those leave out.
struct FixtureTools: ToolProvider {
    private let stage: FixtureStage
    private let shown: [FixtureTool]
    /// Comes and goes.
    private let dynamic = FixtureTool("test_dynamic_tool", "Is there only while it is switched on.") { _, _ in
        ToolResult(text: "I am here.")
    }

    /// A suite takes the first of the list as one that can be called without anything, so it is the simplest.
    init(stage: FixtureStage) {
        self.stage = stage
        shown =
            Self.contents + Self.steps(on: stage) + Self.questions + Self.rounds + Self.triggers(on: stage)
            + Self.schemas
    }

    func tools(context: RequestContext) async throws -> [ToolDefinition] { present.map(\.definition) }

    /// Lets `CallerError` through, unlike the product's tools: which error it becomes is the protocol's affair.
    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        guard let tool = present.first(where: { $0.definition.name == call.name }) else {
            throw ToolProviderError.unknownTool(call.name)
        }
        let violations = tool.definition.inputSchema.violations(of: .object(call.arguments))
        guard violations.isEmpty else {
            let lines = ["The arguments of \(call.name) are wrong:"] + violations.map { "- \($0)" }
            return ToolResult(text: lines.joined(separator: "\n"), isError: true)
        }
        return try await tool.run(call.arguments, caller)
    }

    private var present: [FixtureTool] { stage.isToolShown ? shown + [dynamic] : shown }
}
