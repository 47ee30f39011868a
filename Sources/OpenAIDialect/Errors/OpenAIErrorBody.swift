public import Domain

/// The `error` object of the dialect, as servers send it and in all the shapes they do.
public struct OpenAIErrorBody: Sendable, Hashable {
    public var message: String
    public var type: String
    public var parameter: String?
    public var code: String?

    public init(message: String, type: String, parameter: String? = nil, code: String? = nil) {
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
    }

    /// `{"error":{"message","type","param","code"}}`
    public var json: JSONValue {
        [
            "error": [
                "message": .string(message), "type": .string(type), "param": parameter.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ]
        ]
    }

    /// Reads an error object, also in an array of one, as a bare text (`{"error":"no such model"}`, Ollama), or
    /// without the envelope (`{"object":"error","message":…}`, vLLM; `{"detail":…}`, FastAPI). Nil for anything else.
    public init?(json: JSONValue) {
        if case .array(let elements) = json, elements.count == 1 {
            self.init(json: elements[0])
            return
        }
        guard case .object(let members) = json else { return nil }
        if case .string(let text)? = members["error"] {
            self.init(message: text, type: "")
        } else if case .object(let error)? = members["error"] {
            self.init(members: error)
        } else if members["object"] == "error" {
            self.init(members: members)
        } else if let detail = members["detail"], members["choices"] == nil {
            self.init(message: detail.stringValue ?? detail.text, type: "")
        } else {
            return nil
        }
    }

    private init(members: JSONObject) {
        message = members["message"]?.stringValue ?? ""
        type = members["type"]?.stringValue ?? members["status"]?.stringValue ?? ""
        parameter = members["param"]?.stringValue
        code = members["code"].flatMap { $0.stringValue ?? $0.numberValue?.text }
    }

    /// What the error means, for a caller of the server.
    ///
    /// - Parameters:
    ///   - status: of the reply; nil for an error within a stream, of which the code may be the status.
    ///   - retryAfter: of the reply's header.
    public func failure(status: Int?, server: String, retryAfter: Duration? = nil) -> OpenAIError {
        let status = status ?? code.flatMap { Int($0) } ?? 500
        let words = "\(type) \(code ?? "") \(message)".lowercased()
        let detail = "status \(status), \(type) \(code ?? ""): \(message)"
        func error(_ code: OpenAIError.Code, _ text: String, _ hint: String? = nil) -> OpenAIError {
            OpenAIError(code, "\(server) \(text)", hint: hint, detail: detail, retryAfter: retryAfter)
        }
        if Self.lengthWords.contains(where: { words.contains($0) }) || status == 413 {
            return error(.inputTooLong, "cannot take a request this long")
        }
        switch status {
        case 401, 403: return error(.keyRefused, "does not accept the key", "set OPENAI_API_KEY to a key it knows")
        case 404:
            return error(
                .modelNotFound,
                "does not have the model",
                "see its list of models, and whether the address is right"
            )
        case 402: return error(.quotaUsedUp, "has no credit left for this key")
        case 429 where words.contains("insufficient_quota") || words.contains("billing"):
            return error(.quotaUsedUp, "has no credit left for this key")
        case 408, 409, 425, 429, 503, 504: return error(.overloaded, "is busy")
        case 500...: return error(.serverFailed, "failed inside (status \(status))")
        default:
            if words.contains("model") && (words.contains("not found") || words.contains("does not exist")) {
                return error(.modelNotFound, "does not have the model", "see its list of models")
            }
            return error(.requestRefused, "refused the request (status \(status))")
        }
    }

    /// How servers say that a prompt is too long.
    private static let lengthWords = [
        "context_length_exceeded", "maximum context length", "exceeds the available context", "exceed_context_size",
        "context window", "too many tokens", "input is too long", "prompt is too long",
    ]
}
