import Chat
import Domain

/// What a client says on chat's socket: one text message of JSON.
struct ClientMessage: DocumentedWireType, Hashable {
    enum Kind: String, Codable, Sendable, CaseIterable {
        case send = "message.send"
        case follow = "run.follow"
        case cancel = "run.cancel"
        case ping
    }

    enum Action: Sendable, Hashable {
        case send(ConversationID, content: String, parent: ChatMessageID?, settings: ChatSettings)
        case follow(RunID, after: Int)
        case cancel(RunID)
        case ping
    }

    /// Given back with what answers this message.
    let id: String?
    let action: Action

    init(id: String? = nil, _ action: Action) {
        self.id = id
        self.action = action
    }

    /// Reads one message.
    ///
    /// - Throws: `JSONError` for what is no JSON; `invalidBody` for what its type's schema refuses.
    init(parsing bytes: [UInt8]) throws {
        let value = try JSONValue(parsing: bytes)
        guard let kind = value["type"]?.stringValue.flatMap(Kind.init) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw GatewayError(.invalidBody, "The message's type is none of \(kinds).")
        }
        let violations = Self.messageSchema(of: kind).violations(of: value, limit: 5)
        guard violations.isEmpty else {
            throw GatewayError(
                .invalidBody,
                "The message does not fit: \(violations.map(\.description).joined(separator: "; ")).",
                hint: "docs/chat-events.md has every message"
            )
        }
        self = try JSONCoder.decode(Self.self, from: value)
    }

    /// The `id` of a message that could not be read, if that much could.
    static func id(in bytes: [UInt8]) -> String? {
        guard let id = (try? JSONValue(parsing: bytes))?["id"]?.stringValue else { return nil }
        return id.unicodeScalars.count <= idCharacters ? id : nil
    }

    private static let idCharacters = 64

    private enum CodingKeys: String, CodingKey {
        case type, id, conversationId, content, parentId, settings, runId, after
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        switch try container.decode(Kind.self, forKey: .type) {
        case .send:
            action = .send(
                try container.decode(ConversationID.self, forKey: .conversationId),
                content: try container.decode(String.self, forKey: .content),
                parent: try container.decodeIfPresent(ChatMessageID.self, forKey: .parentId),
                settings: try container.decodeIfPresent(ChatSettings.self, forKey: .settings) ?? ChatSettings()
            )
        case .follow:
            action = .follow(
                try container.decode(RunID.self, forKey: .runId),
                after: try container.decodeIfPresent(Int.self, forKey: .after) ?? 0
            )
        case .cancel: action = .cancel(try container.decode(RunID.self, forKey: .runId))
        case .ping: action = .ping
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .type)
        try container.encodeIfPresent(id, forKey: .id)
        switch action {
        case .send(let conversation, let content, let parent, let settings):
            try container.encode(conversation, forKey: .conversationId)
            try container.encode(content, forKey: .content)
            try container.encodeIfPresent(parent, forKey: .parentId)
            try container.encode(settings, forKey: .settings)
        case .follow(let run, let after):
            try container.encode(run, forKey: .runId)
            try container.encode(after, forKey: .after)
        case .cancel(let run): try container.encode(run, forKey: .runId)
        case .ping: break
        }
    }

    var kind: Kind {
        switch action {
        case .send: .send
        case .follow: .follow
        case .cancel: .cancel
        case .ping: .ping
        }
    }

    // MARK: Schema

    static let schemaName = "SocketClientMessage"
    static let schema = JSONSchema.oneOf(
        Kind.allCases.map { messageSchema(of: $0) },
        description: "What a client says on chat's socket. Its `id` comes back with the answer."
    )
    static let sample = ClientMessage(
        id: "1",
        .send(Sample.conversation, content: "Which gas is lighter than air?", parent: nil, settings: ChatSettings())
    )

    static func messageSchema(of kind: Kind) -> JSONSchema {
        let type = JSONSchema.constant(.string(kind.rawValue))
        let id = JSONSchema.string(description: "Of your choice.", maxLength: idCharacters)
        let run = PathParameter.runId.schema
        let schema: JSONSchema =
            switch kind {
            case .send:
                .object(
                    properties: [
                        "type": type, "id": id, "conversationId": PathParameter.conversationId.schema,
                        "content": .string(description: "The question.", minLength: 1),
                        "parentId": PathParameter.messageId.schema, "settings": ChatSettings.schema,
                    ],
                    required: ["type", "conversationId", "content"]
                )
            case .follow:
                .object(
                    properties: [
                        "type": type, "id": id, "runId": run,
                        "after": .integer(description: "The `seq` of the last event you have.", minimum: 0),
                    ],
                    required: ["type", "runId"]
                )
            case .cancel: .object(properties: ["type": type, "id": id, "runId": run], required: ["type", "runId"])
            case .ping: .object(properties: ["type": type, "id": id], required: ["type"])
            }
        return schema.titled(kind.rawValue)
    }
}
