import Chat
import Domain
import LLM

/// A message as the API shows it.
struct ChatMessageWire: DocumentedWireType, Hashable {
    let id: ChatMessageID
    let conversationId: ConversationID
    let parentId: ChatMessageID?
    let role: String
    let content: String
    let citations: [Citation]
    let runId: RunID?
    let createdTime: String

    init(_ message: ChatMessage) {
        id = message.id
        conversationId = message.conversation
        parentId = message.parent
        role = message.role.rawValue
        content = message.content
        citations = message.citations
        runId = message.run
        createdTime = message.createdTime.iso8601
    }

    static let schemaName = "ChatMessage"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.messageId.schema,
            "conversationId": PathParameter.conversationId.schema,
            "parentId": PathParameter.messageId.schema.described("Absent on a root of the tree."),
            "role": .string(enum: ["user", "assistant"]),
            "content": .string(description: "Of an answer that is being made: what there is so far."),
            "citations": .array(of: Citation.schema),
            "runId": PathParameter.runId.schema.described("The run that wrote it, or that answers it."),
            "createdTime": .string(format: "date-time"),
        ],
        required: ["id", "conversationId", "role", "content", "citations", "createdTime"],
        description: "A message of a conversation's tree."
    )
    static let sample = ChatMessageWire(
        ChatMessage(
            id: Sample.answer,
            conversation: Sample.conversation,
            parent: Sample.question,
            role: .assistant,
            content: "Helium is lighter than air [1].",
            citations: [.sample],
            run: Sample.run,
            createdTime: Sample.time
        )
    )
}

struct ChatMessageListWire: DocumentedWireType, Hashable {
    let messages: [ChatMessageWire]

    static let schemaName = "ChatMessageList"
    static let schema = JSONSchema.object(
        properties: ["messages": .array(of: ChatMessageWire.schema)],
        required: ["messages"],
        description: "The whole tree of a conversation, oldest first."
    )
    static let sample = ChatMessageListWire(messages: [.sample])
}

extension Citation {
    static let schema = JSONSchema.object(
        properties: [
            "marker": .string(description: "As it stands in the text, such as `[1]`."),
            "baseId": PathParameter.baseId.schema,
            "tableId": PathParameter.tableId.schema,
            "recordId": PathParameter.recordId.schema,
            "fieldId": JSONSchema(json: ["type": "string", "pattern": "^fld[A-Za-z0-9]{14}$"]),
            "quote": .string(description: "Verbatim from the cell."),
        ],
        required: ["marker", "baseId", "tableId", "recordId", "fieldId", "quote"],
        description: "Where an answer has something from. Made by the server, from what you may read."
    )
    static let sample = Citation(
        marker: "[1]",
        baseID: Sample.base,
        tableID: Sample.table,
        recordID: Sample.record,
        fieldID: Sample.state,
        quote: "Gas"
    )
}

/// A question.
struct SendMessageWire: DocumentedWireType, Hashable {
    var content: String
    var parentId: ChatMessageID?
    var settings: ChatSettings?

    static let schemaName = "SendMessage"
    static let schema = JSONSchema.object(
        properties: [
            "content": .string(description: "The question.", minLength: 1),
            "parentId": PathParameter.messageId.schema
                .described("The answer this goes on from. Left out: the newest."),
            "settings": ChatSettings.schema,
        ],
        required: ["content"],
        description: "A question, to be answered by a run of its own."
    )
    static let sample = SendMessageWire(content: "Which gas is lighter than air?", settings: ChatSettings())
}

/// Where a question's answer is made.
struct SentMessageWire: DocumentedWireType, Hashable {
    /// The question's.
    let messageId: ChatMessageID
    let runId: RunID

    init(_ run: ChatRun) {
        messageId = run.question
        runId = run.id
    }

    static let schemaName = "SentMessage"
    static let schema = JSONSchema.object(
        properties: [
            "messageId": PathParameter.messageId.schema.described("The question's."),
            "runId": PathParameter.runId.schema.described("The run that answers it: follow its events."),
        ],
        required: ["messageId", "runId"],
        description: "The question is stored, and its answer is being made."
    )
    static let sample = SentMessageWire(.sample)
}

/// A run as the API shows it.
struct ChatRunWire: DocumentedWireType, Hashable {
    let id: RunID
    let conversationId: ConversationID
    let questionId: ChatMessageID
    let answerId: ChatMessageID
    let state: String
    let endReason: EndReason?
    let model: String
    let usage: TokenUsage
    let lastSequence: Int
    let createdTime: String

    init(_ run: ChatRun) {
        id = run.id
        conversationId = run.conversation
        questionId = run.question
        answerId = run.answer
        state = run.state.rawValue
        endReason = run.endReason
        model = run.model
        usage = run.usage
        lastSequence = run.lastSequence
        createdTime = run.createdTime.iso8601
    }

    static let schemaName = "ChatRun"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.runId.schema,
            "conversationId": PathParameter.conversationId.schema,
            "questionId": PathParameter.messageId.schema,
            "answerId": PathParameter.messageId.schema,
            "state": .string(enum: ChatRun.State.allCases.map(\.rawValue)),
            "endReason": .string(
                description: "Absent while it runs.",
                enum: EndReason.allCases.map(\.rawValue)
            ),
            "model": .string(),
            "usage": ChatEventWire.usageSchema,
            "lastSequence": .integer(description: "Of its newest event.", minimum: 0),
            "createdTime": .string(format: "date-time"),
        ],
        required: [
            "id", "conversationId", "questionId", "answerId", "state", "model", "usage", "lastSequence", "createdTime",
        ],
        description: "One answer being made, or made."
    )
    static let sample = ChatRunWire(.sample)
}

extension ChatRun {
    static let sample = ChatRun(
        id: Sample.run,
        conversation: Sample.conversation,
        question: Sample.question,
        answer: Sample.answer,
        state: .completed,
        endReason: .complete,
        model: "gemini/gemini-flash-latest",
        usage: TokenUsage(input: 812, output: 31),
        lastSequence: 9,
        createdTime: Sample.time
    )
}

/// A ticket for a WebSocket.
struct TicketWire: DocumentedWireType, Hashable {
    let ticket: String
    let expiresTime: String

    static let schemaName = "SocketTicket"
    static let schema = JSONSchema.object(
        properties: [
            "ticket": .string(description: "For `/api/v1/chat/ws?ticket=…`, once."),
            "expiresTime": .string(format: "date-time"),
        ],
        required: ["ticket", "expiresTime"],
        description: "Opens one WebSocket, for whoever cannot send a key along with the handshake."
    )
    static let sample = TicketWire(
        ticket: "q1Vq0aKxN3zXgO1p3kKcH1vVqN7g0m2b4i8mJr5fW9E",
        expiresTime: Sample.time.iso8601
    )
}
