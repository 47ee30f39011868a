import Chat
import Domain

/// What the server says on chat's socket beside the events of runs, which stand there as they are everywhere.
struct ServerMessage: DocumentedWireType, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case accepted = "message.accepted"
        case following = "run.following"
        case cancelling = "run.cancelling"
        case pong
        case error
    }

    let json: JSONValue

    private init(_ kind: Kind, id: String?, _ members: KeyValuePairs<String, JSONValue> = [:]) {
        var object: JSONObject = ["type": .string(kind.rawValue)]
        object["id"] = id.map { .string($0) }
        for (key, value) in members { object[key] = value }
        json = .object(object)
    }

    /// The question is stored; its run's events follow.
    static func accepted(_ run: ChatRun, id: String?) -> Self {
        Self(
            .accepted,
            id: id,
            [
                "conversationId": .string(run.conversation.description),
                "messageId": .string(run.question.description), "runId": .string(run.id.description),
            ]
        )
    }

    /// The run's events above `after` follow.
    static func following(_ run: ChatRun, after: Int, id: String?) -> Self {
        Self(
            .following,
            id: id,
            [
                "runId": .string(run.id.description), "after": .number(JSONNumber(after)),
                "state": .string(run.state.rawValue), "lastSequence": .number(JSONNumber(run.lastSequence)),
            ]
        )
    }

    static func cancelling(_ run: RunID, id: String?) -> Self {
        Self(.cancelling, id: id, ["runId": .string(run.description)])
    }

    static func pong(id: String?) -> Self { Self(.pong, id: id) }

    /// - Parameter run: the one whose events end here, though it may go on.
    static func error(_ failure: any Failure, id: String?, run: RunID? = nil) -> Self {
        let cover = ProblemStatus.cover(for: failure.kind)
        var message = Self(
            .error,
            id: id,
            ["code": .string(failure.codeText), "message": .string(cover ?? failure.message)]
        )
        if cover == nil, let hint = failure.hint { message = message.adding("hint", .string(hint)) }
        if let run { message = message.adding("runId", .string(run.description)) }
        return message
    }

    private init(json: JSONValue) { self.json = json }

    private func adding(_ key: String, _ value: JSONValue) -> Self {
        var members = json.objectValue ?? JSONObject()
        members[key] = value
        return Self(json: .object(members))
    }

    init(from decoder: any Decoder) throws { json = try JSONValue(from: decoder) }
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    // MARK: Schema

    static let schemaName = "SocketServerMessage"
    static let schema = JSONSchema.oneOf(
        Kind.allCases.map { messageSchema(of: $0) } + [ChatEventWire.schema],
        description: "What the server says on chat's socket: events of runs as everywhere, and answers to messages."
    )
    static let sample = ServerMessage.accepted(.sample, id: "1")

    static func messageSchema(of kind: Kind) -> JSONSchema {
        let type = JSONSchema.constant(.string(kind.rawValue))
        let id = JSONSchema.string(description: "Of the message this answers.")
        let run = PathParameter.runId.schema
        let schema: JSONSchema =
            switch kind {
            case .accepted:
                .object(
                    properties: [
                        "type": type, "id": id, "conversationId": PathParameter.conversationId.schema,
                        "messageId": PathParameter.messageId.schema, "runId": run,
                    ],
                    required: ["type", "conversationId", "messageId", "runId"]
                )
            case .following:
                .object(
                    properties: [
                        "type": type, "id": id, "runId": run, "after": .integer(minimum: 0),
                        "state": .string(enum: ChatRun.State.allCases.map(\.rawValue)),
                        "lastSequence": .integer(minimum: 0),
                    ],
                    required: ["type", "runId", "after", "state", "lastSequence"]
                )
            case .cancelling: .object(properties: ["type": type, "id": id, "runId": run], required: ["type", "runId"])
            case .pong: .object(properties: ["type": type, "id": id], required: ["type"])
            case .error:
                .object(
                    properties: [
                        "type": type, "id": id, "code": .string(description: "A stable word for programs."),
                        "message": .string(), "hint": .string(),
                        "runId": run.described("Whose events end here; follow it again."),
                    ],
                    required: ["type", "code", "message"]
                )
            }
        return schema.titled(kind.rawValue)
    }
}
