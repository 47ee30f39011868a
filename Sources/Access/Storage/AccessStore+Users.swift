import Database
package import Domain

extension AccessStore {
    /// Oldest first.
    package func users(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [User] {
        try await database.read(deadline: deadline) { transaction in
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
        try await database.read(deadline: deadline) { transaction in
            try transaction.firstRow(
                "SELECT \(Self.userColumns) FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(id)]
            ).map(Self.user)
        }
    }

    /// Adds a user, unless the tenant has `limit` of them, or one of this name.
    package func insert(
        _ user: User,
        tenant: TenantID,
        limit: Int,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Insertion {
        try await database.write(deadline: deadline) { transaction in
            // Without it, two at once would both pass the limit.
            try transaction.lock("access_users \(tenant)")
            let count = try transaction.firstRow(
                "SELECT COUNT(*) FROM access_users WHERE tenant = $1",
                [.id(tenant)]
            )?.integer(0)
            guard (count ?? 0) < Int64(limit) else { return .limitReached }
            return try Self.insert(user, tenant: tenant, transaction) == 1 ? .inserted : .nameTaken
        }
    }

    /// - Returns: false when there is no such user.
    package func setDisabled(
        _ isDisabled: Bool,
        user: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(deadline: deadline) { transaction in
            try transaction.execute(
                "UPDATE access_users SET disabled = $1 WHERE tenant = $2 AND id = $3",
                [SQLValue(isDisabled), .id(tenant), .id(user)]
            ) == 1
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
        try transaction.execute(
            """
            INSERT INTO access_users (tenant, id, name, role, disabled, created_time)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, name) DO NOTHING
            """,
            [
                .id(tenant), .id(user.id), .text(user.name), .text(user.role.rawValue),
                SQLValue(user.isDisabled), .instant(user.createdTime),
            ]
        )
    }

    private static let userColumns = "id, name, role, disabled, created_time"

    private static func user(_ row: Row) throws -> User {
        User(
            id: try row.identifier(0, of: "access_users"),
            name: try row.text(1),
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
