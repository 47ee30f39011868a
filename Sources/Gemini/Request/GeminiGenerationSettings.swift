public import Domain

/// How to generate; what is nil is the model's own default.
public struct GeminiGenerationSettings: Sendable, Hashable {
    public enum Thinking: Sendable, Hashable {
        /// For families from 3 on.
        case level(Level)
        /// Tokens, for 2.5: 0 is none, -1 as the model likes.
        case budget(Int)

        public enum Level: String, Sendable, Hashable {
            case minimal = "MINIMAL"
            case low = "LOW"
            case medium = "MEDIUM"
            case high = "HIGH"
        }
    }

    public var temperature: Double?
    public var topP: Double?
    public var outputTokensMax: Int?
    /// At most five.
    public var stop: [String] = []
    /// 32 bits at the API; larger ones are cut to their low bits, which stays repeatable.
    public var seed: Int?
    /// Binds the answer to JSON of this shape.
    public var responseSchema: JSONSchema?
    public var thinking: Thinking?
    /// Whether summaries of thoughts come along.
    public var includesThoughts = false

    public init() {}

    static let stopSequencesMax = 5

    var json: JSONObject {
        var config = JSONObject()
        config["temperature"] = temperature.map { JSONValue(floatLiteral: $0) }
        config["topP"] = topP.map { JSONValue(floatLiteral: $0) }
        config["maxOutputTokens"] = outputTokensMax.map { .number(JSONNumber($0)) }
        if !stop.isEmpty { config["stopSequences"] = .array(stop.map { .string($0) }) }
        config["seed"] = seed.map { .number(JSONNumber(Int(Int32(truncatingIfNeeded: $0)))) }
        if let responseSchema {
            config["responseMimeType"] = "application/json"
            config["responseJsonSchema"] = responseSchema.json
        }
        var thinking = JSONObject()
        switch self.thinking {
        case .level(let level): thinking["thinkingLevel"] = .string(level.rawValue)
        case .budget(let tokens): thinking["thinkingBudget"] = .number(JSONNumber(tokens))
        case nil: break
        }
        if includesThoughts { thinking["includeThoughts"] = true }
        if !thinking.isEmpty { config["thinkingConfig"] = .object(thinking) }
        return config
    }
}
