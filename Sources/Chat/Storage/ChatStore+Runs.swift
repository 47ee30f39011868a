import Database
package import Domain
import LLM

extension ChatStore {
    /// A run, and who may see it.
    package struct StoredRun: Sendable, Hashable {
        package var run: ChatRun
        package var conversation: StoredConversation
    }

    package func run(
        _ id: RunID,
        owner: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> StoredRun? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            let table = "chat_runs"
            let row = try transaction.firstRow(
                """
                SELECT r.conversation, r.question, r.answer, r.state, r.end_reason, r.model, r.usage, r.created_time,
                    (SELECT MAX(e.sequence) FROM chat_events e WHERE e.tenant = r.tenant AND e.run = r.id)
                FROM chat_runs r WHERE r.tenant = $1 AND r.id = $2
                """,
                [.id(tenant), .id(id)]
            )
            guard let row else { return nil }
            let conversation: ConversationID = try row.identifier(0, of: table)
            guard
                let stored = try Self.conversation(conversation, owner: owner, tenant: tenant, in: transaction)
            else { return nil }
            let run = ChatRun(
                id: id,
                conversation: conversation,
                question: try row.identifier(1, of: table),
                answer: try row.identifier(2, of: table),
                state: try row.value(ChatRun.State.self, 3, of: table),
                endReason: try row.optionalText(4) == nil ? nil : try row.value(EndReason.self, 4, of: table),
                model: try row.text(5),
                usage: try row.json(TokenUsage.self, 6, of: table),
                lastSequence: Int(try row.optionalInteger(8) ?? 0),
                createdTime: try row.instant(7)
            )
            return StoredRun(run: run, conversation: stored)
        }
    }

    /// Events of a run after a sequence, in order, at most `limit`.
    package func events(
        of run: RunID,
        after sequence: Int,
        limit: Int,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [ChatEvent] {
        let rows = try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                """
                SELECT wire FROM chat_events WHERE tenant = $1 AND run = $2 AND sequence > $3
                ORDER BY sequence LIMIT $4
                """,
                [.id(tenant), .id(run), SQLValue(sequence), SQLValue(limit)]
            )
        }
        return try rows.map { try ChatEvent(stored: $0.bytes(0)) }
    }

    /// Asks whichever process makes the run to end it.
    package func requestCancel(_ run: RunID, tenant: TenantID, deadline: ContinuousClock.Instant) async throws {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.execute(
                "UPDATE chat_runs SET cancel_requested = 1 WHERE tenant = $1 AND id = $2 AND state = 'running'",
                [.id(tenant), .id(run)]
            )
        }
    }

    /// The answer of a run by its stored events, and the number of those.
    static func answerText(
        of run: RunID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> (text: AnswerText, sequence: Int) {
        var text = AnswerText()
        var sequence = 0
        let rows = try transaction.rows(
            "SELECT wire FROM chat_events WHERE tenant = $1 AND run = $2 ORDER BY sequence",
            [.id(tenant), .id(run)]
        )
        for row in rows {
            let event = try ChatEvent(stored: row.bytes(0))
            try text.apply(event)
            sequence = event.sequence
        }
        return (text, sequence)
    }
}
