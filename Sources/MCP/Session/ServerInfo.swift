import Domain

/// How the server introduces itself.
public struct ServerInfo: Sendable, Hashable {
    /// Identifier for programs, such as `pyairtable-ai`.
    public var name: String
    /// Name for people.
    public var title: String
    public var version: String
    /// What a model should know before it uses the tools; nil for nothing.
    public var instructions: String?

    public init(name: String, title: String, version: String, instructions: String? = nil) {
        self.name = name
        self.title = title
        self.version = version
        self.instructions = instructions
    }

    /// The result of `initialize`.
    func initializeResult(for revision: ProtocolRevision) -> JSONValue {
        var implementation: JSONObject = ["name": .string(name)]
        if revision.hasTitles { implementation["title"] = .string(title) }
        implementation["version"] = .string(version)
        var result: JSONObject = [
            "protocolVersion": .string(revision.rawValue),
            "capabilities": ["tools": [:]],
            "serverInfo": .object(implementation),
        ]
        if let instructions { result["instructions"] = .string(instructions) }
        return .object(result)
    }
}
