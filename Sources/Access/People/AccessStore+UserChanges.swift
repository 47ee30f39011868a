import Database
package import Domain

/// What becomes of users.
extension AccessStore {
    static let formerUsersMigration = Migration(
        id: "access/0051-former-users",
        [
            // Whom history and comments still name.
            """
            CREATE TABLE access_former_users (
                tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                id {text} NOT NULL,
                name {text} NOT NULL,
                deleted_time {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """
        ]
    )

    package enum UserOutcome: Sendable, Hashable {
        case changed(User)
        /// The tenant belongs to them, and what was asked for would leave it without an owner.
        case isTenantOwner
        case userMissing
        case nameTaken
    }

    /// Users behind `cursor` who fit, oldest first; nil when the cursor is no user of this tenant.
    package func users(
        _ filter: UserFilter,
        after cursor: UserID?,
        limit: Int,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [User]? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            var (created, id) = (Int64.min, "")
            if let cursor {
                let row = try transaction.firstRow(
                    "SELECT created_time FROM access_users WHERE tenant = $1 AND id = $2",
                    [.id(tenant), .id(cursor)]
                )
                guard let row else { return nil }
                (created, id) = (try row.integer(0), cursor.description)
            }
            return try transaction.rows(
                """
                SELECT \(Self.userColumns) FROM access_users
                WHERE tenant = $1 AND (created_time > $2 OR created_time = $2 AND id > $3)
                    AND ($4 = '' OR email = $4) AND ($5 = '' OR role = $5) AND ($6 < 0 OR disabled = $6)
                ORDER BY created_time, id LIMIT $7
                """,
                [
                    .id(tenant), .integer(created), .text(id), .text(filter.email?.lowercased() ?? ""),
                    .text(filter.role?.rawValue ?? ""), .integer(filter.isDisabled.map { $0 ? 1 : 0 } ?? -1),
                    .integer(Int64(limit)),
                ]
            ).map(Self.user)
        }
    }

    /// Changes a user who is still as `old` has them. Whoever a tenant belongs to stays an owner and enabled.
    package func change(
        _ old: User,
        to user: User,
        tenant: TenantID,
        audit: [AuditEvent] = [],
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> UserOutcome {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_users \(tenant)")
            guard try Self.user(old.id, tenant, transaction) == old else { return .userMissing }
            if user.role != .owner || user.isDisabled, try Self.owner(tenant, transaction) == old.id {
                return .isTenantOwner
            }
            if try Self.isTaken(user.name, besides: .id(old.id), in: "access_users", tenant, transaction) {
                return .nameTaken
            }
            try transaction.execute(
                "UPDATE access_users SET name = $3, role = $4, disabled = $5 WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(old.id), .text(user.name), .text(user.role.rawValue), SQLValue(user.isDisabled)]
            )
            // Enabled again, they sign in again.
            if user.isDisabled { try Self.endSessions(ofUser: user.id, tenant: tenant, transaction) }
            try Self.bump(tenant, in: transaction)
            try AuditLog.append(audit, tenant: tenant, in: transaction)
            return .changed(user)
        }
    }

    /// Deletes a user with their keys, sessions and grants. Their name is kept for what they wrote.
    package func delete(
        _ user: User,
        at time: Instant,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> UserOutcome {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_users \(tenant)")
            guard try Self.user(user.id, tenant, transaction) == user else { return .userMissing }
            guard try Self.owner(tenant, transaction) != user.id else { return .isTenantOwner }
            try transaction.execute(
                "INSERT INTO access_former_users (tenant, id, name, deleted_time) VALUES ($1, $2, $3, $4)",
                [.id(tenant), .id(user.id), .text(user.name), .instant(time)]
            )
            try transaction.execute(
                "DELETE FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(user.id)]
            )
            try Self.removeGrants(of: .user(user.id), tenant: tenant, in: transaction)
            try transaction.execute(
                "DELETE FROM access_invites WHERE tenant = $1 AND invited_by = $2",
                [.id(tenant), .id(user.id)]
            )
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .changed(user)
        }
    }

    /// Those who are deleted, by the names they had.
    package func formerUsers(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [(id: UserID, name: String)] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT id, name FROM access_former_users WHERE tenant = $1 ORDER BY deleted_time, id",
                [.id(tenant)]
            ).map { (try $0.identifier(0, of: "access_former_users"), try $0.text(1)) }
        }
    }

    /// Forgets what a deleted user was called.
    ///
    /// - Returns: false when nobody of that identifier was deleted.
    package func eraseName(
        of user: UserID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let erased = try transaction.execute(
                "UPDATE access_former_users SET name = 'erased' WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(user)]
            )
            if erased == 1, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return erased == 1
        }
    }

    /// Gives the tenant to another enabled owner. The data directory's goes with it, where it is this tenant's.
    ///
    /// - Returns: false when there is no such user.
    package func giveTenant(
        to user: UserID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_users \(tenant)")
            guard let next = try Self.user(user, tenant, transaction), next.role == .owner, !next.isDisabled else {
                return false
            }
            try transaction.execute(
                "UPDATE access_tenants SET owner = $2 WHERE id = $1",
                [.id(tenant), .id(user)]
            )
            try transaction.execute(
                "UPDATE access_bootstrap SET owner = $2 WHERE tenant = $1",
                [.id(tenant), .id(user)]
            )
            try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    static func user(_ id: UserID, _ tenant: TenantID, _ transaction: any Transaction) throws -> User? {
        try transaction.firstRow(
            "SELECT \(userColumns) FROM access_users WHERE tenant = $1 AND id = $2",
            [.id(tenant), .id(id)]
        ).map(user)
    }

    static func owner(_ tenant: TenantID, _ transaction: any Transaction) throws -> UserID? {
        try transaction.firstRow("SELECT owner FROM access_tenants WHERE id = $1", [.id(tenant)])
            .map { try $0.identifier(0, of: "access_tenants") }
    }
}
