import Database
package import Domain
package import LLM

extension ChatStore {
    /// A question that came in, and the run that is to answer it.
    package struct RunDraft: Sendable, Hashable {
        package var run: ChatRun
        package var content: String
        /// The answer it goes on from; nil for the newest one.
        package var parent: ChatMessageID?
        package var prompt: String
        package var process: String
        /// The asker's scope: it becomes part of the conversation's.
        package var bases: Set<BaseID>?
        package var narrowing: String?

        package init(
            run: ChatRun,
            content: String,
            parent: ChatMessageID?,
            prompt: String,
            process: String,
            bases: Set<BaseID>?,
            narrowing: String? = nil
        ) {
            self.run = run
            self.content = content
            self.parent = parent
            self.prompt = prompt
            self.process = process
            self.bases = bases
            self.narrowing = narrowing
        }
    }

    /// What an earlier turn of a branch left for the next one.
    package struct Turn: Sendable, Hashable {
        package var history: [ModelMessage]
        package var evidence: [EvidencePlace]
        /// As it was asked.
        package var question: String
    }

    /// Stores question, empty answer and run, if the conversation is there and can go on.
    ///
    /// - Returns: the turns before, oldest first.
    /// - Throws: `ChatError` `notFound`, `invalidParent`, `answerUnfinished`, `conversationFull`, `notRunning`.
    package func begin(
        _ draft: RunDraft,
        owner: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [Turn] {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let run = draft.run
            // Locks the conversation: whoever else asks in it waits.
            let found = try transaction.execute(
                """
                UPDATE chat_conversations SET positions = positions + 2, updated_time = $4
                WHERE tenant = $1 AND id = $2 AND owner = $3 AND deleted = 0
                """,
                [.id(tenant), .id(run.conversation), .id(owner), .instant(run.createdTime)]
            )
            guard found == 1 else { throw ChatError.notFound("conversation") }
            guard try Self.holdsLease(draft.process, in: transaction) else { throw ChatError.notRunning }
            // Before anything is said of what the conversation holds: the asker may see less than it does.
            let position = try Self.adopt(draft, tenant: tenant, in: transaction)
            let parent = try Self.parent(of: draft, tenant: tenant, in: transaction)
            let turns = try Self.turns(upTo: parent, tenant: tenant, in: transaction)
            let rows: [(Int64, ChatMessageID, ChatMessageID?, ChatMessage.Role, String)] = [
                (position - 1, run.question, parent, .user, draft.content),
                (position, run.answer, run.question, .assistant, ""),
            ]
            for (position, id, parent, role, content) in rows {
                try transaction.execute(
                    """
                    INSERT INTO chat_messages
                        (tenant, conversation, position, id, parent, role, content, citations, run, created_time)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, '[]', $8, $9)
                    """,
                    [
                        .id(tenant), .id(run.conversation), .integer(position), .id(id), .id(parent),
                        .text(role.rawValue), .text(content), .id(run.id), .instant(run.createdTime),
                    ]
                )
            }
            try transaction.execute(
                """
                INSERT INTO chat_runs (tenant, id, conversation, question, answer, model, prompt, state, usage, process,
                    cancel_requested, created_time)
                VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, 0, $10)
                """,
                [
                    .id(tenant), .id(run.id), .id(run.conversation), .id(run.question), .id(run.answer),
                    .text(run.model), .text(draft.prompt), try .json(run.usage), .text(draft.process),
                    .instant(run.createdTime),
                ]
            )
            return turns
        }
    }

