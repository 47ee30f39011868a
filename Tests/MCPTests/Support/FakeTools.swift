import Domain
import Logging
import MCP
import Synchronization

/// Tools for tests. Their outcome is a pure function of the call, so that transcripts can run them without a task;
/// `slow` and `stuck` are for the driver's tests.
struct FakeTools: ToolProvider {
    /// Opened by a test to let `slow` go on.
    let gate = Gate()

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            name: "add",
            title: "Add numbers",
            description: "Adds two numbers.",
            inputSchema: JSONSchema(json: [
                "type": "object",
                "properties": ["a": ["type": "number"], "b": ["type": "number"]],
                "required": ["a", "b"],
                "additionalProperties": false,
            ]),
            outputSchema: JSONSchema(json: [
                "type": "object",
                "properties": ["sum": ["type": "number"]],
                "required": ["sum"],
            ]),
            annotations: ToolAnnotations(
                readOnlyHint: true,
                destructiveHint: false,
                idempotentHint: true,
                openWorldHint: false
            ),
            permission: .recordsRead
        ),
        ToolDefinition(
            name: "routed",
            title: "Routed",
            description: "Has arguments that headers repeat.",
            inputSchema: JSONSchema(json: [
                "type": "object",
                "properties": [
                    "base": ["type": "string", "x-mcp-header": "Airtable-Base"],
                    "count": ["type": "integer", "x-mcp-header": "Count"],
                    "deep": ["type": "object", "properties": ["flag": ["type": "boolean", "x-mcp-header": "Flag"]]],
                ],
            ]),
            annotations: .readOnly,
            permission: .recordsRead
        ),
        plain("text", "Answers with text alone."),
        plain("list", "Answers with an array, which is no structured content."),
        plain("refused", "Fails as a service does."),
        plain("broken", "Fails as nobody expected."),
        plain("slow", "Waits until a test lets it go on, or cancels it."),
        plain("counts", "Reports three steps."),
        plain("logs", "Says something at every level."),
        plain("confirms", "Asks its caller."),
        plain("asks_twice", "Asks its caller twice."),
        plain("samples", "Asks its caller's model."),
        plain("leaves", "Lets its caller's connection go, and waits as 'slow' does."),
        plain("stuck", "Waits until a test lets it go on, whatever else happens."),
    ]

    private static func plain(_ name: String, _ description: String) -> ToolDefinition {
        ToolDefinition(
            name: name,
            title: name.uppercased(),
            description: description,
            inputSchema: JSONSchema(json: ["type": "object", "additionalProperties": false]),
            outputSchema: nil,
            annotations: ToolAnnotations(
                readOnlyHint: false,
                destructiveHint: true,
                idempotentHint: false,
                openWorldHint: true
            ),
            permission: .recordsWrite
        )
    }

    func tools(context: RequestContext) async throws -> [ToolDefinition] { Self.definitions }

    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        if call.name == "slow" {
            await gate.enter(call.arguments["key"]?.stringValue ?? "")
            try Task.checkCancellation()
        } else if call.name == "stuck" {
            await gate.enter(ignoringCancellation: call.arguments["key"]?.stringValue ?? "")
        }
        return try await Self.said(call, caller, gate) ?? Self.result(of: call)
    }

    /// Tools that turn to their caller.
    private static func said(_ call: ToolCall, _ caller: any ToolCaller, _ gate: Gate) async throws -> ToolResult? {
        switch call.name {
        case "counts":
            for step in 1...3 {
                await caller.report(ToolProgress(done: Double(step), total: 3, message: "step \(step)"))
                if step < 3 { try await Task.sleep(for: .milliseconds(Limits.mcpProgressMilliseconds + 5)) }
            }
            return ToolResult(text: "counted")
        case "logs":
            for level in CallerLogLevel.allCases { await caller.log(level, logger: "fake", .string(level.rawValue)) }
            return ToolResult(text: "logged")
        case "confirms":
            let kept = call.arguments["kept"] ?? "kept"
            let fields = call.arguments["fields"].map { JSONSchema(json: ["type": "object", "properties": $0]) }
            let asked = fields.map { CallerQuestion("confirm", .form(message: "Which?", schema: $0)) }
            let reply = try await caller.ask([asked ?? question("confirm", "Really?", "yes")], keeping: kept)
            return ToolResult(text: "\(said(reply, "confirm")), \(reply.kept)")
        case "asks_twice":
            let first = try await caller.ask([question("name", "Your name?", "text")], keeping: 1)
            let second = try await caller.ask([question("age", "Your age?", "text")], keeping: 2)
            return ToolResult(
                text: "\(first.kept) \(said(first, "name")), "
                    + "\(second.kept) \(said(second, "age"))"
            )
        case "samples":
            let question = CallerQuestion("sample", .sampling(["messages": [], "maxTokens": 5]))
            return ToolResult(text: "\(try await caller.ask([question], keeping: .null).answers)")
        case "leaves":
            await caller.releaseConnection()
            await gate.enter(call.arguments["key"]?.stringValue ?? "")
            return ToolResult(text: "after all")
        default: return nil
        }
    }

    private static func said(_ reply: CallerReply, _ key: String) -> String { text(of: reply.answers[key]) }

    static func text(of answer: CallerAnswer?) -> String {
        switch answer {
        case .accepted(let content): "accepted(\(JSONValue.object(content)))"
        case .declined: "declined"
        case .cancelled: "cancelled"
        case .result(let result): "result(\(JSONValue.object(result)))"
        case nil: "nothing"
        }
    }

    private static func question(_ key: String, _ message: String, _ field: String) -> CallerQuestion {
        let schema: JSONSchema = field == "yes" ? .boolean(description: "Yes.") : .string(description: "Text.")
        return CallerQuestion(
            key,
            .form(
                message: message,
                schema: .object(properties: [field == "yes" ? "yes" : "text": schema], required: [field])
            )
        )
    }

    static func result(of call: ToolCall) throws -> ToolResult {
        switch call.name {
        case "add":
            guard let a = call.arguments["a"]?.intValue, let b = call.arguments["b"]?.intValue else {
                throw FakeFailure(
                    kind: .invalid,
                    message: "'a' and 'b' must be numbers",
                    hint: "Send both, such as 1 and 2."
                )
            }
            return ToolResult(text: "\(a) + \(b) = \(a + b)", structured: ["sum": .number(JSONNumber(a + b))])
        case "routed":
            return ToolResult(text: "there")
        case "text":
            return ToolResult(text: "line 1\nline 2 \u{2028} \u{1F9EA} \"quoted\"")
        case "list":
            return ToolResult(text: "", structured: [1, 2, 3])
        case "refused":
            throw FakeFailure(kind: .busy, message: "The base is being imported", hint: nil)
        case "broken":
            throw Unexpected(secret: "hunter2")
        case "slow", "stuck":
            return ToolResult(text: "at last", structured: ["late": true])
        default:
            throw ToolProviderError.unknownTool(call.name)
        }
    }
}

