public import Domain

/// What a scripted model says, as a JSON file: for tests, benchmarks and demonstrations of the whole product.
///
/// A turn is chosen by what the conversation holds, never by what was asked before: the first turn whose `when` fits.
/// So one script serves any number of conversations at once. docs/scripted-models.md describes the members.
public struct ModelScript: WireType, Hashable {
    /// Letters, digits, `.`, `_` and `-`; the model is called `scripted/NAME`.
    public var name: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    /// Without it everything comes at once.
    public var tokensPerSecond: Double?
    public var turns: [Turn]

    public struct Turn: Sendable, Hashable, Codable {
        public var when: Condition?
        public var thought: String?
        public var text: Text?
        /// How often the text comes, one after the other; 1.
        public var times: Int?
        public var calls: [Call]?
        public var usage: Usage?
        public var outcome: Outcome?
        /// After this many pieces the text is void and begins again.
        public var restartAfter: Int?
        public var failure: ScriptedFailure?

        public init(
            when: Condition? = nil,
            thought: String? = nil,
            text: Text? = nil,
            times: Int? = nil,
            calls: [Call]? = nil,
            usage: Usage? = nil,
            outcome: Outcome? = nil,
            restartAfter: Int? = nil,
            failure: ScriptedFailure? = nil
        ) {
            self.when = when
            self.thought = thought
            self.text = text
            self.times = times
            self.calls = calls
            self.usage = usage
            self.outcome = outcome
            self.restartAfter = restartAfter
            self.failure = failure
        }
    }

    /// All members that are given must fit.
    public struct Condition: Sendable, Hashable, Codable {
        /// Part of the newest user message, in any case.
        public var user: String?
        /// How many user messages there are.
        public var turn: Int?
        /// 1 for the first answer to the newest user message.
        public var step: Int?
        /// The tool whose result came last.
        public var tool: String?

        public init(user: String? = nil, turn: Int? = nil, step: Int? = nil, tool: String? = nil) {
            self.user = user
            self.turn = turn
            self.step = step
            self.tool = tool
        }
    }

    /// One string, sent word by word, or the pieces themselves. `{{…}}` is filled in: `ScriptTemplate`.
    public enum Text: Sendable, Hashable, Codable {
        case whole(String)
        case pieces([String])

        public init(from decoder: any Decoder) throws {
            switch try JSONValue(from: decoder) {
            case .array(let pieces): self = .pieces(pieces.compactMap(\.stringValue))
            case let value: self = .whole(value.stringValue ?? "")
            }
        }

        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .whole(let text): try JSONValue.string(text).encode(to: encoder)
            case .pieces(let pieces): try JSONValue.array(pieces.map { .string($0) }).encode(to: encoder)
            }
        }
    }

    public struct Call: Sendable, Hashable, Codable {
        public var id: String?
        public var name: String
        public var arguments: JSONValue?
        public var defect: String?

        public init(id: String? = nil, name: String, arguments: JSONValue? = nil, defect: String? = nil) {
            self.id = id
            self.name = name
            self.arguments = arguments
            self.defect = defect
        }
    }

    /// In place of what the model counts by itself: a quarter of a token for each byte read, one for each piece written.
    public struct Usage: Sendable, Hashable, Codable {
        public var input: Int?
        public var cachedInput: Int?
        public var output: Int?
        public var thoughts: Int?

        public init(input: Int? = nil, cachedInput: Int? = nil, output: Int? = nil, thoughts: Int? = nil) {
            self.input = input
            self.cachedInput = cachedInput
            self.output = output
            self.thoughts = thoughts
        }
    }

    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        case complete, truncated, refused, stopped
    }

    public struct ScriptedFailure: Sendable, Hashable, Codable {
        /// A code of `ModelError`.
        public var code: String
        public var message: String?
        /// Of the text, sent before it fails; 0.
        public var afterPieces: Int?
        /// How often it fails before it answers; for ever without it.
        public var times: Int?

        public init(code: String, message: String? = nil, afterPieces: Int? = nil, times: Int? = nil) {
            self.code = code
            self.message = message
            self.afterPieces = afterPieces
            self.times = times
        }
    }

    public init(
        name: String? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        tokensPerSecond: Double? = nil,
        turns: [Turn]
    ) {
        self.name = name
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.tokensPerSecond = tokensPerSecond
        self.turns = turns
    }

    /// Reads a script.
    ///
    /// - Throws: `ModelError` `notConfigured`, naming everything that is wrong with it.
    public init(json: [UInt8]) throws {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: json, limits: JSONLimits(bytes: Limits.modelScriptBytes))
        } catch {
            throw ModelError(.notConfigured, "the model's script is no JSON: \(error.message)")
        }
        let violations = Self.schema.violations(of: value)
        guard violations.isEmpty else {
            let list = violations.map(\.description).joined(separator: "; ")
            throw ModelError(.notConfigured, "the model's script is wrong: \(list)")
        }
        self = try JSONCoder.decode(Self.self, from: value)
    }

    /// `scripted/NAME`.
    public var modelName: ModelName { ModelName(provider: ModelName.scripted, model: name ?? "script") }
}

extension ModelScript {
    public static var schema: JSONSchema {
        .object(
            properties: [
                "name": .string(minLength: 1, maxLength: 64),
                "inputTokens": .integer(minimum: 1),
                "outputTokens": .integer(minimum: 1),
                "tokensPerSecond": .number(minimum: 0.1, maximum: 100_000),
                "turns": .array(of: turnSchema),
            ],
            required: ["turns"]
        )
    }

    private static var turnSchema: JSONSchema {
        let tokens = JSONSchema.integer(minimum: 0, maximum: Limits.reportedTokens)
        return .object(properties: [
            "when": .object(properties: [
                "user": .string(), "turn": .integer(minimum: 1), "step": .integer(minimum: 1), "tool": .string(),
            ]),
            "thought": .string(),
            "text": .anyOf([.string(), .array(of: .string())]),
            "times": .integer(minimum: 1, maximum: 100_000),
            "calls": .array(
                of: .object(
                    properties: ["id": .string(), "name": .string(), "arguments": .any, "defect": .string()],
                    required: ["name"]
                )
            ),
            "usage": .object(properties: [
                "input": tokens, "cachedInput": tokens, "output": tokens, "thoughts": tokens,
            ]),
            "outcome": .string(enum: Outcome.allCases.map(\.rawValue)),
            "restartAfter": .integer(minimum: 1),
            "failure": .object(
                properties: [
                    "code": .string(enum: ModelError.Code.allCases.map(\.rawValue)), "message": .string(),
                    "afterPieces": .integer(minimum: 0), "times": .integer(minimum: 1),
                ],
                required: ["code"]
            ),
        ])
    }
}

extension ModelName {
    /// The provider of scripted models.
    public static let scripted = "scripted"
}
