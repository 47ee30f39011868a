package import Database
package import Domain

/// Conversations, messages, runs and their events in SQL.
///
/// Decides nothing about rights: `ChatService` does. Every method takes the tenant, but for those that serve processes,
/// not people: leases, events on their way in, and what a dead process left (`ChatStore+Processes.swift`).
public struct ChatStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    /// A conversation with what is not for show.
    package struct StoredConversation: Sendable, Hashable {
        package var conversation: Conversation
        /// The bases that may have left traces in it; nil when all may: who sees less may not see it.
        package var bases: Set<BaseID>?
        /// What was kept back, inside the bases, from whoever asked in it (`ChatReach`): nil when somebody saw all, empty when nobody
        /// has asked yet.
        package var narrowing: String?

        package init(conversation: Conversation, bases: Set<BaseID>?, narrowing: String? = "") {
            self.conversation = conversation
            self.bases = bases
            self.narrowing = narrowing
        }

        func isVisible(within reach: ChatReach) -> Bool { reach.covers(bases: bases, narrowing: narrowing) }
    }

    // MARK: Conversations

    package func insert(_ stored: StoredConversation, tenant: TenantID, deadline: ContinuousClock.Instant) async throws
    {
        let conversation = stored.conversation
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.execute(
                """
                INSERT INTO chat_conversations
                    (tenant, id, owner, title, settings, bases, positions, created_time, updated_time, deleted, narrowing)
                VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 0, $9)
                """,
                [
                    .id(tenant), .id(conversation.id), .id(conversation.owner), .text(conversation.title),
                    .json(conversation.settings), Self.text(of: stored.bases), .instant(conversation.createdTime),
                    .instant(conversation.updatedTime), SQLValue(stored.narrowing),
                ]
            )
        }
    }

    /// Newest first, at most `limit` of those that may be seen within `reach`, after the one named.
    package func conversations(
        of owner: UserID,
        within reach: ChatReach,
        limit: Int,
        after: ConversationID?,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [Conversation] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            var before: (time: SQLValue, id: SQLValue) = (.integer(.max), .text(""))
            if let after {
                let row = try transaction.firstRow(
                    "SELECT created_time FROM chat_conversations WHERE tenant = $1 AND id = $2 AND owner = $3",
                    [.id(tenant), .id(after), .id(owner)]
                )
                guard let row else { throw ChatError.notFound("conversation") }
                before = (row[0], .id(after))
            }
            var found: [Conversation] = []
            while found.count < limit {
                let page = try transaction.rows(
                    """
                    SELECT \(Self.columns) FROM chat_conversations
                    WHERE tenant = $1 AND owner = $2 AND deleted = 0
                        AND (created_time < $3 OR created_time = $3 AND id < $4)
                    ORDER BY created_time DESC, id DESC LIMIT $5
                    """,
                    [.id(tenant), .id(owner), before.time, before.id, SQLValue(limit)]
                ).map { try Self.conversation($0) }
                found += page.filter { $0.isVisible(within: reach) }.map(\.conversation)
                guard let last = page.last?.conversation, page.count == limit else { break }
                before = (.instant(last.createdTime), .id(last.id))
            }
            return Array(found.prefix(limit))
        }
    }

    package func conversation(
        _ id: ConversationID,
        owner: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> StoredConversation? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try Self.conversation(id, owner: owner, tenant: tenant, in: transaction)
        }
    }

    /// Nil members stay as they are.
    package func update(
        _ id: ConversationID,
        title: String?,
        settings: ChatSettings?,
        time: Instant,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.execute(
                """
                UPDATE chat_conversations
                SET title = COALESCE($3, title), settings = COALESCE($4, settings), updated_time = $5
                WHERE tenant = $1 AND id = $2
                """,
                [
                    .id(tenant), .id(id), SQLValue(title), try settings.map { try .json($0) } ?? .null,
                    .instant(time),
                ]
            )
        }
    }

    /// Hides the conversation from everybody, and asks its runs to end; `purge` removes it when they have.
    ///
    /// - Returns: the runs that were still going.
    package func delete(
        _ id: ConversationID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [RunID] {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.execute(
                "UPDATE chat_conversations SET deleted = 1 WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(id)]
            )
            try transaction.execute(
                """
                UPDATE chat_runs SET cancel_requested = 1
                WHERE tenant = $1 AND conversation = $2 AND state = 'running'
                """,
                [.id(tenant), .id(id)]
            )
            return try transaction.rows(
                "SELECT id FROM chat_runs WHERE tenant = $1 AND conversation = $2 AND state = 'running'",
                [.id(tenant), .id(id)]
            ).map { try $0.identifier(0, of: "chat_runs") }
        }
    }

    /// `delete` for all conversations of one user.
    ///
    /// - Returns: the runs that were still going.
    package func deleteAll(
        of owner: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [RunID] {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let hidden = try transaction.execute(
                "UPDATE chat_conversations SET deleted = 1 WHERE tenant = $1 AND owner = $2 AND deleted = 0",
                [.id(tenant), .id(owner)]
            )
            if hidden == 0 { return [] }
            let running = """
                tenant = $1 AND state = 'running' AND conversation IN (
                    SELECT id FROM chat_conversations WHERE tenant = $1 AND owner = $2
                )
                """
            try transaction.execute(
                "UPDATE chat_runs SET cancel_requested = 1 WHERE \(running)",
                [.id(tenant), .id(owner)]
            )
            return try transaction.rows("SELECT id FROM chat_runs WHERE \(running)", [.id(tenant), .id(owner)])
                .map { try $0.identifier(0, of: "chat_runs") }
        }
    }

    // MARK: Rows

    static let columns = "id, owner, title, settings, bases, created_time, updated_time, narrowing"

    static func conversation(
        _ id: ConversationID,
        owner: UserID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> StoredConversation? {
        try transaction.firstRow(
            "SELECT \(columns) FROM chat_conversations WHERE tenant = $1 AND id = $2 AND owner = $3 AND deleted = 0",
            [.id(tenant), .id(id), .id(owner)]
        ).map { try conversation($0) }
    }

    private static func conversation(_ row: Row) throws -> StoredConversation {
        let table = "chat_conversations"
        let bases = try row.optionalText(4) == nil ? nil : try row.json([BaseID].self, 4, of: table)
        return StoredConversation(
            conversation: Conversation(
                id: try row.identifier(0, of: table),
                owner: try row.identifier(1, of: table),
                title: try row.text(2),
                settings: try row.json(ChatSettings.self, 3, of: table),
                createdTime: try row.instant(5),
                updatedTime: try row.instant(6)
            ),
            bases: bases.map { Set($0) },
            narrowing: try row.optionalText(7)
        )
    }

    static func text(of bases: Set<BaseID>?) throws -> SQLValue {
        try bases.map { try .json($0.sorted()) } ?? .null
    }
}
