import Chat
import Domain
import Foundation
import LLM
import Synchronization

@testable import Gateway

/// Chat in memory, without a model: conversations of their owners, runs whose events a test appends, followers that
/// get each event once and in order, whenever they come.
final class ScriptedChat: ChatServing {
    struct Missing: Failure {
        enum Code: String, Sendable { case notFound }
        let code = Code.notFound
        let message = "No such thing."
        var kind: FailureKind { .notFound }
    }

    private struct Place: Hashable {
        let tenant: TenantID
        let user: UserID
        init(_ context: RequestContext) { (tenant, user) = (context.tenant, context.principal.user) }
    }

    private struct Run {
        let place: Place
        var run: ChatRun
        var events: [ChatEvent] = []
    }

    private struct State {
        var conversations: [(place: Place, conversation: Conversation)] = []
        var messages: [ChatMessage] = []
        var runs: [RunID: Run] = [:]
        var waiting: [UUID: (run: RunID, above: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<RunID> = []
        var followCount = 0
        var play: @Sendable (ChatRun, ScriptedChat) -> Void = { _, _ in }
        var batch = 64
        var failure: (any Failure)?
    }

    private let state = Mutex(State())

    /// What happens as soon as a question is sent.
    func onSend(_ play: @escaping @Sendable (ChatRun, ScriptedChat) -> Void) { state.withLock { $0.play = play } }

    /// How many events a follower gets at once.
    func setBatch(_ count: Int) { state.withLock { $0.batch = count } }

    /// What the next follower meets in place of the run's end.
    func failFollowers(with failure: (any Failure)?) { state.withLock { $0.failure = failure } }

    var cancelled: Set<RunID> { state.withLock { $0.cancelled } }
    /// Followers there are now.
    var followers: Int { state.withLock { $0.followCount } }
    func events(of run: RunID) -> [ChatEvent] { state.withLock { $0.runs[run]?.events ?? [] } }

    @discardableResult
    func append(_ kind: ChatEvent.Kind, _ data: JSONObject, to id: RunID) -> Int {
        let (sequence, waiting) = state.withLock { state -> (Int, [CheckedContinuation<Void, any Error>]) in
            guard var run = state.runs[id] else { preconditionFailure("no run \(id)") }
            let sequence = run.events.count + 1
            run.events.append(
                ChatEvent(
                    conversation: run.run.conversation,
                    run: id,
                    sequence: sequence,
                    kind: kind,
                    time: Instant(milliseconds: 1_767_225_600_000 + Int64(sequence)),
                    data: data
                )
            )
            run.run.lastSequence = sequence
            if kind.isLast {
                run.run.state = ChatRun.State(rawValue: String(kind.rawValue.dropFirst(4))) ?? .completed
                run.run.endReason = data["endReason"]?.stringValue.flatMap(EndReason.init)
            }
            state.runs[id] = run
            let ready = state.waiting.filter { $0.value.run == id && $0.value.above < sequence }
            for key in ready.keys { state.waiting[key] = nil }
            return (sequence, ready.values.map(\.continuation))
        }
        for continuation in waiting { continuation.resume() }
        return sequence
    }

    /// Whose conversations there are.
    var owners: [UserID] { state.withLock { $0.conversations.map(\.conversation.owner) } }

    // MARK: ChatServing

    func createConversation(
        title: String?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> Conversation {
        let time = Instant(milliseconds: 1_767_225_600_000)
        let conversation = Conversation(
            id: .random(),
            owner: context.principal.user,
            title: title ?? "",
            settings: settings,
            createdTime: time,
            updatedTime: time
        )
        state.withLock { $0.conversations.insert((Place(context), conversation), at: 0) }
        return conversation
    }

    func conversations(limit: Int, after: ConversationID?, context: RequestContext) async throws -> [Conversation] {
        let own = state.withLock { $0.conversations.filter { $0.place == Place(context) }.map(\.conversation) }
        guard let after else { return Array(own.prefix(limit)) }
        guard let position = own.firstIndex(where: { $0.id == after }) else { throw Missing() }
        return Array(own[(position + 1)...].prefix(limit))
    }

    func conversation(_ id: ConversationID, context: RequestContext) async throws -> Conversation {
        let found = state.withLock { state in
            state.conversations.first { $0.conversation.id == id && $0.place == Place(context) }
        }
        guard let found else { throw Missing() }
        return found.conversation
    }

    func updateConversation(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        context: RequestContext
    ) async throws -> Conversation {
        var conversation = try await conversation(id, context: context)
        if let title { conversation.title = title }
        if let settings { conversation.settings = settings }
        let changed = conversation
        state.withLock { state in
            for position in state.conversations.indices where state.conversations[position].conversation.id == id {
                state.conversations[position].conversation = changed
            }
        }
        return changed
    }

    func deleteConversation(_ id: ConversationID, context: RequestContext) async throws {
        _ = try await conversation(id, context: context)
        state.withLock { $0.conversations.removeAll { $0.conversation.id == id } }
    }

    func forget(_ user: UserID, context: RequestContext) async throws {
        state.withLock { state in
            state.conversations.removeAll { $0.conversation.owner == user && $0.place.tenant == context.tenant }
        }
    }

    func messages(of id: ConversationID, context: RequestContext) async throws -> [ChatMessage] {
        _ = try await conversation(id, context: context)
        return state.withLock { $0.messages.filter { $0.conversation == id } }
    }

    func send(
        _ content: String,
        to conversation: ConversationID,
        parent: ChatMessageID?,
        settings: ChatSettings,
        context: RequestContext
    ) async throws -> ChatRun {
        _ = try await self.conversation(conversation, context: context)
        let run = ChatRun(
            id: .random(),
            conversation: conversation,
            question: .random(),
            answer: .random(),
            state: .running,
            endReason: nil,
            model: settings.model ?? "scripted/test",
            usage: TokenUsage(),
            lastSequence: 0,
            createdTime: Instant(milliseconds: 1_767_225_600_000)
        )
        let play = state.withLock { state in
            state.runs[run.id] = Run(place: Place(context), run: run)
            state.messages.append(
                ChatMessage(
                    id: run.question,
                    conversation: conversation,
                    parent: parent,
                    role: .user,
                    content: content,
                    citations: [],
                    run: run.id,
                    createdTime: run.createdTime
                )
            )
            return state.play
        }
        play(run, self)
        return run
    }

    func run(_ id: RunID, context: RequestContext) async throws -> ChatRun {
        guard let run = state.withLock({ $0.runs[id] }), run.place == Place(context) else { throw Missing() }
        return run.run
    }

    func follow(
        _ run: RunID,
        after: Int,
        context: RequestContext,
        onEvents: @Sendable ([ChatEvent]) async throws -> Void
    ) async throws {
        _ = try await self.run(run, context: context)
        state.withLock { $0.followCount += 1 }
        defer { state.withLock { $0.followCount -= 1 } }
        var position = after
        while true {
            let (events, isOver, failure) = state.withLock { state in
                let all = state.runs[run]?.events ?? []
                let next = Array(all.dropFirst(position).prefix(state.batch))
                let isOver = all.last?.kind.isLast == true && position + next.count >= all.count
                return (next, isOver, state.failure)
            }
            if !events.isEmpty { try await onEvents(events) }
            if let failure { throw failure }
            position += events.count
            if isOver { return }
            if events.isEmpty { try await wait(for: run, above: position) }
        }
    }

    func cancel(_ run: RunID, context: RequestContext) async throws {
        _ = try await self.run(run, context: context)
        state.withLock { _ = $0.cancelled.insert(run) }
    }

    private func wait(for run: RunID, above sequence: Int) async throws {
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if (state.runs[run]?.events.count ?? 0) > sequence { return .success(()) }
                    state.waiting[id] = (run, sequence, continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }
}

extension ScriptedChat {
    /// Plays a whole answer of `deltas` pieces of text, with a tool, a citation and usage.
    func playAnswer(to run: ChatRun, deltas: [String]) {
        let message = JSONValue.string(run.answer.description)
        append(
            .runStarted,
            [
                "questionId": .string(run.question.description), "answerId": message,
                "model": .string(run.model),
            ],
            to: run.id
        )
        append(
            .toolStarted,
            ["callId": "call_1", "name": "search_records", "arguments": ["query": "gas"]],
            to: run.id
        )
        append(
            .toolResult,
            ["callId": "call_1", "isError": false, "summary": "2 hits", "durationMs": 12],
            to: run.id
        )
        append(.messageStarted, ["messageId": message], to: run.id)
        for text in deltas { append(.textDelta, ["messageId": message, "text": .string(text)], to: run.id) }
        append(
            .citation,
            [
                "messageId": message, "marker": "[1]", "baseId": .string(Sample.base.description),
                "tableId": .string(Sample.table.description), "recordId": .string(Sample.record.description),
                "fieldId": .string(Sample.state.description), "quote": "Gas",
            ],
            to: run.id
        )
        append(
            .usage,
            ["input": 80, "cachedInput": 0, "output": .number(JSONNumber(deltas.count)), "thoughts": 0],
            to: run.id
        )
        finish(run)
    }

    func finish(_ run: ChatRun) {
        append(
            .runCompleted,
            ["endReason": "complete", "droppedCitations": 0, "messageId": .string(run.answer.description)],
            to: run.id
        )
    }

    /// Text of every length of UTF-8, with what breaks careless readers of lines.
    static func difficultText(_ count: Int) -> [String] {
        let pieces = [
            "Helium ", "é", "\u{2028}", "🜁🎈", "\n\n", "data: x\n", "\"\\", "\u{0000}\u{001F}", "漢字", "\r\n: ", "‮",
        ]
        return (0..<count).map { pieces[$0 % pieces.count] + "\($0)" }
    }
}

extension GatewayFixture {
    /// A conversation of the owner with one question and its whole answer.
    func answeredRun(deltas: [String] = ["Helium is ", "a gas [1]."]) async throws -> ChatRun {
        let run = try await openRun()
        chat.playAnswer(to: run, deltas: deltas)
        return try await chat.run(run.id, context: owner)
    }

    /// The same, with the answer still to be played.
    func openRun(by asker: Domain.RequestContext? = nil) async throws -> ChatRun {
        let context = asker ?? owner
        let conversation = try await chat.createConversation(title: nil, settings: ChatSettings(), context: context)
        return try await chat.send("?", to: conversation.id, parent: nil, settings: ChatSettings(), context: context)
    }
}
