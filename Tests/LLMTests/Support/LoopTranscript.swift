import Domain
import Foundation

@testable import LLM

/// A run of the pure loop as a text file.
///
/// - `@ steps 3`, `@ parallel 2`, `@ tokens 500`, `@ models a b`, `@ window 200`, `@ novoid`, `@ notools` set it up.
/// - `→ …` is what happens: `text`, `thought`, `restarted`, `reply OUTCOME`, `calls ID NAME JSON ; …`,
///   `fail CODE [INPUT]`, `abandoned`, `tool POSITION ok|error|timeout [TEXT]`, `time`, `cancel`.
/// - `← …` is what the loop wants done, in order.
/// - Everything else is a comment.
///
/// With `PYAIRTABLE_REWRITE=1` in the environment the tests write what they heard into the files; commit that only when
/// every line can be explained.
struct LoopTranscript: Sendable, CustomStringConvertible {
    let url: URL
    let text: String

    static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Transcripts")

    static let rewrites = ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE"] == "1"

    static let all: [LoopTranscript] = {
        let files = (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.compactMap { url in
            (try? String(contentsOf: url, encoding: .utf8)).map { LoopTranscript(url: url, text: $0) }
        }
    }()

    var description: String { url.lastPathComponent }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// What the loop really answers, in the file's form.
    func played() -> String {
        var player = LoopPlayer()
        var output: [String] = []
        for line in lines where !line.hasPrefix("← ") {
            output.append(String(line))
            if line.hasPrefix("@ ") { player.configure(line.dropFirst(2).split(separator: " ").map(String.init)) }
            if line.hasPrefix("→ ") { output += player.play(line.dropFirst(2)).map { "← " + $0 } }
        }
        return output.joined(separator: "\n")
    }
}

private struct LoopPlayer {
    private var limits = RunLimits(tokens: nil)
    private var settings = RunSettings()
    private var models = ["a"]
    private var window = 100_000
    private var tools = FakeTools.definitions
    private var loop: AgentLoop?
    /// What the model has said of its present turn.
    private var said = ""

    mutating func configure(_ words: [String]) {
        switch words[0] {
        case "steps": limits.steps = Int(words[1]) ?? 0
        case "parallel": limits.parallelCalls = Int(words[1]) ?? 0
        case "tokens": limits.tokens = Int(words[1])
        case "window": window = Int(words[1]) ?? 0
        case "models": models = Array(words.dropFirst())
        case "novoid": settings.mayVoidText = false
        case "notools": tools = []
        default: preconditionFailure("unknown set-up \(words)")
        }
    }

    mutating func play(_ line: Substring) -> [String] {
        var loop =
            self.loop
            ?? AgentLoop(
                AgentLoop.Configuration(
                    models: models.map {
                        AgentModel(
                            name: ModelName(provider: "scripted", model: $0),
                            limits: ModelLimits(inputTokens: window, outputTokens: 1_000)
                        )
                    },
                    system: "Answer.",
                    tools: tools,
                    settings: settings,
                    limits: limits,
                    data: UntrustedText(word: "w0rd")
                ),
                messages: [.user("Which books are overdue?")]
            )
        let actions = loop.handle(event(line))
        self.loop = loop
        if actions.contains(where: { if case .ask = $0 { true } else { false } }) { said = "" }
        return actions.map(Self.line)
    }

