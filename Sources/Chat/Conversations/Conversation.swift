public import Domain
public import LLM

/// A conversation: a tree of messages that belongs to one user.
public struct Conversation: Sendable, Hashable {
    public var id: ConversationID
    public var owner: UserID
    /// Empty until the first message or the owner names it.
    public var title: String
    public var settings: ChatSettings
    public var createdTime: Instant
    public var updatedTime: Instant

    public init(
        id: ConversationID,
        owner: UserID,
        title: String,
        settings: ChatSettings,
        createdTime: Instant,
        updatedTime: Instant
    ) {
        self.id = id
        self.owner = owner
        self.title = title
        self.settings = settings
        self.createdTime = createdTime
        self.updatedTime = updatedTime
    }
}

/// What an asker may choose. Unset members fall back: message, conversation, installation.
public struct ChatSettings: Sendable, Hashable, Codable {
    /// `gemini-flash-latest`, or with its provider: `openai/llama3.3`, `extractive`.
    public var model: String?
    /// Names or ids: only these are searched for grounding.
    public var bases: [String]?
    public var tables: [String]?
    /// Names of tools: of those the asker may use, only these are offered to the model; none for an empty list.
    public var tools: [String]?
    public var temperature: Double?
    public var outputTokensMax: Int?

    public init(
        model: String? = nil,
        bases: [String]? = nil,
        tables: [String]? = nil,
        tools: [String]? = nil,
        temperature: Double? = nil,
        outputTokensMax: Int? = nil
    ) {
        self.model = model
        self.bases = bases
        self.tables = tables
        self.tools = tools
        self.temperature = temperature
        self.outputTokensMax = outputTokensMax
    }
}

/// A message of the tree, as people see it.
public struct ChatMessage: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable {
        case user, assistant
    }

    public var id: ChatMessageID
    public var conversation: ConversationID
    public var parent: ChatMessageID?
    public var role: Role
    /// Of an unfinished answer: what there is so far.
    public var content: String
    public var citations: [Citation]
    /// The run that wrote it, or that answers it.
    public var run: RunID?
    public var createdTime: Instant

    public init(
        id: ChatMessageID,
        conversation: ConversationID,
        parent: ChatMessageID?,
        role: Role,
        content: String,
        citations: [Citation],
        run: RunID?,
        createdTime: Instant
    ) {
        self.id = id
        self.conversation = conversation
        self.parent = parent
        self.role = role
        self.content = content
        self.citations = citations
        self.run = run
        self.createdTime = createdTime
    }
}

/// Where an answer has something from. Made by the server only, from what the asker may read.
public struct Citation: Sendable, Hashable, Codable {
    /// As it stands in the text, such as `[1]`.
    public var marker: String
    public var baseID: BaseID
    public var tableID: TableID
    public var recordID: RecordID
    public var fieldID: FieldID
    /// Verbatim from the cell.
    public var quote: String

    public init(
        marker: String,
        baseID: BaseID,
        tableID: TableID,
        recordID: RecordID,
        fieldID: FieldID,
        quote: String
    ) {
        self.marker = marker
        self.baseID = baseID
        self.tableID = tableID
        self.recordID = recordID
        self.fieldID = fieldID
        self.quote = quote
    }

    private enum CodingKeys: String, CodingKey {
        case marker, quote
        case baseID = "baseId"
        case tableID = "tableId"
        case recordID = "recordId"
        case fieldID = "fieldId"
    }
}

/// One answer being made, or made.
public struct ChatRun: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        case running, completed, failed, cancelled, interrupted
    }

    public var id: RunID
    public var conversation: ConversationID
    /// The question.
    public var question: ChatMessageID
    /// The answer.
    public var answer: ChatMessageID
    public var state: State
    public var endReason: EndReason?
    public var model: String
    public var usage: TokenUsage
    /// The sequence of its newest event.
    public var lastSequence: Int
    public var createdTime: Instant

    public init(
        id: RunID,
        conversation: ConversationID,
        question: ChatMessageID,
        answer: ChatMessageID,
        state: State,
        endReason: EndReason?,
        model: String,
        usage: TokenUsage,
        lastSequence: Int,
        createdTime: Instant
    ) {
        self.id = id
        self.conversation = conversation
        self.question = question
        self.answer = answer
        self.state = state
        self.endReason = endReason
        self.model = model
        self.usage = usage
        self.lastSequence = lastSequence
        self.createdTime = createdTime
    }
}
