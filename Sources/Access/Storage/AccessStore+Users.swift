import Database
package import Domain

extension AccessStore {
    /// Oldest first.
    package func users(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [User] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT \(Self.userColumns) FROM access_users WHERE tenant = $1 ORDER BY created_time, id",
                [.id(tenant)]
            ).map(Self.user)
        }
    }

    package func user(
        _ id: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> User? {
        try await database.glance(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                "SELECT \(Self.userColumns) FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(id)]
            ).map(Self.user)
        }
    }

    /// Sets or clears a user's e-mail address, unless another one has it.
    package func setEmail(
        _ email: String?,
        user: UserID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> EmailChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let taken = try transaction.firstRow(
                "SELECT id FROM access_users WHERE tenant = $1 AND email = $2 AND id <> $3",
                [.id(tenant), SQLValue(email), .id(user)]
            )
            if taken != nil { return .taken }
            let row = try transaction.firstRow(
                "SELECT account FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(user)]
            )
            guard let row else { return .userMissing }
            guard row[0] == .null else { return .ownedByAccount }
            try transaction.execute(
                "UPDATE access_users SET email = $1 WHERE tenant = $2 AND id = $3",
                [SQLValue(email), .id(tenant), .id(user)]
            )
            // Conditions speak of addresses.
            try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .changed
        }
    }

    package enum EmailChange: Sendable, Hashable {
        case changed
        case taken
        case userMissing
        /// A person signs in with it, perhaps to other tenants too: it is theirs to change.
        case ownedByAccount
    }

    /// Adds a user, unless the tenant has `limit` of them, or one of this name or e-mail address.
    package func insert(
        _ user: User,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Insertion {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            // Without it, two at once would both pass the limit.
            try transaction.lock("access_users \(tenant)")
            let count = try transaction.firstRow(
                "SELECT COUNT(*) FROM access_users WHERE tenant = $1",
                [.id(tenant)]
            )?.integer(0)
            guard (count ?? 0) < Int64(min(limit, try Self.limits(tenant, transaction).usersMax)) else {
                return .limitReached
            }
            guard try Self.insert(user, tenant: tenant, transaction) == 1 else { return .nameTaken }
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .inserted
        }
    }

    /// - Returns: false when there is no such user.
    package func setDisabled(
        _ isDisabled: Bool,
        user: UserID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            // Enabled again, they sign in again.
            if isDisabled { try Self.endSessions(ofUser: user, tenant: tenant, transaction) }
            let changed = try transaction.execute(
                "UPDATE access_users SET disabled = $1 WHERE tenant = $2 AND id = $3",
                [SQLValue(isDisabled), .id(tenant), .id(user)]
            )
            guard changed == 1 else { return false }
            try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    /// What became of a row that was to be added.
    package enum Insertion: Sendable, Hashable {
        case inserted
        case nameTaken
        case limitReached
        case ownerMissing
    }

    @discardableResult
    static func insert(_ user: User, tenant: TenantID, _ transaction: any Transaction) throws -> Int {
        let made = try transaction.execute(
            """
            INSERT INTO access_users (tenant, id, name, role, disabled, created_time, email)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
            """,
            [
                .id(tenant), .id(user.id), .text(user.name), .text(user.role.rawValue),
                SQLValue(user.isDisabled), .instant(user.createdTime), SQLValue(user.email),
            ]
        )
        if made == 1 { try bump(tenant, in: transaction) }
        return made
    }

    static let userColumns = "id, name, role, disabled, created_time, email"

    static func user(_ row: Row) throws -> User {
        User(
            id: try row.identifier(0, of: "access_users"),
            name: try row.text(1),
            email: try row.optionalText(5),
            role: try role(row.text(2)),
            isDisabled: try row.bool(3),
            createdTime: Instant(microseconds: try row.integer(4))
        )
    }

    static func role(_ name: String) throws -> Role {
        guard let role = Role(rawValue: name) else { throw AccessError.corrupt("access_users", "role \(name)") }
        return role
    }
}
