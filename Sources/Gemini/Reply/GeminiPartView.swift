public import Domain

/// What a part of a reply says, read leniently; the part itself stays as it is.
public struct GeminiPartView: Sendable, Hashable {
    /// A call that the model asks for.
    public struct Call: Sendable, Hashable {
        /// Nil when the API gave none.
        public var id: String?
        /// Empty when there is none, which makes the call one that can't be answered.
        public var name: String
        public var arguments: JSONValue

        /// Whether its name is one that a function can have.
        var isNamed: Bool { GeminiRequest.isFunctionName(name) }
    }

    public let part: JSONObject

    public init(_ part: JSONObject) { self.part = part }

    /// Also that of a thought; nil when the part is something else.
    public var text: String? { part["text"]?.stringValue }
    public var isThought: Bool { part["thought"]?.boolValue ?? false }
    public var signature: String? { part["thoughtSignature"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }

    public var call: Call? {
        guard let call = part["functionCall"], call.objectValue != nil else { return nil }
        let arguments = call["args"].flatMap { $0.isNull ? nil : $0 } ?? [:]
        let id = call["id"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        return Call(id: id, name: call["name"]?.stringValue ?? "", arguments: arguments)
    }

    /// Whether it says nothing that could go back, not even by a signature: the API takes no such part.
    var isEmpty: Bool { signature == nil && !hasContent }

    /// The part as it goes back: as it came, but for members that no request has (the API refuses what its version does
    /// not know, so the official client leaves them out as well) and arguments that are no object.
    var returned: JSONObject {
        var part = JSONObject(part.filter { Self.contents.contains($0.key) || Self.remarks.contains($0.key) })
        // A signature must stand on something.
        if !hasContent { part["text"] = "" }
        guard let call, call.arguments.objectValue == nil else { return part }
        var members = part["functionCall"]?.objectValue ?? [:]
        members["args"] = [:]
        part["functionCall"] = .object(members)
        return part
    }

    private var hasContent: Bool { part.contains { Self.contents.contains($0.key) && !$0.value.isNull } }

    /// What a part can be.
    private static let contents: Set = [
        "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
        "toolCall", "toolResponse", "audioTranscription",
    ]

    /// What is said about a part, beside what it is.
    private static let remarks: Set = [
        "thought", "thoughtSignature", "mediaResolution", "videoMetadata", "partMetadata", "mediaProcessing",
        "speechMetadata",
    ]
}
