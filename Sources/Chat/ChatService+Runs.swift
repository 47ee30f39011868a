import Access
public import Domain
import LLM

extension ChatService {
    // MARK: Asking

    /// - Throws: `ChatError` `emptyMessage`, `messageTooLong`, `invalidParent`, `answerUnfinished`, `conversationFull`,
    ///   `tooManyRuns`, `tooManyRunsOfUser`, `notRunning`, `invalidSettings`, `notFound`; `ModelError` when there is no
    ///   such model.
    public func send(
        _ content: String,
        to conversation: ConversationID,
        parent: ChatMessageID?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> ChatRun {
        let stored = try await visible(conversation, context)
        try Self.check(content)
        try Self.check(settings)
        let settings = settings.falling(back: stored.conversation.settings)
        let models = try models(settings)
        let user = context.principal.user
        try keeper.admit(user)
        do {
            let order = try await store(Self.clean(content), parent, settings, models, conversation, context)
            keeper.start(order)
            return order.run
        } catch {
            keeper.leave(user)
            throw error
        }
    }

    /// What answers.
    ///
    /// - Throws: `ChatError.invalidSettings` when it is the conversation or the caller who names a model that is not here.
    private func models(_ settings: ChatSettings) throws -> [any LanguageModel] {
        do {
            return try performer.models(for: settings.model)
        } catch let error as ModelError
            where settings.model != nil && [.modelNotFound, .notConfigured].contains(error.code)
        {
            throw ChatError(.invalidSettings, error.message, hint: error.hint)
        }
    }

    private func store(
        _ content: String,
        _ parent: ChatMessageID?,
        _ settings: ChatSettings,
        _ models: [any LanguageModel],
        _ conversation: ConversationID,
        _ context: RequestContext
    ) async throws -> RunOrder {
        let process = try await keeper.process(deadline: context.deadline)
        let run = ChatRun(
            id: .random(),
            conversation: conversation,
            question: .random(),
            answer: .random(),
            state: .running,
            endReason: nil,
            model: (models.first?.name ?? ExtractiveModel.name).description,
            usage: TokenUsage(),
            lastSequence: 0,
            createdTime: now()
        )
        let channel = try keeper.channel(for: run, tenant: context.tenant)
        let reach = ChatReach(try await access.visibleScope(for: context, doing: .chat))
        let turns = try await store.begin(
            ChatStore.RunDraft(
                run: run,
                content: content,
                parent: parent,
                prompt: performer.prompt.version,
                process: process,
                bases: reach.bases,
                narrowing: reach.narrowing
            ),
            owner: context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        return RunOrder(
            run: run,
            question: content,
            settings: settings,
            turns: turns,
            models: models,
            context: access.child(of: context, timeout: Limits.chatRunTime),
            channel: channel
        )
    }

    private static func check(_ content: String) throws(ChatError) {
        guard content.contains(where: { !$0.isWhitespace }) else {
            throw ChatError(.emptyMessage, "The message is empty.")
        }
        let length = content.unicodeScalars.count
        guard length <= Limits.chatMessageCharacters else {
            throw ChatError(
                .messageTooLong,
                "A message has at most \(Limits.chatMessageCharacters) characters, received \(length)."
            )
        }
    }

    // MARK: Following

    public func run(_ id: RunID, context: RequestContext) async throws -> ChatRun {
        try context.require(.chat)
        let reach = ChatReach(try await access.visibleScope(for: context, doing: .chat))
        let stored = try await store.run(
            id,
            owner: context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        guard let stored, stored.conversation.isVisible(within: reach) else { throw ChatError.notFound("run") }
        return stored.run
    }

    /// The context's deadline bounds the beginning only: following takes as long as the run, or until the key that it
    /// began with has died.
    public func follow(
        _ id: RunID,
        after: Int,
        context: RequestContext,
        onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws {
        do {
            try await followToEnd(id, after: after, context, onEvents)
        } catch {
            // What the database says of a reader who went away is not what went wrong.
            try Task.checkCancellation()
            throw error
        }
    }

    private func followToEnd(
        _ id: RunID,
        after: Int,
        _ context: RequestContext,
        _ onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws {
        // First, so that a run that ends meanwhile is followed to its end here.
        let channel = keeper.channel(id)
        _ = try await run(id, context: context)
        var sequence = max(0, after)
        var source = channel
        var admitted = ContinuousClock.now
        func show(_ events: [ChatEvent]) async throws {
            try await readmit(context, &admitted)
            try await onEvents(events)
        }
        while true {
            try Task.checkCancellation()
            if let channel = source {
                switch try await channel.next(after: sequence) {
                case .events(let events):
                    try await show(events)
                    sequence = events.last?.sequence ?? sequence
                    if events.last?.kind.isLast == true { return }
                    continue
                case .over: return
                case .inStore: break
                case .lost: source = nil
                }
            }
            let events = try await store.events(
                of: id,
                after: sequence,
                limit: Limits.chatEventPage,
                tenant: context.tenant,
                deadline: .now + Self.readTime
            )
            if events.isEmpty {
                if source == nil, try await isOver(id, after: sequence, context) { return }
                // Another process makes it, or it was deleted: only the database tells.
                source = nil
                try await Task.sleep(for: RunKeeper.cancelPoll)
                continue
            }
            try await show(events)
            sequence = events.last?.sequence ?? sequence
            if events.last?.kind.isLast == true { return }
        }
    }

    /// Looks again whether whoever follows may still do so; a run can take minutes, and a key dies within a second.
    private func readmit(_ context: RequestContext, _ last: inout ContinuousClock.Instant) async throws {
        guard last.duration(to: .now) >= rightsAge else { return }
        do {
            try await access.renewed(context, timeout: Self.readTime).require(.chat)
            last = .now
        } catch let error as AccessError {
            throw error
        } catch {
            try Task.checkCancellation()
            // The database is busy: the next events ask again.
        }
    }

    /// Whether nothing is to come after `sequence`, the last that the reader has.
    private func isOver(_ id: RunID, after sequence: Int, _ context: RequestContext) async throws -> Bool {
        let stored = try await store.run(
            id,
            owner: context.principal.user,
            tenant: context.tenant,
            deadline: .now + Self.readTime
        )
        guard let stored else { throw ChatError.notFound("run") }
        return stored.run.state != .running && stored.run.lastSequence <= sequence
    }

    public func cancel(_ id: RunID, context: RequestContext) async throws {
        let run = try await run(id, context: context)
        guard run.state == .running, !keeper.cancel(id) else { return }
        try await store.requestCancel(id, tenant: context.tenant, deadline: context.deadline)
    }
}
