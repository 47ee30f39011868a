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
        plain("text", "Answers with text alone."),
        plain("list", "Answers with an array, which is no structured content."),
        plain("refused", "Fails as a service does."),
        plain("broken", "Fails as nobody expected."),
        plain("slow", "Waits until a test lets it go on, or cancels it."),
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
        return try Self.result(of: call)
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