struct FakeFailure: Failure {
    enum Code: String { case fake }
    var code: Code { .fake }
    let kind: FailureKind
    let message: String
    let hint: String?
    var detail: String? { "only for the log" }
}

struct Unexpected: Error {
    let secret: String
}

/// Where calls wait until a test opens it for their key.
final class Gate: Sendable {
    private struct State {
        var opened: Set<String> = []
        var waiting: [(key: String, continuation: CheckedContinuation<Void, Never>)] = []
        var entered: [String] = []
        var cancelled: [String] = []
    }
    private let state = Mutex(State())

    /// Keys of the calls that came, in order.
    var entered: [String] { state.withLock { $0.entered } }
    /// Keys of the calls that were cancelled while they waited.
    var cancelled: [String] { state.withLock { $0.cancelled } }

    func enter(_ key: String) async {
        await withTaskCancellationHandler {
            await wait(key)
        } onCancel: {
            state.withLock { $0.cancelled.append(key) }
            open(key)
        }
    }

    func enter(ignoringCancellation key: String) async { await wait(key) }

    func open(_ key: String) {
        let waiting = state.withLock { state in
            state.opened.insert(key)
            let waiting = state.waiting.filter { $0.key == key }
            state.waiting.removeAll { $0.key == key }
            return waiting
        }
        for call in waiting { call.continuation.resume() }
    }

    private func wait(_ key: String) async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.entered.append(key)
                if state.opened.contains(key) { return true }
                state.waiting.append((key, continuation))
                return false
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// A context as `Access` would make it.
func fakeContext(_ id: String, timeout: Duration = .seconds(60), logger: Logger = Logger(label: "test"))
    -> RequestContext
{
    var generator = SystemRandomNumberGenerator()
    return RequestContext(
        id: id,
        principal: Principal(user: .random(using: &generator), key: nil, permissions: Set(Permission.allCases)),
        tenant: .random(using: &generator),
        deadline: .now + timeout,
        origin: .mcpStdio,
        logger: logger
    )
}

let fakeInfo = ServerInfo(name: "fake", title: "Fake server", version: "1.2.3", instructions: "Start with add.")
