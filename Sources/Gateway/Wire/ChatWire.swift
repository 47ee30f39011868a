public import Chat
public import Domain
import LLM

/// A conversation as the API shows it.
struct ConversationWire: DocumentedWireType, Hashable {
    let id: ConversationID
    let title: String
    let settings: ChatSettings
    let createdTime: String
    let updatedTime: String

    init(_ conversation: Conversation) {
        id = conversation.id
        title = conversation.title
        settings = conversation.settings
        createdTime = conversation.createdTime.iso8601
        updatedTime = conversation.updatedTime.iso8601
    }

    static let schemaName = "Conversation"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.conversationId.schema,
            "title": .string(description: "Empty until the first message or until you name it."),
            "settings": ChatSettings.schema,
            "createdTime": .string(format: "date-time"),
            "updatedTime": .string(format: "date-time"),
        ],
        required: ["id", "title", "settings", "createdTime", "updatedTime"],
        description: "A tree of messages that belongs to one user."
    )
    static let sample = ConversationWire(
        Conversation(
            id: Sample.conversation,
            owner: Sample.user,
            title: "Light gases",
            settings: ChatSettings(bases: ["Periodic table"]),
            createdTime: Sample.time,
            updatedTime: Sample.time
        )
    )
}

struct ConversationListWire: DocumentedWireType, Hashable {
    let conversations: [ConversationWire]
    /// Where the next page begins; absent on the last.
    let after: ConversationID?

    static let schemaName = "ConversationList"
    static let schema = JSONSchema.object(
        properties: [
            "conversations": .array(of: ConversationWire.schema, maxItems: Limits.conversationPage),
            "after": PathParameter.conversationId.schema
                .described("Give it back for the next page. Absent on the last one."),
        ],
        required: ["conversations"],
        description: "A page of your conversations, newest first."
    )
    static let sample = ConversationListWire(conversations: [.sample], after: Sample.conversation)
}

/// What a new conversation is made of, and what an existing one is changed to.
struct ConversationDraftWire: DocumentedWireType, Hashable {
    var title: String?
    var settings: ChatSettings?

    static let schemaName = "ConversationDraft"
    static let schema = JSONSchema.object(
        properties: [
            "title": .string(description: "Left out: none, or as it is.", maxLength: Limits.nameCharacters),
            "settings": ChatSettings.schema.described("Left out: the installation's, or as they are."),
        ],
        description: "What is named is set, the rest stays."
    )
    static let sample = ConversationDraftWire(title: "Light gases", settings: ChatSettings(bases: ["Periodic table"]))
}

extension ChatSettings: DocumentedWireType {
    static let schemaName = "ChatSettings"
    public static let schema = JSONSchema.object(
        properties: [
            "model": .string(
                description: "`gemini-flash-latest`, or with its provider: `openai/llama3.3`, `extractive`.",
                minLength: 1,
                maxLength: Limits.nameCharacters
            ),
            "bases": .array(
                of: .string(maxLength: Limits.nameCharacters),
                description: "Names or ids: only these are searched for grounding.",
                maxItems: Limits.searchPlaces
            ),
            "tables": .array(of: .string(maxLength: Limits.nameCharacters), maxItems: Limits.searchPlaces),
            "tools": .array(
                of: .string(maxLength: Limits.nameCharacters),
                description: "Of the tools that you may use, the model gets these only; none for an empty list.",
                maxItems: Limits.chatSettingsTools
            ),
            "temperature": .number(minimum: 0, maximum: 2),
            "outputTokensMax": .integer(description: "Of one answer.", minimum: 1),
        ],
        description: "What is left out falls back: message, conversation, installation."
    )
    static let sample = ChatSettings(model: "gemini-flash-latest", bases: ["Periodic table"], temperature: 0.2)
}

extension Sample {
    static let user = UserID("usrSample00000001")!
    static let conversation = ConversationID("cnvLightGases0001")!
    static let question = ChatMessageID("msgQuestion000001")!
    static let answer = ChatMessageID("msgAnswer00000001")!
    static let run = RunID("runAnswering00001")!
}