    /// The whole tree, oldest first; of answers that are being made, what there is.
    package func messages(
        of conversation: ConversationID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [ChatMessage] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            let table = "chat_messages"
            let running = Set(
                try transaction.rows(
                    "SELECT id FROM chat_runs WHERE tenant = $1 AND conversation = $2 AND state = 'running'",
                    [.id(tenant), .id(conversation)]
                ).map { try $0.text(0) }
            )
            return try transaction.rows(
                """
                SELECT id, parent, role, content, citations, run, created_time FROM chat_messages
                WHERE tenant = $1 AND conversation = $2 ORDER BY position
                """,
                [.id(tenant), .id(conversation)]
            ).map { row in
                var message = ChatMessage(
                    id: try row.identifier(0, of: table),
                    conversation: conversation,
                    parent: try row.optionalIdentifier(1, of: table),
                    role: try row.value(ChatMessage.Role.self, 2, of: table),
                    content: try row.text(3),
                    citations: try row.json([Citation].self, 4, of: table),
                    run: try row.optionalIdentifier(5, of: table),
                    createdTime: try row.instant(6)
                )
                if let run = message.run, message.role == .assistant, running.contains(run.description) {
                    let text = try Self.answerText(of: run, tenant: tenant, in: transaction).text
                    message.content = text.content
                    message.citations = text.standing
                }
                return message
            }
        }
    }

    // MARK: Parts of begin

    /// The answer that the question goes on from, checked; nil at the root.
    private static func parent(
        of draft: RunDraft,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> ChatMessageID? {
        let row =
            if let parent = draft.parent {
                try transaction.firstRow(
                    """
                    SELECT m.id, m.role, r.state FROM chat_messages m
                    JOIN chat_runs r ON r.tenant = m.tenant AND r.id = m.run
                    WHERE m.tenant = $1 AND m.conversation = $2 AND m.id = $3
                    """,
                    [.id(tenant), .id(draft.run.conversation), .id(parent)]
                )
            } else {
                try transaction.firstRow(
                    """
                    SELECT m.id, m.role, r.state FROM chat_messages m
                    JOIN chat_runs r ON r.tenant = m.tenant AND r.id = m.run
                    WHERE m.tenant = $1 AND m.conversation = $2 ORDER BY m.position DESC LIMIT 1
                    """,
                    [.id(tenant), .id(draft.run.conversation)]
                )
            }
        guard let row else {
            if draft.parent == nil { return nil }
            throw ChatError(.invalidParent, "The parent is no message of this conversation.")
        }
        guard try row.value(ChatMessage.Role.self, 1, of: "chat_messages") == .assistant else {
            throw ChatError(.invalidParent, "The parent is a question; a message goes on from an answer.")
        }
        guard try row.value(ChatRun.State.self, 2, of: "chat_runs") != .running else {
            throw ChatError(
                .answerUnfinished,
                "The answer before is still being made.",
                hint: "wait for its last event, or cancel its run"
            )
        }
        return try row.identifier(0, of: "chat_messages")
    }

    /// Widens the conversation's scope by the asker's, and names it by its first question.
    ///
    /// - Returns: the position of the answer.
    private static func adopt(_ draft: RunDraft, tenant: TenantID, in transaction: any Transaction) throws -> Int64 {
        let key: [SQLValue] = [.id(tenant), .id(draft.run.conversation)]
        let table = "chat_conversations"
        let row = try transaction.firstRow(
            "SELECT positions, title, bases, narrowing FROM chat_conversations WHERE tenant = $1 AND id = $2",
            key
        )
        guard let row else { throw ChatError.notFound("conversation") }
        let position = try row.integer(0)
        guard position <= Limits.chatMessages else {
            throw ChatError(
                .conversationFull,
                "A conversation has at most \(Limits.chatMessages) messages.",
                hint: "start another one"
            )
        }
        let stored = try row.optionalText(2) == nil ? nil : Set(try row.json([BaseID].self, 2, of: table))
        // Somebody who sees more may have asked since the asker was shown the conversation.
        let asker = ChatReach(bases: draft.bases, narrowing: draft.narrowing)
        guard asker.covers(bases: stored, narrowing: try row.optionalText(3)) else {
            throw ChatError.notFound("conversation")
        }
        let bases = stored == nil ? nil : draft.bases
        var title = try row.text(1)
        if title.isEmpty { title = Self.title(of: draft.content) }
        try transaction.execute(
            "UPDATE chat_conversations SET title = $3, bases = $4, narrowing = $5 WHERE tenant = $1 AND id = $2",
            key + [.text(title), try Self.text(of: bases), SQLValue(draft.narrowing)]
        )
        return position
    }

    /// The first line of the first question, cut between words.
    static func title(of content: String) -> String {
        let words = content.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        guard words.count > 80 else { return words.trimmingPrefix { $0.isWhitespace }.description }
        let cut = words.prefix(80)
        return (cut.lastIndex(of: " ").map { String(cut[..<$0]) } ?? String(cut)) + "…"
    }

    /// What the answers up to `parent` left, oldest first.
    private static func turns(
        upTo parent: ChatMessageID?,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [Turn] {
        guard let parent else { return [] }
        return try transaction.rows(
            """
            WITH RECURSIVE branch (id, parent, role, position) AS (
                SELECT id, parent, role, position FROM chat_messages WHERE tenant = $1 AND id = $2
                UNION ALL
                SELECT m.id, m.parent, m.role, m.position FROM chat_messages m
                JOIN branch b ON m.tenant = $1 AND m.id = b.parent
            )
            SELECT m.history, m.evidence, q.content FROM branch b
            JOIN chat_messages m ON m.tenant = $1 AND m.id = b.id
            JOIN chat_messages q ON q.tenant = $1 AND q.id = m.parent
            WHERE b.role = 'assistant' ORDER BY b.position
            """,
            [.id(tenant), .id(parent)]
        ).map { row in
            let evidence =
                try row.optionalText(1) == nil
                ? [] : try row.json([EvidencePlace].self, 1, of: "chat_messages")
            return Turn(history: try history(row), evidence: evidence, question: try row.text(2))
        }
    }

    private static func history(_ row: Row) throws -> [ModelMessage] {
        guard let bytes = try row.optionalBytes(0) else { return [] }
        do {
            return try JSONCoder.decode([ModelMessage].self, from: bytes, limits: .trusted)
        } catch {
            throw ChatError.corrupt("chat_messages", "history: \(error)")
        }
    }
}
