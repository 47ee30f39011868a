public import Domain

/// One turn as the API knows it: what tools answer is said by the user.
public struct GeminiContent: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable { case user, model }

    public var role: Role
    public var parts: [GeminiPart]

    public init(_ role: Role, _ parts: [GeminiPart]) {
        self.role = role
        self.parts = parts
    }

    /// Neighbours of one role as one, and nothing that the API would call empty.
    public static func merged(_ contents: [GeminiContent]) -> [GeminiContent] {
        var merged: [GeminiContent] = []
        for content in contents {
            let parts = content.parts.filter { !$0.isEmpty }
            guard !parts.isEmpty else { continue }
            if merged.last?.role == content.role {
                merged[merged.count - 1].parts += parts
            } else {
                merged.append(GeminiContent(content.role, parts))
            }
        }
        return merged
    }

    var json: JSONValue { ["role": .string(role.rawValue), "parts": .array(parts.map(\.json))] }
}

/// One piece of a turn: exactly one of these things.
public enum GeminiPart: Sendable, Hashable {
    case text(String)
    /// A call that this product writes itself: of another provider, or of another family.
    case functionCall(id: String?, name: String, arguments: JSONObject, signature: String?)
    case functionResponse(id: String?, name: String, response: JSONObject)
    /// As the API gave it, and as it goes back: signature, empty text and all. What it takes in no request does not: parts
    /// without anything in them, members that nobody knows, arguments that are no object.
    case verbatim(JSONObject)

    /// Stands in for the signature of a call that this family of models did not make; documented by Google.
    public static let foreignSignature = "skip_thought_signature_validator"

    var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .verbatim(let part): GeminiPartView(part).isEmpty
        case .functionCall, .functionResponse: false
        }
    }

    var json: JSONValue {
        switch self {
        case .text(let text): return ["text": .string(text)]
        case .verbatim(let part): return .object(GeminiPartView(part).returned)
        case .functionCall(let id, let name, let arguments, let signature):
            var call: JSONObject = ["name": .string(name), "args": .object(arguments)]
            call["id"] = id.map { .string($0) }
            var part: JSONObject = ["functionCall": .object(call)]
            part["thoughtSignature"] = signature.map { .string($0) }
            return .object(part)
        case .functionResponse(let id, let name, let response):
            var answer: JSONObject = ["name": .string(name), "response": .object(response)]
            answer["id"] = id.map { .string($0) }
            return ["functionResponse": .object(answer)]
        }
    }

    /// The name and identifier of a call, wherever it comes from.
    var call: (id: String?, name: String)? {
        switch self {
        case .functionCall(let id, let name, _, _): (id, name)
        case .verbatim(let part): GeminiPartView(part).call.map { ($0.id, $0.name) }
        case .text, .functionResponse: nil
        }
    }
}
