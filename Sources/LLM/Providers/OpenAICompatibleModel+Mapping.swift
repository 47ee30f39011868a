import Domain
import OpenAIDialect
import Outbound

/// One request of ours in the dialect, and the way back.
struct OpenAIRequestMapping {
    let wire: OpenAIChatRequest
    private let names: OpenAIToolNames
    private let knownCallIDs: Set<String>

    init(
        _ request: ModelRequest,
        model: String,
        limits: ModelLimits,
        _ tokenLimitName: OpenAIChatRequest.TokenLimitName
    ) {
        let names = OpenAIToolNames(
            request.tools.map(\.name) + request.messages.flatMap { $0.toolCalls.map(\.name) }
        )
        self.names = names
        knownCallIDs = Set(request.messages.flatMap { $0.toolCalls.map(\.id) })
        var messages = request.system.isEmpty ? [] : [OpenAIMessage(.system, request.system)]
        for message in request.messages { messages += Self.messages(message, names) }
        wire = OpenAIChatRequest(
            model: model,
            messages: messages,
            tools: request.tools.map {
                OpenAITool(name: names.wire($0.name), description: $0.description, parameters: $0.parameters)
            },
            toolChoice: Self.choice(request.toolChoice),
            responseFormat: request.responseSchema.map { .jsonSchema(name: "answer", schema: $0, isStrict: false) },
            temperature: request.temperature,
            topP: request.topP,
            outputTokensMax: min(request.outputTokensMax, limits.outputTokens),
            tokenLimitName: tokenLimitName,
            stop: request.stop,
            seed: request.seed,
            reasoningEffort: request.thinking.map { $0 == .off ? "none" : $0.rawValue }
        )
    }

    func reply(_ turn: OpenAITurn, usage: TokenUsage) -> ModelReply {
        let outcome = Self.outcome(turn)
        var parts: [ModelPart] = []
        if !turn.reasoning.isEmpty { parts.append(.thought(turn.reasoning)) }
        if !turn.content.isEmpty { parts.append(.text(turn.content)) }
        // Calls of a turn that was cut may be cut themselves: they are not to be run.
        if outcome == .toolCalls { parts += calls(turn).map { .toolCall($0) } }
        return ModelReply(
            message: ModelMessage(.model, parts),
            outcome: outcome,
            usage: usage,
            modelVersion: turn.model
        )
    }

    /// Whether a turn claims to have ended as it should.
    static func isPlainEnd(_ turn: OpenAITurn) -> Bool { turn.finishReason.map { plainEnds.contains($0) } ?? true }

    /// Servers have words of their own for the same.
    private static let plainEnds: Set<String> = [
        "stop", "tool_calls", "function_call", "eos", "eos_token", "stop_sequence", "end_turn", "complete",
    ]

    private static func outcome(_ turn: OpenAITurn) -> ModelOutcome {
        if !turn.refusal.isEmpty { return .refused(reason: "refusal") }
        switch turn.finishReason {
        case "length", "max_tokens": return .truncated
        case "content_filter": return .refused(reason: "content_filter")
        case let reason? where !plainEnds.contains(reason): return .stopped(reason: reason)
        default: return turn.toolCalls.isEmpty ? .complete : .toolCalls
        }
    }

    private func calls(_ turn: OpenAITurn) -> [ModelToolCall] {
        var taken = knownCallIDs
        return turn.toolCalls.map { call in
            var id = call.id
            var number = taken.count
            while id.isEmpty || taken.contains(id) {
                number += 1
                id = "call_\(number)"
            }
            taken.insert(id)
            let (arguments, defect) = Self.arguments(call.arguments)
            return ModelToolCall(id: id, name: names.original(call.name), arguments: arguments, defect: defect)
        }
    }

    /// The arguments as an object, and what was wrong with them.
    private static func arguments(_ text: String) -> (JSONValue, defect: String?) {
        if text.allSatisfy(\.isWhitespace) { return ([:], nil) }
        do {
            switch try JSONValue(parsing: text) {
            case .object(let members): return (.object(members), nil)
            case .null: return ([:], nil)
            // Encoded twice, as some templates have it.
            case .string(let inner):
                if case .object(let members)? = try? JSONValue(parsing: inner) { return (.object(members), nil) }
                return ([:], "the arguments must be a JSON object, not a string")
            case let other: return ([:], "the arguments must be a JSON object, not a \(other.typeName)")
            }
        } catch {
            return ([:], "the arguments are no JSON: \(error.message)")
        }
    }

