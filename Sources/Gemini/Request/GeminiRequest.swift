public import Domain

/// The body of generateContent and streamGenerateContent: only members that the API knows, or it refuses all of it.
public struct GeminiRequest: Sendable, Hashable {
    /// Trusted instructions; there is no role for them.
    public var system = ""
    /// Sent merged, see `GeminiContent.merged`.
    public var contents: [GeminiContent]
    public var functions: [GeminiFunction] = []
    /// Nil is the API's own choice: AUTO.
    public var functionMode: GeminiFunctionMode?
    public var settings = GeminiGenerationSettings()
    public var safety: [GeminiSafety] = []
    /// An entry of the prompt cache. It holds system and functions itself, which are then not sent.
    public var cachedContent: String?
    /// Asks for what follows a reply that ended with CONTINUATION.
    public var continuationToken: String?

    public init(contents: [GeminiContent]) { self.contents = contents }

    var json: JSONValue {
        var body = JSONObject()
        if let cachedContent {
            body["cachedContent"] = .string(cachedContent)
        } else {
            if !system.isEmpty { body["systemInstruction"] = ["parts": [["text": .string(system)]]] }
            if !functions.isEmpty {
                body["tools"] = [["functionDeclarations": .array(functions.map(\.json))]]
                body["toolConfig"] = functionMode.map { ["functionCallingConfig": ["mode": .string($0.rawValue)]] }
            }
        }
        body["contents"] = .array(GeminiContent.merged(contents).map(\.json))
        let settings = settings.json
        if !settings.isEmpty { body["generationConfig"] = .object(settings) }
        if !safety.isEmpty { body["safetySettings"] = .array(safety.map(\.json)) }
        body["continuationToken"] = continuationToken.map { .string($0) }
        return .object(body)
    }
}

/// A function the model may call.
public struct GeminiFunction: Sendable, Hashable {
    public var name: String
    public var description: String
    /// Plain JSON Schema, passed through as it is.
    public var parameters: JSONSchema

    public init(name: String, description: String, parameters: JSONSchema) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }

    var json: JSONValue {
        var declaration: JSONObject = ["name": .string(name)]
        if !description.isEmpty { declaration["description"] = .string(description) }
        // The OpenAPI-like `parameters` would refuse `$ref`, `oneOf`, `const` and more.
        declaration["parametersJsonSchema"] = parameters.json
        return .object(declaration)
    }
}

public enum GeminiFunctionMode: String, Sendable, Hashable {
    case auto = "AUTO"
    /// Must call.
    case any = "ANY"
    case none = "NONE"
    /// Calls or text; calls are checked against their schema.
    case validated = "VALIDATED"
}

/// What is tolerated in one category.
public struct GeminiSafety: Sendable, Hashable {
    /// Such as `HARM_CATEGORY_HARASSMENT`.
    public var category: String
    /// Such as `BLOCK_ONLY_HIGH`.
    public var threshold: String

    public init(category: String, threshold: String) {
        self.category = category
        self.threshold = threshold
    }

    var json: JSONValue { ["category": .string(category), "threshold": .string(threshold)] }
}
