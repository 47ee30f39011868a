import Domain

/// A model as the API lists it.
public struct GeminiModelInfo: Sendable, Hashable {
    /// Without `models/`.
    public var name: String
    public var displayName: String?
    public var version: String?
    public var inputTokensMax: Int?
    public var outputTokensMax: Int?
    /// Such as `generateContent` and `embedContent`.
    public var methods: [String]

    /// Nil without a name.
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.stringValue, !name.isEmpty else { return nil }
        self.name = name.hasPrefix("models/") ? String(name.dropFirst(7)) : name
        displayName = json["displayName"]?.stringValue
        version = json["version"]?.stringValue
        inputTokensMax = json["inputTokenLimit"]?.wholeNumber.map { min($0, Limits.reportedTokens) }
        outputTokensMax = json["outputTokenLimit"]?.wholeNumber.map { min($0, Limits.reportedTokens) }
        methods = json["supportedGenerationMethods"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}
