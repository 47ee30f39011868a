import Database
import Domain

/// The tables of sessions, and how their rows are written and read.
extension AccessStore {
    /// Sessions, and their refresh tokens by digest: those used up stay for a while, so that using one again is noticed.
    static let sessionMigration = Migration(
        id: "access/0011-sessions",
        [
            """
            CREATE TABLE access_sessions (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                owner {text} NOT NULL,
                account {text},
                client {text} NOT NULL,
                user_agent {text},
                address {text},
                created_time {int} NOT NULL,
                last_seen_time {int} NOT NULL,
                expires_time {int} NOT NULL,
                idle_time {int} NOT NULL,
                PRIMARY KEY (tenant, id),
                FOREIGN KEY (tenant, owner) REFERENCES access_users (tenant, id) ON DELETE CASCADE
            ) {strict}
            """,
            "CREATE INDEX access_sessions_by_owner ON access_sessions (tenant, owner)",
            "CREATE INDEX access_sessions_by_account ON access_sessions (account)",
            """
            CREATE TABLE access_refresh_tokens (
                digest {bytes} NOT NULL PRIMARY KEY,
                tenant {text} NOT NULL,
                session {text} NOT NULL,
                number {int} NOT NULL,
                created_time {int} NOT NULL,
                used_time {int},
                FOREIGN KEY (tenant, session) REFERENCES access_sessions (tenant, id) ON DELETE CASCADE
            ) {strict}
            """,
            "CREATE INDEX access_refresh_tokens_by_session ON access_refresh_tokens (tenant, session, number)",
        ]
    )

    @discardableResult
    static func endSession(_ id: SessionID, tenant: TenantID, _ transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            "DELETE FROM access_sessions WHERE tenant = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ) == 1
    }

    static func insert(_ session: UserSession, _ transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO access_sessions (tenant, id, owner, account, client, user_agent, address, created_time,
                last_seen_time, expires_time, idle_time)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                .id(session.tenant), .id(session.id), .id(session.user), SQLValue(session.account?.description),
                .text(session.client.name), SQLValue(session.client.userAgent), SQLValue(session.client.address),
                .instant(session.createdTime), .instant(session.lastSeenTime), .instant(session.expires),
                .instant(session.idleEnds),
            ]
        )
    }

    static func insert(
        refresh digest: [UInt8],
        number: Int64,
        _ session: UserSession,
        at time: Instant,
        _ transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO access_refresh_tokens (digest, tenant, session, number, created_time)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [.bytes(digest), .id(session.tenant), .id(session.id), .integer(number), .instant(time)]
        )
    }

    static func refresh(_ session: UserSession, _ transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE access_sessions SET user_agent = $3, address = $4, last_seen_time = $5, idle_time = $6
            WHERE tenant = $1 AND id = $2
            """,
            [
                .id(session.tenant), .id(session.id), SQLValue(session.client.userAgent),
                SQLValue(session.client.address), .instant(session.lastSeenTime), .instant(session.idleEnds),
            ]
        )
    }

    static let sessionColumns = """
        s.tenant, s.id, s.owner, s.account, s.client, s.user_agent, s.address, s.created_time, s.last_seen_time, \
        s.expires_time, s.idle_time, u.role, CASE WHEN t.state = 'active' THEN u.disabled ELSE 1 END
        """

    /// In a tenant that is suspended everybody counts as disabled.
    static let sessionTables = """
        access_sessions s JOIN access_users u ON u.tenant = s.tenant AND u.id = s.owner \
        JOIN access_tenants t ON t.id = s.tenant
        """

    static func session(
        _ id: SessionID,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> StoredSession? {
        try transaction.firstRow(
            """
            SELECT \(sessionColumns) FROM \(sessionTables)
            WHERE s.tenant = $1 AND s.id = $2
            """,
            [.id(tenant), .id(id)]
        ).map(session)
    }

    static func session(_ row: Row) throws -> StoredSession {
        let table = "access_sessions"
        let account = try row.optionalText(3).map { text in
            guard let account = AccountID(text) else { throw AccessError.corrupt(table, "account") }
            return account
        }
        let session = UserSession(
            id: try row.identifier(1, of: table),
            tenant: try row.identifier(0, of: table),
            user: try row.identifier(2, of: table),
            account: account,
            client: SessionClient(
                name: try row.text(4),
                userAgent: try row.optionalText(5),
                address: try row.optionalText(6)
            ),
            createdTime: Instant(microseconds: try row.integer(7)),
            lastSeenTime: Instant(microseconds: try row.integer(8)),
            expires: Instant(microseconds: try row.integer(9)),
            idleEnds: Instant(microseconds: try row.integer(10))
        )
        let facts = Policy.SessionFacts(
            expires: session.expires,
            idleEnds: session.idleEnds,
            isUserDisabled: try row.bool(12)
        )
        return StoredSession(session: session, facts: facts)
    }
}

extension RowScope {
    /// A person's rows wherever they are; without an account behind the user, in the one tenant.
    static func person(_ account: AccountID?, in tenant: TenantID) -> RowScope {
        account == nil ? .tenant(tenant) : .everyTenant
    }
}
