public import Database
package import Domain

/// Tenants, workspaces, users and keys in SQL.
///
/// Decides nothing: `AccessService` checks rights before it asks. Every method takes the tenant, but for the two that
/// find out which tenant a request belongs to, `bootstrap` and `key(_:)`. What a change adds to the audit log is written
/// in its own transaction, after everything else.
public struct AccessStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    public static let migrations: [Migration] = [
        Migration(
            id: "access/0001-identity",
            [
                """
                CREATE TABLE access_tenants (
                    id {text} NOT NULL PRIMARY KEY,
                    name {text} NOT NULL,
                    owner {text} NOT NULL,
                    created_time {int} NOT NULL
                ) {strict}
                """,
                """
                CREATE TABLE access_workspaces (
                    tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                    id {text} NOT NULL,
                    name {text} NOT NULL,
                    created_time {int} NOT NULL,
                    PRIMARY KEY (tenant, id)
                ) {strict}
                """,
                """
                CREATE TABLE access_users (
                    tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                    id {text} NOT NULL,
                    name {text} NOT NULL,
                    role {text} NOT NULL,
                    disabled {int} NOT NULL,
                    created_time {int} NOT NULL,
                    PRIMARY KEY (tenant, id),
                    UNIQUE (tenant, name)
                ) {strict}
                """,
                """
                CREATE TABLE access_keys (
                    id {text} NOT NULL PRIMARY KEY,
                    tenant {text} NOT NULL,
                    owner {text} NOT NULL,
                    name {text} NOT NULL,
                    digest {bytes} NOT NULL,
                    last_four {text} NOT NULL,
                    scopes {text} NOT NULL,
                    bases {text},
                    expires_time {int},
                    disabled {int} NOT NULL,
                    created_time {int} NOT NULL,
                    last_used_time {int},
                    FOREIGN KEY (tenant, owner) REFERENCES access_users (tenant, id) ON DELETE CASCADE
                ) {strict}
                """,
                "CREATE INDEX access_keys_by_owner ON access_keys (tenant, owner)",
                // One row at most, by its primary key: whoever inserts it makes the first tenant.
                """
                CREATE TABLE access_bootstrap (
                    id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
                    tenant {text} NOT NULL,
                    workspace {text} NOT NULL,
                    owner {text} NOT NULL,
                    created_time {int} NOT NULL,
                    first_key_time {int}
                ) {strict}
                """,
            ]
        ),
        CredentialStore.migration,
        Migration(
            id: "access/0003-emails",
            [
                "ALTER TABLE access_users ADD COLUMN email {text}",
                "CREATE UNIQUE INDEX access_users_by_email ON access_users (tenant, email)",
            ]
        ),
        TokenKeyStore.migration, sessionMigration,
        AuditStore.migration,
        keyLimitsMigration,
        formerUsersMigration,
        tenantStatesMigration,
        policyMigration,
        AccountStore.migration, AttemptStore.migration, MailQueue.migration,
        InviteStore.migration, InviteStore.ownMigration,
        NonceStore.migration,
    ]

    // MARK: First start

    /// What the first start made; nil before it.
    package func bootstrapped(deadline: ContinuousClock.Instant? = nil) async throws -> Bootstrap? {
        try await database.glance(of: .everyTenant, deadline: deadline) { try Self.bootstrapped($0) }
    }

    /// Writes the first tenant with all that belongs to it, unless somebody did already.
    ///
    /// - Returns: true when this call wrote it. Of any number of callers at once, in any number of processes, one is
    ///   told so; the others wait for it and change nothing.
    package func bootstrap(
        tenant: Tenant,
        workspace: Workspace,
        owner: User,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            let marked = try transaction.execute(
                """
                INSERT INTO access_bootstrap (id, tenant, workspace, owner, created_time)
                VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) DO NOTHING
                """,
                [.id(tenant.id), .id(workspace.id), .id(owner.id), .instant(tenant.createdTime)]
            )
            guard marked == 1 else { return false }
            try Self.insert(tenant, workspace: workspace, owner: owner, transaction)
            try transaction.execute(
                "UPDATE access_users SET operator = 1 WHERE tenant = $1 AND id = $2",
                [.id(tenant.id), .id(owner.id)]
            )
            let made = AuditEvent(
                .tenantCreated,
                at: tenant.createdTime,
                user: owner.id,
                object: AuditObject(.tenant, tenant.id)
            )
            try AuditLog.append(made, tenant: tenant.id, in: transaction)
            return true
        }
    }

    /// Writes the first key of the owner made by `bootstrap`, unless somebody did already.
    ///
    /// - Returns: true when this call wrote it; the plain text exists with this caller alone.
    package func issueFirst(
        _ key: APIKey,
        digest: [UInt8],
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let marked = try transaction.execute(
                """
                UPDATE access_bootstrap SET first_key_time = $2
                WHERE id = 1 AND tenant = $1 AND first_key_time IS NULL
                """,
                [.id(tenant), .instant(key.createdTime)]
            )
            guard marked == 1 else { return false }
            try Self.insert(key, digest: digest, tenant: tenant, transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    private static func bootstrapped(_ transaction: any Transaction) throws -> Bootstrap? {
        let row = try transaction.firstRow(
            "SELECT tenant, workspace, owner, first_key_time FROM access_bootstrap WHERE id = 1",
            []
        )
        return try row.map { row in
            Bootstrap(
                tenant: try row.identifier(0, of: "access_bootstrap"),
                workspace: try row.identifier(1, of: "access_bootstrap"),
                owner: try row.identifier(2, of: "access_bootstrap"),
                firstKeyTime: try row.optionalInteger(3).map { Instant(microseconds: $0) }
            )
        }
    }

    // MARK: Tenants and workspaces

    package func tenant(_ id: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> Tenant? {
        try await database.read(of: .tenant(id), deadline: deadline) { transaction in
            let row = try transaction.firstRow(
                "SELECT name, owner, created_time FROM access_tenants WHERE id = $1",
                [.id(id)]
            )
            return try row.map { row in
                Tenant(
                    id: id,
                    name: try row.text(0),
                    owner: try row.identifier(1, of: "access_tenants"),
                    createdTime: Instant(microseconds: try row.integer(2))
                )
            }
        }
    }

    /// Oldest first.
    package func workspaces(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [Workspace] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT id, name, created_time FROM access_workspaces WHERE tenant = $1 ORDER BY created_time, id",
                [.id(tenant)]
            ).map { row in
                Workspace(
                    id: try row.identifier(0, of: "access_workspaces"),
                    name: try row.text(1),
                    createdTime: Instant(microseconds: try row.integer(2))
                )
            }
        }
    }
}
