import Chat
import Domain
import LLM

/// An event of a run as every way out shows it, with the schema of each kind's data.
struct ChatEventWire: DocumentedWireType, Hashable {
    let json: JSONValue

    init(_ event: ChatEvent) { json = event.wire }

    init(from decoder: any Decoder) throws { json = try JSONValue(from: decoder) }
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    static let schemaName = "ChatEvent"
    static let schema = JSONSchema.oneOf(
        ChatEvent.Kind.allCases.map { eventSchema(of: $0) },
        description: "Something that happened in a run. docs/chat-events.md tells how to follow and resume."
    )

    /// One kind's event.
    static func eventSchema(of kind: ChatEvent.Kind) -> JSONSchema {
        JSONSchema.object(
            properties: [
                "seq": .integer(description: "1, 2, 3 … within its run, without a gap.", minimum: 1),
                "type": .constant(.string(kind.rawValue)),
                "conversationId": PathParameter.conversationId.schema,
                "runId": PathParameter.runId.schema,
                "time": .string(format: "date-time"),
                "data": dataSchema(of: kind),
            ],
            required: ["seq", "type", "conversationId", "runId", "time", "data"]
        ).titled(kind.rawValue)
    }

    static let usageSchema = JSONSchema.object(
        properties: [
            "input": .integer(description: "Tokens read, those from a cache included.", minimum: 0),
            "cachedInput": .integer(minimum: 0),
            "output": .integer(description: "Tokens written, thoughts not included.", minimum: 0),
            "thoughts": .integer(minimum: 0),
        ],
        required: ["input", "cachedInput", "output", "thoughts"]
    )

    private static let message = PathParameter.messageId.schema

    /// Data may gain members: clients skip those they do not know.
    static func dataSchema(of kind: ChatEvent.Kind) -> JSONSchema {
        switch kind {
        case .runStarted:
            data(
                ["questionId": message, "answerId": message, "model": .string()],
                required: ["questionId", "answerId", "model"]
            )
        case .messageStarted: data(["messageId": message], required: ["messageId"])
        case .textDelta: data(["messageId": message, "text": .string()], required: ["messageId", "text"])
        case .textVoided:
            data(
                [
                    "messageId": message,
                    "offset": .integer(description: "UTF-8 bytes of the message that stay.", minimum: 0),
                ],
                required: ["messageId", "offset"]
            )
        case .toolStarted:
            data(
                ["callId": .string(), "name": .string(), "arguments": .any],
                required: ["callId", "name", "arguments"]
            )
        case .toolResult:
            data(
                [
                    "callId": .string(description: "As `tool.started` had it."), "isError": .boolean(),
                    "summary": .string(description: "One line for people."), "durationMs": .integer(minimum: 0),
                ],
                required: ["callId", "isError", "summary", "durationMs"]
            )
        case .citation: citation
        case .usage: usageSchema
        case .runCompleted, .runFailed, .runCancelled, .runInterrupted: end
        }
    }

    private static let citation = data(
        [
            "messageId": message, "marker": .string(), "baseId": PathParameter.baseId.schema,
            "tableId": PathParameter.tableId.schema, "recordId": PathParameter.recordId.schema,
            "fieldId": JSONSchema(json: ["type": "string", "pattern": "^fld[A-Za-z0-9]{14}$"]),
            "quote": .string(description: "Verbatim from the cell."),
        ],
        required: ["messageId", "marker", "baseId", "tableId", "recordId", "fieldId", "quote"]
    )

    private static let end = data(
        [
            "endReason": .string(enum: EndReason.allCases.map(\.rawValue)),
            "message": .string(description: "For people: what went wrong and what to do."),
            "droppedCitations": .integer(
                description: "References that the model made up, or to what you may not read.",
                minimum: 0
            ),
            "messageId": message,
        ],
        required: ["endReason", "droppedCitations", "messageId"]
    )

    private static func data(_ properties: KeyValuePairs<String, JSONSchema>, required: [String]) -> JSONSchema {
        .object(properties: properties, required: required, additionalProperties: .any)
    }

    static let sample = ChatEventWire(
        ChatEvent(
            conversation: Sample.conversation,
            run: Sample.run,
            sequence: 3,
            kind: .textDelta,
            time: Sample.time,
            data: ["messageId": .string(Sample.answer.description), "text": "Helium is lighter"]
        )
    )
}
