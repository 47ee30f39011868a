import Chat
import Domain

/// Stands where a server has no chat: each call says what is missing.
struct ChatUnavailable: ChatServing {
    struct Missing: Failure {
        enum Code: String, Sendable { case chatNotConfigured }

        let code = Code.chatNotConfigured
        let message = "This server has no chat."
        var kind: FailureKind { .notConfigured }
    }

    func createConversation(
        title: String?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> Conversation { throw Missing() }

    func conversations(limit: Int, after: ConversationID?, context: RequestContext) async throws -> [Conversation] {
        throw Missing()
    }

    func conversation(_ id: ConversationID, context: RequestContext) async throws -> Conversation { throw Missing() }

    func updateConversation(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        context: RequestContext
    ) async throws -> Conversation { throw Missing() }

    func deleteConversation(_ id: ConversationID, context: RequestContext) async throws { throw Missing() }

    /// There is nothing of anybody's.
    func forget(_ user: UserID, context: RequestContext) async throws {}

    func messages(of id: ConversationID, context: RequestContext) async throws -> [ChatMessage] { throw Missing() }

    func send(
        _ content: String,
        to conversation: ConversationID,
        parent: ChatMessageID?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> ChatRun { throw Missing() }

    func run(_ id: RunID, context: RequestContext) async throws -> ChatRun { throw Missing() }

    func follow(
        _ run: RunID,
        after: Int,
        context: RequestContext,
        onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws { throw Missing() }

    func cancel(_ run: RunID, context: RequestContext) async throws { throw Missing() }
}
