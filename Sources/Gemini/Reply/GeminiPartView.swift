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
}