    private mutating func event(_ line: Substring) -> AgentEvent {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = words.count > 1 ? words[1] : ""
        switch words[0] {
        case "start": return .started
        case "text":
            said += rest
            return .delta(.text(rest))
        case "thought": return .delta(.thought(rest))
        case "restarted":
            said = ""
            return .delta(.restarted)
        case "reply": return .replied(reply([], Self.outcome(rest)), isCapped: rest.hasSuffix("capped"))
        case "calls": return .replied(reply(Self.calls(rest), .toolCalls), isCapped: false)
        case "fail":
            let parts = rest.split(separator: " ")
            let usage = TokenUsage(input: parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
            let code = ModelError.Code(rawValue: String(parts[0])) ?? .requestRefused
            return .failed(ModelError(code, "the model is \(parts[0])", usage: usage))
        case "abandoned": return .abandoned(TokenUsage(input: 7))
        case "tool": return Self.toolEvent(rest.split(separator: " ", maxSplits: 2).map(String.init))
        case "time": return .timePassed
        case "cancel": return .cancelled
        default: preconditionFailure("unknown event \(line)")
        }
    }

    private func reply(_ calls: [ModelToolCall], _ outcome: ModelOutcome) -> ModelReply {
        let text: [ModelPart] = said.isEmpty ? [] : [.text(said)]
        return ModelReply(
            message: ModelMessage(.model, text + calls.map { .toolCall($0) }),
            outcome: outcome,
            usage: TokenUsage(input: 100, output: 10)
        )
    }

    private static func outcome(_ text: String) -> ModelOutcome {
        let words = text.split(separator: " ").map(String.init)
        switch words[0] {
        case "truncated": return .truncated
        case "refused": return .refused(reason: words[1])
        case "stopped": return .stopped(reason: words[1])
        default: return .complete
        }
    }

    private static func calls(_ text: String) -> [ModelToolCall] {
        text.split(separator: " ; ").map { call in
            let words = call.split(separator: " ", maxSplits: 2).map(String.init)
            guard let arguments = try? JSONValue(parsing: words[2]) else {
                return ModelToolCall(id: words[0], name: words[1], arguments: .null, defect: "it is no JSON")
            }
            return ModelToolCall(id: words[0], name: words[1], arguments: arguments)
        }
    }

    private static func toolEvent(_ words: [String]) -> AgentEvent {
        let position = Int(words[0]) ?? -1
        if words[1] == "timeout" { return .toolTimedOut(position: position) }
        let result = ToolResult(text: words.count > 2 ? words[2] : "", isError: words[1] == "error")
        return .toolFinished(position: position, result, duration: .milliseconds(5))
    }

    private static func line(_ action: AgentAction) -> String {
        switch action {
        case .emit(let event): line(event)
        case .ask(let asked):
            "ask \(asked.model) choice=\(asked.request.toolChoice) output=\(asked.request.outputTokensMax) "
                + "tools=\(asked.request.tools.count) history=\(history(asked.request.messages))"
        case .runTool(let position, let call):
            "run \(position) \(call.name) \(JSONValue.object(call.arguments).text)"
        case .stop: "stop"
        case .end(let end):
            "end \(end.reason.rawValue) \(end.model) \(end.usage.total)" + (end.message.map { ": \($0)" } ?? "")
        }
    }

    private static func line(_ event: RunEvent) -> String {
        switch event {
        case .stepStarted(let step, let model): "step \(step) \(model)"
        case .text(let text): "text \(text)"
        case .thought(let text): "thought \(text)"
        case .textVoided: "voided"
        case .toolStarted(let call): "tool \(call.id) \(call.name)"
        case .toolFinished(let id, let result, let duration):
            "result \(id) \(result.isError ? "error" : "ok") \(duration) \(oneLine(result.text))"
        case .atom(let messages): "atom \(messages.map(content).joined(separator: " | "))"
        case .usage(let usage): "usage \(usage.input)+\(usage.output)"
        }
    }

    private static func history(_ messages: [ModelMessage]) -> String {
        messages.map { message in
            message.role == .tool ? "tool\(message.parts.count)" : message.role.rawValue
        }.joined(separator: ",")
    }

    private static func content(_ message: ModelMessage) -> String {
        let parts = message.parts.map { part in
            switch part {
            case .text(let text): "\"\(text)\""
            case .thought(let text): "(\(text))"
            case .toolCall(let call): "\(call.id)?"
            case .toolResult(let result): "\(result.callID)\(result.isError ? "!" : "=") \(oneLine(result.text))"
            }
        }
        return "\(message.role.rawValue) \(parts.joined(separator: " "))"
    }

    private static func oneLine(_ text: String) -> String { text.split(separator: "\n").joined(separator: " ⏎ ") }
}
