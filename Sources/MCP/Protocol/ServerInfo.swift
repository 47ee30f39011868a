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

    func implementation(for revision: ProtocolRevision) -> JSONValue {
        var members: JSONObject = ["name": .string(name)]
        if revision.hasTitles { members["title"] = .string(title) }
        members["version"] = .string(version)
        return .object(members)
    }
}

/// What a server offers beside tools.
struct ServerFeatures: Sendable, Hashable {
    var resources = false
    var prompts = false
    /// Whether it tells of changes.
    var watching = false

    /// As `initialize` and `server/discover` declare them.
    func capabilities(for revision: ProtocolRevision) -> JSONValue {
        let changing: JSONValue = watching ? ["listChanged": true] : [:]
        var members: JSONObject = ["tools": changing]
        if resources { members["resources"] = watching ? ["subscribe": true, "listChanged": true] : [:] }
        if prompts { members["prompts"] = changing }
        if resources || prompts, revision.hasToolAnnotations { members["completions"] = [:] }
        members["logging"] = [:]
        return .object(members)
    }
}

extension ServerSession.Configuration {
    /// The result of `initialize`.
    func initializeResult(for revision: ProtocolRevision) -> JSONValue {
        var result: JSONObject = [
            "protocolVersion": .string(revision.rawValue),
            "capabilities": features.capabilities(for: revision),
            "serverInfo": info.implementation(for: revision),
        ]
        if let instructions = info.instructions { result["instructions"] = .string(instructions) }
        return .object(result)
    }

    /// The result of `server/discover`, before what all results have is added.
    func discoverResult(for revision: ProtocolRevision) -> JSONObject {
        var result: JSONObject = [
            "supportedVersions": .array(ProtocolRevision.newestFirst.map { .string($0.rawValue) }),
            "capabilities": features.capabilities(for: revision),
        ]
        if let instructions = info.instructions { result["instructions"] = .string(instructions) }
        return result
    }
}
