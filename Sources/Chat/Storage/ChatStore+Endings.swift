import Database
import Domain
import LLM

/// How runs end in the database, by themselves or by what a dead process left; and what conversations go on from.
///
/// A run's steps (`RunStep`) are stored as they are done. Its end makes them the answer's history, whoever ends it: the
/// question, whole atoms, and the text that people saw behind the last one.
extension ChatStore {
    /// A step as it is stored.
    static func row(_ step: RunStep, of batch: EventBatch) throws -> [SQLValue] {
        [
            .id(batch.tenant), .id(batch.run), SQLValue(step.ordinal), .bytes(try JSONCoder.encode(step.messages)),
            try .json(step.evidence), SQLValue(step.textBytes),
        ]
    }

    static func insertSteps(_ rows: [[SQLValue]], in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO chat_steps (tenant, run, ordinal, messages, evidence, text_bytes)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, run, ordinal) DO NOTHING
            """,
            each: rows
        )
    }

    static func conclude(
        _ run: RunID,
        _ conclusion: RunConclusion,
        at time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let key: [SQLValue] = [.id(tenant), .id(run)]
        let ended = try transaction.execute(
            """
            UPDATE chat_runs SET state = $3, end_reason = $4, model = $5, usage = $6, ended_time = $7
            WHERE tenant = $1 AND id = $2 AND state = 'running'
            """,
            key + [
                .text(conclusion.state.rawValue), .text(conclusion.reason.rawValue), .text(conclusion.model),
                try .json(conclusion.usage), .instant(time),
            ]
        )
        // Otherwise it is a repetition, after which the steps would be taken for all there were.
        if ended == 1 {
            let remains = try remains(of: run, conclusion, tenant: tenant, in: transaction)
            try transaction.execute(
                """
                UPDATE chat_messages SET content = $3, citations = $4, history = $5, evidence = $6
                WHERE tenant = $1 AND id = $2
                """,
                [
                    .id(tenant), .id(conclusion.answer), .text(conclusion.text.content),
                    try .json(conclusion.text.standing), .bytes(remains.history), try .json(remains.evidence),
                ]
            )
        }
        try transaction.execute("DELETE FROM chat_steps WHERE tenant = $1 AND run = $2", key)
    }

    /// Ends a run that nobody makes any more, with what there is of it.
    static func interrupt(
        _ run: RunID,
        at time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow(
            """
            SELECT conversation, answer, model, usage FROM chat_runs
            WHERE tenant = $1 AND id = $2 AND state = 'running'
            """,
            [.id(tenant), .id(run)]
        )
        guard let row else { return }
        let answer: ChatMessageID = try row.identifier(1, of: "chat_runs")
        let (text, sequence) = try answerText(of: run, tenant: tenant, in: transaction)
        let event = ChatEvent(
            conversation: try row.identifier(0, of: "chat_runs"),
            run: run,
            sequence: sequence + 1,
            kind: .runInterrupted,
            time: time,
            data: AnswerComposer.lastData(answer: answer, reason: .interrupted, message: nil, dropped: 0)
        )
        try insertEvents(
            [[.id(tenant), .id(run), SQLValue(event.sequence), .bytes(event.wireBytes)]],
            in: transaction
        )
        let conclusion = RunConclusion(
            state: .interrupted,
            reason: .interrupted,
            model: try row.text(2),
            usage: try row.json(TokenUsage.self, 3, of: "chat_runs"),
            answer: answer,
            text: text,
            evidence: []
        )
        try conclude(run, conclusion, at: time, tenant: tenant, in: transaction)
    }

    /// What a run leaves for the next one: messages as JSON, and the records it found.
    private static func remains(
        of run: RunID,
        _ conclusion: RunConclusion,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> (history: [UInt8], evidence: [EvidencePlace]) {
        let table = "chat_steps"
        // As they were stored, without reading them: signatures stay what they are.
        var pieces: [[UInt8]] = []
        var evidence: [EvidencePlace] = []
        var textBytes = 0
        let rows = try transaction.rows(
            "SELECT messages, evidence, text_bytes FROM chat_steps WHERE tenant = $1 AND run = $2 ORDER BY ordinal",
            [.id(tenant), .id(run)]
        )
        for row in rows {
            pieces.append(try row.bytes(0))
            evidence += try row.json([EvidencePlace].self, 1, of: table)
            textBytes = Int(try row.integer(2))
        }
        let tail = String(decoding: conclusion.text.content.utf8.dropFirst(textBytes), as: UTF8.self)
            .trimmingPrefix(while: \.isNewline)
        if !tail.isEmpty {
            if pieces.isEmpty {
                // Of a version that kept no steps.
                let question = try transaction.firstRow(
                    """
                    SELECT q.content FROM chat_messages q
                    JOIN chat_messages a ON a.tenant = q.tenant AND a.parent = q.id
                    WHERE a.tenant = $1 AND a.id = $2
                    """,
                    [.id(tenant), .id(conclusion.answer)]
                )
                pieces.append(try JSONCoder.encode([ModelMessage.user(try question?.text(0) ?? "")]))
            }
            pieces.append(try JSONCoder.encode([ModelMessage(.model, [.text(String(tail))])]))
        }
        // A question without an answer is nothing to go on from.
        if pieces.count < 2 { pieces = [] }
        var history = [UInt8(ascii: "[")]
        for piece in pieces {
            if history.count > 1 { history.append(UInt8(ascii: ",")) }
            history += piece.dropFirst().dropLast()
        }
        return (history + [UInt8(ascii: "]")], evidence + conclusion.evidence)
    }
}
