public import Domain

/// What an edge asks of chat. Everything is within the caller's tenant and their own conversations; another's is
/// `notFound`. All of it needs the permission `chat`.
public protocol ChatServing: Sendable {
    func createConversation(
        title: String?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> Conversation

    /// Newest first.
    func conversations(limit: Int, after: ConversationID?, context: RequestContext) async throws -> [Conversation]

    func conversation(_ id: ConversationID, context: RequestContext) async throws -> Conversation

    /// Nil members stay as they are.
    func updateConversation(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        context: RequestContext
    ) async throws -> Conversation

    /// Ends its runs and removes it whole.
    func deleteConversation(_ id: ConversationID, context: RequestContext) async throws

    /// Removes all conversations of somebody who is no user any more, which nobody can see. For who has made sure of that;
    /// harmless when it was done.
    func forget(_ user: UserID, context: RequestContext) async throws

    /// The whole tree, oldest first.
    func messages(of id: ConversationID, context: RequestContext) async throws -> [ChatMessage]

    /// Stores the question and starts the run that answers it. The run belongs to the server and outlives the call.
    ///
    /// - Parameter parent: the answer this goes on from; nil for the newest.
    func send(
        _ content: String,
        to conversation: ConversationID,
        parent: ChatMessageID?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> ChatRun

    func run(_ id: RunID, context: RequestContext) async throws -> ChatRun

    /// Gives every event of a run with a sequence above `after`, in order, exactly once: those stored, then those to
    /// come, until the last one. `onEvents` is awaited; a slow reader reads from the store again, so nothing piles up.
    func follow(
        _ run: RunID,
        after: Int,
        context: RequestContext,
        onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws

    /// Asks a run to end; harmless when it has. Returns at once, the run's last event says when.
    func cancel(_ run: RunID, context: RequestContext) async throws
}
