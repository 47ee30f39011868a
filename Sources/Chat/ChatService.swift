package import Access
package import Airtable
package import Database
public import Domain
import LLM
package import Logging
package import Search

/// Conversations with the records: stores questions, has them answered by runs of its own, and shows every event of
/// them to whoever may see it, as often as asked.
///
/// Copies share one keeper of runs, whose `run()` is a member of the process's service group. Any number of processes
/// may share a database: each makes its own runs and follows everybody's.
public struct ChatService: ChatServing {
    let store: ChatStore
    let keeper: RunKeeper
    let access: AccessService
    let performer: any RunPerforming
    let now: InstantSource

    /// How long a read on behalf of a follower may take: following has no end of its own.
    static let readTime = Duration.seconds(30)
    /// A follower's rights are looked at again before events when they are older.
    var rightsAge = Duration.seconds(1)

    /// - Parameters:
    ///   - now: for stored times and leases.
    ///   - mark: tells others of this machine whether the process is still there; see `ProcessMark`.
    package init(
        database: any SQLDatabase,
        access: AccessService,
        airtable: AirtableService,
        search: SearchService,
        extractor: any Extracting,
        performer: any RunPerforming,
        logger: Logger,
        now: @escaping InstantSource = { .now() },
        mark: String = ProcessMark.own,
        isGone: @escaping @Sendable (String) -> Bool = ProcessMark.isGone
    ) {
        self.access = access
        self.performer = performer
        self.now = now
        store = ChatStore(database: database)
        keeper = RunKeeper(
            store: store,
            maker: RunMaker(airtable: airtable, search: search, extractor: extractor, performer: performer),
            logger: logger,
            now: now,
            mark: mark,
            isGone: isGone
        )
    }

    /// Makes runs until the task is cancelled; those that are not done then end as `interrupted`.
    ///
    /// - Throws: errors of the database at the start.
    public func run() async throws { try await keeper.run() }

    // MARK: Conversations

    public func createConversation(
        title: String?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> Conversation {
        try context.require(.chat)
        try Self.check(title: title)
        try Self.check(settings)
        let time = now()
        let conversation = Conversation(
            id: .random(),
            owner: context.principal.user,
            title: Self.clean(title ?? ""),
            settings: settings,
            createdTime: time,
            updatedTime: time
        )
        // Nothing has been asked, so no base has left a trace.
        try await store.insert(
            ChatStore.StoredConversation(conversation: conversation, bases: []),
            tenant: context.tenant,
            deadline: context.deadline
        )
        return conversation
    }

    public func conversations(
        limit: Int,
        after: ConversationID?,
        context: RequestContext
    ) async throws -> [Conversation] {
        try context.require(.chat)
        // One more than a page, by which a caller knows whether another one follows.
        guard (1...Limits.conversationPage + 1).contains(limit) else {
            throw ChatError(
                .invalidSettings,
                "A page has 1 to \(Limits.conversationPage) conversations, received \(limit)."
            )
        }
        return try await store.conversations(
            of: context.principal.user,
            within: ChatReach(try await access.visibleScope(for: context, doing: .chat)),
            limit: limit,
            after: after,
            tenant: context.tenant,
            deadline: context.deadline
        )
    }

    public func conversation(_ id: ConversationID, context: RequestContext) async throws -> Conversation {
        try await visible(id, context).conversation
    }

    public func updateConversation(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        context: RequestContext
    ) async throws -> Conversation {
        _ = try await visible(id, context)
        try Self.check(title: title)
        if let settings { try Self.check(settings) }
        try await store.update(
            id,
            title: title.map(Self.clean),
            settings: settings,
            time: now(),
            tenant: context.tenant,
            deadline: context.deadline
        )
        return try await conversation(id, context: context)
    }

    public func deleteConversation(_ id: ConversationID, context: RequestContext) async throws {
        _ = try await visible(id, context)
        for run in try await store.delete(id, tenant: context.tenant, deadline: context.deadline) {
            _ = keeper.cancel(run)
        }
    }

    public func forget(_ user: UserID, context: RequestContext) async throws {
        for run in try await store.deleteAll(of: user, tenant: context.tenant, deadline: context.deadline) {
            _ = keeper.cancel(run)
        }
    }

    public func messages(of id: ConversationID, context: RequestContext) async throws -> [ChatMessage] {
        _ = try await visible(id, context)
        return try await store.messages(of: id, tenant: context.tenant, deadline: context.deadline)
    }

    // MARK: Rights

    /// The conversation, when it is the caller's own and nothing outside their scope has left traces in it.
    func visible(_ id: ConversationID, _ context: RequestContext) async throws -> ChatStore.StoredConversation {
        try context.require(.chat)
        let reach = ChatReach(try await access.visibleScope(for: context, doing: .chat))
        let stored = try await store.conversation(
            id,
            owner: context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        guard let stored, stored.isVisible(within: reach) else { throw ChatError.notFound("conversation") }
        return stored
    }

    // MARK: Checks

    /// PostgreSQL keeps no U+0000.
    static func clean(_ text: String) -> String {
        text.contains("\0") ? text.replacing("\0", with: "\u{FFFD}") : text
    }

    private static func check(title: String?) throws(ChatError) {
        guard let title, title.unicodeScalars.count > Limits.nameCharacters else { return }
        throw ChatError(.invalidSettings, "A title has at most \(Limits.nameCharacters) characters.")
    }

    static func check(_ settings: ChatSettings) throws(ChatError) {
        if let temperature = settings.temperature, !(0...2).contains(temperature) {
            throw ChatError(.invalidSettings, "temperature is 0 to 2, received \(temperature).")
        }
        if let tokens = settings.outputTokensMax, !(1...1_000_000).contains(tokens) {
            throw ChatError(.invalidSettings, "outputTokensMax is 1 to 1,000,000, received \(tokens).")
        }
        for (name, places) in [("bases", settings.bases), ("tables", settings.tables)] {
            guard let places else { continue }
            guard places.count <= Limits.searchPlaces, places.allSatisfy({ $0.count <= Limits.nameCharacters }) else {
                throw ChatError(.invalidSettings, "\(name) names at most \(Limits.searchPlaces) places.")
            }
        }
        if let tools = settings.tools,
            tools.count > Limits.chatSettingsTools || tools.contains(where: { $0.count > Limits.nameCharacters })
        {
            throw ChatError(.invalidSettings, "tools names at most \(Limits.chatSettingsTools) tools.")
        }
        if let model = settings.model, model.count > Limits.nameCharacters || model.isEmpty {
            throw ChatError(.invalidSettings, "model is a model's name, such as gemini-flash-latest or extractive.")
        }
    }
}

extension ChatSettings {
    /// These, and where they say nothing, `other`.
    func falling(back other: ChatSettings) -> ChatSettings {
        ChatSettings(
            model: model ?? other.model,
            bases: bases ?? other.bases,
            tables: tables ?? other.tables,
            tools: tools ?? other.tools,
            temperature: temperature ?? other.temperature,
            outputTokensMax: outputTokensMax ?? other.outputTokensMax
        )
    }
}
