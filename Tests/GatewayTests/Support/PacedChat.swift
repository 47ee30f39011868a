import Chat
import Domain
import LLM

/// Chat in memory whose answers take their time, can be stopped, and stand among the messages as far as they are: what
/// a page sees of a model.
actor PacedChat: ChatServing {
    struct Missing: Failure {
        enum Code: String, Sendable { case notFound }
        let code = Code.notFound
        let message = "There is no such thing."
        var kind: FailureKind { .notFound }
    }

    private struct Answer {
        var run: ChatRun
        let question: ChatMessage
        var events: [ChatEvent] = []
        var isCancelled = false

        var text: String {
            events.filter { $0.kind == .textDelta }.compactMap { $0.data["text"]?.stringValue }.joined()
        }
    }

    private let cited: Citation
    private let pieces: @Sendable (String) -> [String]
    private let pace: Duration
    private let time = Instant(milliseconds: 1_767_225_600_000)
    private var all: [Conversation] = []
    private var answers: [Answer] = []

    /// - Parameters:
    ///   - cited: what every answer cites.
    ///   - pace: how long the model takes for a piece.
    ///   - pieces: the answer to a question.
    init(citing cited: Citation, pace: Duration, _ pieces: @escaping @Sendable (String) -> [String]) {
        (self.cited, self.pace, self.pieces) = (cited, pace, pieces)
    }

    // MARK: Conversations

    func createConversation(
        title: String?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> Conversation {
        let conversation = Conversation(
            id: .random(),
            owner: context.principal.user,
            title: title ?? "",
            settings: settings,
            createdTime: time,
            updatedTime: time
        )
        all.insert(conversation, at: 0)
        return conversation
    }

    func conversations(limit: Int, after: ConversationID?, context: RequestContext) async throws -> [Conversation] {
        Array(all.prefix(limit))
    }

    func conversation(_ id: ConversationID, context: RequestContext) async throws -> Conversation {
        guard let found = all.first(where: { $0.id == id }) else { throw Missing() }
        return found
    }

    func updateConversation(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        context: RequestContext
    ) async throws -> Conversation {
        guard let position = all.firstIndex(where: { $0.id == id }) else { throw Missing() }
        if let title { all[position].title = title }
        return all[position]
    }

    func deleteConversation(_ id: ConversationID, context: RequestContext) async throws {
        _ = try await conversation(id, context: context)
        all.removeAll { $0.id == id }
    }

    func forget(_ user: UserID, context: RequestContext) async throws { all.removeAll { $0.owner == user } }

    func messages(of id: ConversationID, context: RequestContext) async throws -> [ChatMessage] {
        _ = try await conversation(id, context: context)
        return answers.filter { $0.run.conversation == id }.flatMap { answer in
            let message = ChatMessage(
                id: answer.run.answer,
                conversation: id,
                parent: answer.question.id,
                role: .assistant,
                content: answer.text,
                citations: answer.text.contains(cited.marker) ? [cited] : [],
                run: answer.run.id,
                createdTime: time
            )
            return [answer.question, message]
        }
    }

    // MARK: Runs

    func send(
        _ content: String,
        to conversation: ConversationID,
        parent: ChatMessageID?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> ChatRun {
        guard let position = all.firstIndex(where: { $0.id == conversation }) else { throw Missing() }
        if all[position].title.isEmpty { all[position].title = String(content.prefix(40)) }
        let newest = answers.last { $0.run.conversation == conversation }?.run.answer
        let run = ChatRun(
            id: .random(),
            conversation: conversation,
            question: .random(),
            answer: .random(),
            state: .running,
            endReason: nil,
            model: "scripted/paced",
            usage: TokenUsage(),
            lastSequence: 0,
            createdTime: time
        )
        let question = ChatMessage(
            id: run.question,
            conversation: conversation,
            parent: parent ?? newest,
            role: .user,
            content: content,
            citations: [],
            run: run.id,
            createdTime: time
        )
        answers.append(Answer(run: run, question: question))
        let place = answers.count - 1
        // Ends by itself, after its last piece or when it is stopped.
        Task { await make(place, pieces(content)) }
        return run
    }

    func run(_ id: RunID, context: RequestContext) async throws -> ChatRun { answers[try place(of: id)].run }

    func cancel(_ run: RunID, context: RequestContext) async throws { answers[try place(of: run)].isCancelled = true }

    func follow(
        _ run: RunID,
        after: Int,
        context: RequestContext,
        onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws {
        let place = try place(of: run)
        var position = after
        while true {
            let next = Array(answers[place].events.dropFirst(position))
            position += next.count
            if !next.isEmpty { try await onEvents(next) }
            if next.last?.kind.isLast == true || (next.isEmpty && answers[place].run.state != .running) { return }
            // Looks again, as a reader of a store does.
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func place(of run: RunID) throws -> Int {
        guard let place = answers.firstIndex(where: { $0.run.id == run }) else { throw Missing() }
        return place
    }

    private func make(_ place: Int, _ pieces: [String]) async {
        let run = answers[place].run
        let message = JSONValue.string(run.answer.description)
        append(
            .runStarted,
            [
                "questionId": .string(run.question.description), "answerId": message, "model": .string(run.model),
            ],
            place
        )
        append(.toolStarted, ["callId": "c1", "name": "search_records", "arguments": ["query": "gas"]], place)
        append(
            .toolResult,
            ["callId": "c1", "name": "search_records", "isError": false, "summary": "2 hits", "durationMs": 12.5],
            place
        )
        append(.messageStarted, ["messageId": message], place)
        var citation = (try? JSONCoder.value(of: cited))?.objectValue ?? [:]
        citation["messageId"] = message
        append(.citation, citation, place)
        for piece in pieces {
            if answers[place].isCancelled { return end(place, .cancelled, .runCancelled, .cancelled) }
            append(.textDelta, ["messageId": message, "text": .string(piece)], place)
            try? await Task.sleep(for: pace)
        }
        end(place, .completed, .runCompleted, .complete)
    }

    private func end(_ place: Int, _ state: ChatRun.State, _ kind: ChatEvent.Kind, _ reason: EndReason) {
        let message = JSONValue.string(answers[place].run.answer.description)
        append(kind, ["endReason": .string(reason.rawValue), "droppedCitations": 0, "messageId": message], place)
        answers[place].run.state = state
        answers[place].run.endReason = reason
    }

    private func append(_ kind: ChatEvent.Kind, _ data: JSONObject, _ place: Int) {
        let sequence = answers[place].events.count + 1
        answers[place].run.lastSequence = sequence
        answers[place].events.append(
            ChatEvent(
                conversation: answers[place].run.conversation,
                run: answers[place].run.id,
                sequence: sequence,
                kind: kind,
                time: time,
                data: data
            )
        )
    }
}
