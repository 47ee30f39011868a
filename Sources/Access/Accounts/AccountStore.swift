package import Database
package import Domain

/// People who sign in, in SQL.
///
/// An account stands above tenants, since a person may be a user of several, and is found before anybody knows in which:
/// methods that read or change an account itself take none. What a person is in a tenant is asked with that tenant.
package struct AccountStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    static let migration = Migration(
        id: "access/0020-accounts",
        [
            """
            CREATE TABLE access_accounts (
                id {text} NOT NULL PRIMARY KEY,
                email {text} NOT NULL,
                email_key {text} NOT NULL UNIQUE,
                password {text},
                password_time {int},
                must_change {int} NOT NULL,
                verified_time {int},
                created_time {int} NOT NULL
            ) {strict}
            """,
            // What somebody shows that they got by mail: its SHA-256.
            """
            CREATE TABLE access_account_tokens (
                digest {bytes} NOT NULL PRIMARY KEY,
                account {text} NOT NULL REFERENCES access_accounts (id) ON DELETE CASCADE,
                purpose {text} NOT NULL,
                email {text},
                created_time {int} NOT NULL,
                expires_time {int} NOT NULL
            ) {strict}
            """,
            "CREATE INDEX access_account_tokens_by_account ON access_account_tokens (account)",
            "CREATE INDEX access_account_tokens_by_time ON access_account_tokens (expires_time)",
            // Who wants an account and has not answered the mail; nothing else exists of them.
            """
            CREATE TABLE access_registrations (
                id {text} NOT NULL PRIMARY KEY,
                email {text} NOT NULL,
                email_key {text} NOT NULL,
                name {text} NOT NULL,
                password {text} NOT NULL,
                digest {bytes} UNIQUE,
                created_time {int} NOT NULL,
                expires_time {int} NOT NULL
            ) {strict}
            """,
            "CREATE INDEX access_registrations_by_email ON access_registrations (email_key)",
            "CREATE INDEX access_registrations_by_time ON access_registrations (expires_time)",
            "ALTER TABLE access_users ADD COLUMN account {text}",
            "ALTER TABLE access_users ADD COLUMN preferences {text}",
            "CREATE UNIQUE INDEX access_users_by_account ON access_users (account, tenant)",
        ]
    )

    /// An account with what only signing in reads.
    package struct StoredAccount: Sendable, Hashable {
        package let account: Account
        /// The hash; nil for who has none.
        package let password: String?
    }

    /// The account of an address, by its key.
    package func account(
        email key: String,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> StoredAccount? {
        try await database.read(of: .server, deadline: deadline) { try Self.account(email: key, $0) }
    }

    package func account(_ id: AccountID, deadline: ContinuousClock.Instant? = nil) async throws -> StoredAccount? {
        try await database.read(of: .server, deadline: deadline) { try Self.account(id, $0) }
    }

    /// The account of a user; nil for one that only keys act as.
    package func account(
        of user: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> StoredAccount? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                """
                SELECT \(Self.columns) FROM access_accounts a JOIN access_users u ON u.account = a.id
                WHERE u.tenant = $1 AND u.id = $2
                """,
                [.id(tenant), .id(user)]
            ).map(Self.stored)
        }
    }

    /// Where an account may sign in: users who are not disabled, in tenants that are not suspended, the oldest first.
    package func memberships(
        of account: AccountID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [Membership] {
        try await database.read(of: .everyTenant, deadline: deadline) { try Self.memberships(of: account, $0) }
    }

    /// Writes a new account, and the tenant with the user it owns; all of it or nothing.
    ///
    /// - Returns: false when the address has an account.
    package func insert(_ newcomer: Newcomer, deadline: ContinuousClock.Instant? = nil) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { try Self.insert(newcomer, $0) }
    }

    /// Replaces a hash by a stronger one of the same password; nothing else changes.
    ///
    /// - Returns: false when the password is another one by now.
    package func upgrade(
        _ old: String,
        to new: String,
        of account: AccountID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try transaction.execute(
                "UPDATE access_accounts SET password = $3 WHERE id = $1 AND password = $2",
                [.id(account), .text(old), .text(new)]
            ) == 1
        }
    }

    /// Sets a password. What came by mail before is dead then, and every session but `kept` ended.
    ///
    /// - Returns: false when the account is gone, or `old` is not its hash any more.
    package func setPassword(
        _ new: PasswordChange,
        of account: AccountID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            guard try Self.setPassword(new, of: account, transaction) else { return false }
            try Self.append(audit, of: account, transaction)
            return true
        }
    }

    // MARK: Rows

    static let columns = """
        a.id, a.email, a.email_key, a.password, a.password_time, a.must_change, a.verified_time, a.created_time
        """

    static func account(email key: String, _ transaction: any Transaction) throws -> StoredAccount? {
        try transaction.firstRow("SELECT \(columns) FROM access_accounts a WHERE a.email_key = $1", [.text(key)])
            .map(stored)
    }

    static func account(_ id: AccountID, _ transaction: any Transaction) throws -> StoredAccount? {
        try transaction.firstRow("SELECT \(columns) FROM access_accounts a WHERE a.id = $1", [.id(id)]).map(stored)
    }

    static func memberships(of account: AccountID, _ transaction: any Transaction) throws -> [Membership] {
        try transaction.rows(
            """
            SELECT \(AccessStore.userColumns), t.tenant_id, t.tenant_name FROM access_users
            JOIN (SELECT id AS tenant_id, name AS tenant_name FROM access_tenants WHERE state = 'active') t
                ON t.tenant_id = tenant
            WHERE account = $1 AND disabled = 0 ORDER BY created_time, tenant
            """,
            [.id(account)]
        ).map { row in
            Membership(
                tenant: try row.identifier(row.count - 2, of: "access_users"),
                tenantName: try row.text(row.count - 1),
                user: try AccessStore.user(row)
            )
        }
    }

    static func insert(_ newcomer: Newcomer, _ transaction: any Transaction) throws -> Bool {
        let account = newcomer.account
        guard try insert(account, password: newcomer.password, transaction) else { return false }
        let tenant = newcomer.tenant
        try AccessStore.insert(tenant, workspace: newcomer.workspace, owner: newcomer.user, transaction)
        try transaction.execute(
            "UPDATE access_users SET account = $3 WHERE tenant = $1 AND id = $2",
            [.id(tenant.id), .id(newcomer.user.id), .id(account.id)]
        )
        try AuditLog.append(newcomer.audit, tenant: tenant.id, in: transaction)
        return true
    }

    /// - Returns: false when the address has an account.
    static func insert(_ account: Account, password: String? = nil, _ transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO access_accounts (id, email, email_key, password, password_time, must_change, verified_time,
                created_time)
            VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT (email_key) DO NOTHING
            """,
            [
                .id(account.id), .text(account.email.text), .text(account.email.key), SQLValue(password),
                password == nil ? .null : .instant(account.createdTime), .instant(account.verifiedTime),
                .instant(account.createdTime),
            ]
        ) == 1
    }

    static func setPassword(_ new: PasswordChange, of account: AccountID, _ transaction: any Transaction) throws -> Bool
    {
        guard let before = try Self.account(account, transaction) else { return false }
        // Within a statement, so that of two changes at once one finds another hash.
        let isSame = new.old == nil ? "" : " AND password = $6"
        let changed = try transaction.execute(
            """
            UPDATE access_accounts SET password = $2, password_time = $3, must_change = $4,
                verified_time = COALESCE(verified_time, $5)
            WHERE id = $1\(isSame)
            """,
            [
                .id(account), .text(new.hash), .instant(new.time), SQLValue(new.mustChange),
                new.provesAddress ? .instant(new.time) : .null,
            ] + (new.old.map { [.text($0)] } ?? [])
        )
        guard changed == 1 else { return false }
        try transaction.execute("DELETE FROM access_account_tokens WHERE account = $1", [.id(account)])
        try AccessStore.endSessions(ofAccount: account, except: new.keptSession, transaction)
        if before.password != nil {
            try MailQueue.append(.passwordChanged, to: before.account.email, at: new.time, transaction)
        }
        return true
    }

    /// Into the log of each tenant that the person is a user of: each has an interest in how they sign in.
    static func append(_ event: AuditEvent, of account: AccountID, _ transaction: any Transaction) throws {
        let rows = try transaction.rows(
            "SELECT tenant, id FROM access_users WHERE account = $1 ORDER BY tenant",
            [.id(account)]
        )
        for row in rows {
            var event = event
            event.user = try row.identifier(1, of: "access_users")
            try AuditLog.append(event, tenant: row.identifier(0, of: "access_users"), in: transaction)
        }
    }

    static func stored(_ row: Row) throws -> StoredAccount {
        StoredAccount(
            account: Account(
                id: try row.identifier(0, of: "access_accounts"),
                email: EmailAddress(text: try row.text(1), key: try row.text(2)),
                verifiedTime: try row.optionalInteger(6).map(Instant.init(microseconds:)),
                passwordTime: try row.optionalInteger(4).map(Instant.init(microseconds:)),
                mustChangePassword: try row.bool(5),
                createdTime: Instant(microseconds: try row.integer(7))
            ),
            password: try row.optionalText(3)
        )
    }
}

/// Somebody who registered, with all that is made for them.
package struct Newcomer: Sendable {
    package let account: Account
    package let password: String
    package let tenant: Tenant
    package let workspace: Workspace
    package let user: User
    package let audit: [AuditEvent]
}

/// A password that is to be stored.
package struct PasswordChange: Sendable {
    package let hash: String
    /// The hash it replaces; nil for whichever there is.
    package var old: String?
    package let time: Instant
    /// Whether it was given by somebody else, and signs in only to be changed.
    package var mustChange = false
    /// Whether whoever sets it showed that the address is theirs.
    package var provesAddress = false
    /// The only session that goes on.
    package var keptSession: SessionID?
}