    private static func choice(_ choice: ModelRequest.ToolChoice) -> OpenAIChatRequest.ToolChoice {
        switch choice {
        case .auto: .auto
        case .none: .none
        case .required: .required
        }
    }

    private static func messages(_ message: ModelMessage, _ names: OpenAIToolNames) -> [OpenAIMessage] {
        switch message.role {
        case .user: return [OpenAIMessage(.user, message.text)]
        case .model:
            let calls = message.toolCalls.map {
                OpenAIToolCall(id: $0.id, name: names.wire($0.name), arguments: $0.arguments.text)
            }
            // An empty text, not null: templates of local servers join it with others.
            return [OpenAIMessage(.assistant, message.text, toolCalls: calls)]
        case .tool:
            return message.parts.compactMap { part in
                guard case .toolResult(let result) = part else { return nil }
                let text = result.isError ? "Error: \(result.text)" : result.text
                return OpenAIMessage(.tool, text, toolCallID: result.callID)
            }
        }
    }
}

/// Names of tools in the dialect, which takes `[A-Za-z0-9_-]{1,64}`, and their way back.
struct OpenAIToolNames {
    private var wireNames: [String: String] = [:]
    private var originals: [String: String] = [:]

    init(_ names: [String]) {
        // Those that fit first, so that none of them has to yield to one that is rewritten.
        for name in names where OpenAITool.isName(name) { add(name, as: name) }
        for name in names where wireNames[name] == nil { add(name, as: Self.rewritten(name)) }
    }

    func wire(_ name: String) -> String { wireNames[name] ?? Self.rewritten(name) }

    /// A name the model made up comes back as it is.
    func original(_ name: String) -> String { originals[name] ?? name }

    private mutating func add(_ name: String, as wire: String) {
        wireNames[name] = wire
        originals[wire] = name
    }

    /// Readable as far as it goes, and told apart by a hash of the whole (FNV-1a).
    private static func rewritten(_ name: String) -> String {
        let readable = name.utf8.prefix(47).map { byte in
            OpenAITool.isName(String(UnicodeScalar(byte))) ? Character(UnicodeScalar(byte)) : "_"
        }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(readable) + "_" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension TokenUsage {
    /// Reasoning is part of the completion there, and apart here.
    init(openAI usage: OpenAIUsage) {
        self.init(
            input: usage.promptTokens,
            cachedInput: usage.cachedTokens,
            output: usage.completionTokens - usage.reasoningTokens,
            thoughts: usage.reasoningTokens
        )
    }
}

extension ModelError {
    /// What a failed call of a server of the dialect means.
    init(openAI error: any Failure, usage: TokenUsage) {
        let code: Code
        var retryAfter: Duration?
        switch error {
        case let error as ModelError:
            self.init(error.code, error.message, hint: error.hint, detail: error.detail, usage: usage)
            return
        case let error as OpenAIError:
            code = Self.code(error.code)
            retryAfter = error.retryAfter
        case let error as OutboundError: code = Self.code(error.code)
        default: code = .malformedReply
        }
        self.init(
            code,
            error.message,
            hint: error.hint,
            detail: error.detail,
            retryAfter: retryAfter,
            usage: usage
        )
    }

    private static func code(_ code: OpenAIError.Code) -> Code {
        switch code {
        case .keyRefused: .keyRefused
        case .modelNotFound: .modelNotFound
        case .requestRefused: .requestRefused
        case .inputTooLong: .inputTooLong
        case .overloaded, .serverFailed: .overloaded
        case .quotaUsedUp: .quotaOfDay
        case .cut: .cut
        case .malformedReply: .malformedReply
        }
    }

    private static func code(_ code: OutboundError.Code) -> Code {
        switch code {
        case .invalidAddress, .addressRefused: .notConfigured
        case .cannotConnect, .closed: .cannotConnect
        case .connectionLost: .cut
        case .noReply, .stalled, .timedOut: .timedOut
        case .replyTooLarge: .replyTooLarge
        case .malformedReply: .malformedReply
        case .circuitOpen: .overloaded
        }
    }
}
