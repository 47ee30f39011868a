import Domain

/// One thing that a caller can have done: typed arguments in, a typed answer out, by one service call.
///
/// A tool checks nothing that the registry checks: permission and the shape of the arguments are settled before `run`.
protocol Tool: Sendable {
    associatedtype Arguments: WireType
    associatedtype Answer: WireType

    /// Snake case; never changed without an alias.
    var name: String { get }
    /// For people.
    var title: String { get }
    /// For the model: when to use it, what it answers, what to call next.
    var description: String { get }
    var annotations: ToolAnnotations { get }
    /// What the caller must have.
    var permission: Permission { get }

    var toolset: Toolset { get }

    /// Whether a call looks at a few rows and no more.
    var isQuick: Bool { get }

    /// `Arguments.schema`, or what of it is offered.
    var argumentsSchema: JSONSchema { get }

    /// `Answer.schema`, or the part of it that this tool answers with.
    var answerSchema: JSONSchema { get }

    /// - Parameter caller: whom a tool that changes something asks.
    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer

    /// The answer for reading: everything needed to go on, in few tokens. All of it is marked as data, since most of it is text
    /// of records: cells, names, comments.
    func text(of answer: Answer) -> String

    /// What to do next, in our own words: stands after the data, and never holds text of records.
    func advice(of answer: Answer) -> String?

    /// What the answer speaks of and can be read on its own.
    func links(of answer: Answer) -> [ResourceLink]
}

extension Tool {
    var annotations: ToolAnnotations { .readOnly }
    var isQuick: Bool { false }
    var argumentsSchema: JSONSchema { Arguments.schema }
    var answerSchema: JSONSchema { Answer.schema }

    func links(of answer: Answer) -> [ResourceLink] { [] }
    func advice(of answer: Answer) -> String? { nil }

    var definition: ToolDefinition {
        ToolDefinition(
            name: name,
            title: title,
            description: description,
            inputSchema: argumentsSchema.offeredInput,
            outputSchema: answerSchema.offeredAnswer,
            annotations: annotations,
            permission: permission,
            toolset: toolset
        )
    }

    /// Checks and decodes the arguments, runs, encodes. What the caller can do something about becomes a result that a
    /// model can read.
    ///
    /// - Parameter schema: `argumentsSchema`, made once.
    func call(
        _ arguments: JSONObject,
        checkedBy schema: JSONSchema,
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> ToolResult {
        let violations = schema.violations(of: .object(arguments))
        guard violations.isEmpty else { return .refusing(violations, of: name, arguments: schema) }
        do {
            let answer = try await run(
                try JSONCoder.decode(Arguments.self, from: .object(arguments)),
                caller: caller,
                context: context
            )
            let text = text(of: answer)
            var parts: [String] = []
            if !text.isEmpty { parts.append(DataFence.marked(text)) }
            if let advice = advice(of: answer) { parts.append(advice) }
            return ToolResult(
                text: parts.joined(separator: "\n"),
                structured: try JSONCoder.value(of: answer),
                content: links(of: answer).map { .link($0) }
            )
        } catch let error as any Failure where !error.kind.isOurs {
            return ToolResult(failure: error)
        }
    }
}

extension FailureKind {
    /// Whether somebody should look into the log: such failures are thrown on, and the edge writes them there.
    fileprivate var isOurs: Bool { self == .internal || self == .corrupt }
}

extension ToolResult {
    /// Names everything that is wrong with the arguments at once, and the name that was probably meant.
    static func refusing(_ violations: [JSONSchemaViolation], of tool: String, arguments: JSONSchema) -> ToolResult {
        let names = arguments.json["properties"]?.objectValue?.keys ?? []
        var lines = ["The arguments of \(tool) are wrong:"]
        for violation in violations { lines.append("- \(violation)") }
        lines.append(names.isEmpty ? "It takes no arguments." : "It takes: \(names.joined(separator: ", ")).")
        return ToolResult(
            text: lines.joined(separator: "\n"),
            isError: true,
            problem: ToolProblem(
                code: "invalidArguments",
                kind: .invalid,
                message: lines.dropLast().joined(separator: "\n"),
                hint: lines.last
            )
        )
    }
}
