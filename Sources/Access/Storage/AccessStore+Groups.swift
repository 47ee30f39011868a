import Database
package import Domain

/// Roles of a tenant's own, and groups.
extension AccessStore {
    // MARK: Roles

    /// By name.
    package func roles(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [CustomRole] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { try Self.roles(tenant, $0) }
    }

    static func roles(_ tenant: TenantID, _ transaction: any Transaction) throws -> [CustomRole] {
        try transaction.rows(
            "SELECT id, name, permissions, created_time FROM access_roles WHERE tenant = $1 ORDER BY name",
            [.id(tenant)]
        ).map { row in
            CustomRole(
                id: try row.identifier(0, of: "access_roles"),
                name: try row.text(1),
                permissions: permissions(try row.text(2)),
                createdTime: Instant(microseconds: try row.integer(3))
            )
        }
    }

    /// Adds a role, unless the tenant has `limit` of them, or one of this name.
    package func insert(
        _ role: CustomRole,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            guard try Self.count("access_roles", tenant, transaction) < limit else { return .limitReached }
            let made = try transaction.execute(
                """
                INSERT INTO access_roles (tenant, id, name, permissions, created_time) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT DO NOTHING
                """,
                [
                    .id(tenant), .id(role.id), .text(role.name), .text(Self.text(role.permissions)),
                    .instant(role.createdTime),
                ]
            )
            return made == 1 ? nil : .nameTaken
        }
    }

    /// Renames a role and gives it other permissions.
    package func update(
        _ role: CustomRole,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            if try Self.isTaken(role.name, besides: .id(role.id), in: "access_roles", tenant, transaction) {
                return .nameTaken
            }
            let changed = try transaction.execute(
                "UPDATE access_roles SET name = $1, permissions = $2 WHERE tenant = $3 AND id = $4",
                [.text(role.name), .text(Self.text(role.permissions)), .id(tenant), .id(role.id)]
            )
            return changed == 1 ? nil : .missing
        }
    }

    /// Deletes a role that no grant names.
    package func deleteRole(
        _ role: RoleID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            let use = try transaction.firstRow(
                "SELECT 1 FROM access_grants WHERE tenant = $1 AND bundle_kind = 'custom' AND bundle = $2 LIMIT 1",
                [.id(tenant), .id(role)]
            )
            if use != nil { return .inUse }
            let gone = try transaction.execute(
                "DELETE FROM access_roles WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(role)]
            )
            return gone == 1 ? nil : .missing
        }
    }

    // MARK: Groups

    /// By name, each with its members.
    package func groups(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [(group: Group, members: [UserID])] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            var members: [GroupID: [UserID]] = [:]
            try transaction.forEachRow(
                "SELECT user_group, member FROM access_group_members WHERE tenant = $1 ORDER BY member",
                [.id(tenant)]
            ) { row in
                let group: GroupID = try row.identifier(0, of: "access_group_members")
                members[group, default: []].append(try row.identifier(1, of: "access_group_members"))
            }
            return try transaction.rows(
                "SELECT id, name, created_time FROM access_groups WHERE tenant = $1 ORDER BY name",
                [.id(tenant)]
            ).map { row in
                let group = Group(
                    id: try row.identifier(0, of: "access_groups"),
                    name: try row.text(1),
                    createdTime: Instant(microseconds: try row.integer(2))
                )
                return (group: group, members: members[group.id] ?? [])
            }
        }
    }

    /// Adds a group, unless the tenant has `limit` of them, or one of this name.
    package func insert(
        _ group: Group,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            guard try Self.count("access_groups", tenant, transaction) < limit else { return .limitReached }
            let made = try transaction.execute(
                """
                INSERT INTO access_groups (tenant, id, name, created_time) VALUES ($1, $2, $3, $4)
                ON CONFLICT DO NOTHING
                """,
                [.id(tenant), .id(group.id), .text(group.name), .instant(group.createdTime)]
            )
            return made == 1 ? nil : .nameTaken
        }
    }

    package func rename(
        _ group: GroupID,
        to name: String,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            if try Self.isTaken(name, besides: .id(group), in: "access_groups", tenant, transaction) {
                return .nameTaken
            }
            let changed = try transaction.execute(
                "UPDATE access_groups SET name = $1 WHERE tenant = $2 AND id = $3",
                [.text(name), .id(tenant), .id(group)]
            )
            return changed == 1 ? nil : .missing
        }
    }

    /// Deletes a group with all its grants.
    package func deleteGroup(
        _ group: GroupID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await change(tenant, deadline, audit) { transaction in
            let gone = try transaction.execute(
                "DELETE FROM access_groups WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(group)]
            )
            guard gone == 1 else { return .missing }
            try Self.removeGrants(of: .group(group), tenant: tenant, in: transaction)
            return nil
        }
    }

    /// Puts a user into a group, or takes them out. Nothing changes when it is so already.
    package func setMember(
        _ user: UserID,
        of group: GroupID,
        isMember: Bool,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        let arguments: [SQLValue] = [.id(tenant), .id(group), .id(user)]
        return try await change(tenant, deadline, audit) { transaction in
            guard try Self.exists("access_groups", .id(group), tenant, transaction),
                try Self.exists("access_users", .id(user), tenant, transaction)
            else { return .missing }
            guard isMember else {
                try transaction.execute(
                    "DELETE FROM access_group_members WHERE tenant = $1 AND user_group = $2 AND member = $3",
                    arguments
                )
                return nil
            }
            let row = try transaction.firstRow(
                "SELECT COUNT(*) FROM access_group_members WHERE tenant = $1 AND user_group = $2 AND member <> $3",
                arguments
            )
            guard try row?.integer(0) ?? 0 < Int64(limit) else { return .limitReached }
            try transaction.execute(
                """
                INSERT INTO access_group_members (tenant, user_group, member) VALUES ($1, $2, $3)
                ON CONFLICT DO NOTHING
                """,
                arguments
            )
            return nil
        }
    }

    /// Runs `body` alone among changes of the tenant's policy, and raises the version unless it says why not.
    private func change(
        _ tenant: TenantID,
        _ deadline: ContinuousClock.Instant?,
        _ audit: AuditEvent?,
        _ body: @escaping @Sendable (any Transaction) throws -> PolicyChange?
    ) async throws -> PolicyChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_policy \(tenant)")
            if let refusal = try body(transaction) { return refusal }
            let version = try Self.bump(tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .done(version)
        }
    }
}
