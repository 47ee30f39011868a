package import Database
package import Domain

/// Tenants as a whole: for operators of the server, and for its own work, which goes through all of them.
extension AccessStore {
    static let tenantStatesMigration = Migration(
        id: "access/0052-tenant-states",
        [
            "ALTER TABLE access_tenants ADD COLUMN state {text} NOT NULL DEFAULT 'active'",
            "ALTER TABLE access_tenants ADD COLUMN state_time {int}",
            "ALTER TABLE access_tenants ADD COLUMN limits {text}",
            "ALTER TABLE access_users ADD COLUMN operator {int} NOT NULL DEFAULT 0",
            """
            UPDATE access_users SET operator = 1
            WHERE EXISTS (SELECT 1 FROM access_bootstrap b WHERE b.tenant = access_users.tenant AND b.owner = access_users.id)
            """,
        ]
    )

    /// All tenants, or those in one state, oldest first. The only list that crosses tenants.
    package func tenants(
        in state: TenantState? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [TenantRecord] {
        try await database.read(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.rows(
                """
                SELECT \(Self.tenantColumns) FROM access_tenants t
                WHERE $1 = '' OR t.state = $1 ORDER BY t.created_time, t.id
                """,
                [.text(state?.rawValue ?? "")]
            ).map(Self.tenant)
        }
    }

    /// A tenant with its state and limits.
    package func record(
        of tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> TenantRecord? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { try Self.record(tenant, $0) }
    }

    /// Adds a tenant with its first workspace and its owner, unless there are `limit` of them.
    ///
    /// - Returns: false at the limit.
    package func insert(
        _ tenant: Tenant,
        workspace: Workspace,
        owner: User,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.lock("access_tenants")
            let count = try transaction.firstRow("SELECT COUNT(*) FROM access_tenants")?.integer(0) ?? 0
            guard count < Int64(limit) else { return false }
            try Self.insert(tenant, workspace: workspace, owner: owner, transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant.id, in: transaction) }
            return true
        }
    }

    /// Writes a new tenant inside the caller's transaction: an account that registers makes one.
    package static func insert(
        _ tenant: Tenant,
        workspace: Workspace,
        owner: User,
        _ transaction: any Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, $2, $3, $4)",
            [.id(tenant.id), .text(tenant.name), .id(tenant.owner), .instant(tenant.createdTime)]
        )
        try insert(workspace, tenant: tenant.id, transaction)
        try insert(owner, tenant: tenant.id, transaction)
    }

    /// Writes name, state and limits of a tenant that is still as `old` has it. Whoever sets `erasing` never sets back.
    ///
    /// - Returns: false when somebody was faster.
    package func change(
        _ old: TenantRecord,
        to record: TenantRecord,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        precondition(old.state != .erasing || record.state == .erasing, "what is being erased stays so")
        return try await database.write(of: .tenant(old.id), deadline: deadline) { transaction in
            try transaction.lock("access_tenants")
            guard try Self.record(old.id, transaction) == old else { return false }
            try transaction.execute(
                "UPDATE access_tenants SET name = $2, state = $3, state_time = $4, limits = $5 WHERE id = $1",
                [
                    .id(old.id), .text(record.tenant.name), .text(record.state.rawValue), .instant(record.stateTime),
                    .text(String(decoding: try JSONCoder.encode(record.limits), as: UTF8.self)),
                ]
            )
            if let audit { try AuditLog.append(audit, tenant: old.id, in: transaction) }
            return true
        }
    }

    /// Whether a user works for the server as a whole.
    package func isOperator(
        _ user: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                "SELECT 1 FROM access_users WHERE tenant = $1 AND id = $2 AND operator = 1 AND disabled = 0",
                [.id(tenant), .id(user)]
            ) != nil
        }
    }

    /// - Returns: false when there is no such user.
    package func setOperator(
        _ isOperator: Bool,
        user: UserID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let changed = try transaction.execute(
                "UPDATE access_users SET operator = $3 WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(user), SQLValue(isOperator)]
            )
            if changed == 1, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return changed == 1
        }
    }

    /// The limits that were set for a tenant, inside the transaction of whoever makes more of something; nil for none.
    package static func givenLimits(of tenant: TenantID, in transaction: any Transaction) throws -> TenantLimits? {
        try transaction.firstRow("SELECT limits FROM access_tenants WHERE id = $1", [.id(tenant)])?.optionalText(0)
            .map { try JSONCoder.decode(TenantLimits.self, from: Array($0.utf8)) }
    }

    static func limits(_ tenant: TenantID, _ transaction: any Transaction) throws -> TenantLimits {
        try record(tenant, transaction)?.limits ?? TenantLimits()
    }

    static func record(_ tenant: TenantID, _ transaction: any Transaction) throws -> TenantRecord? {
        try transaction.firstRow(
            "SELECT \(tenantColumns) FROM access_tenants t WHERE t.id = $1",
            [.id(tenant)]
        ).map(self.tenant)
    }

    private static let tenantColumns = """
        t.id, t.name, t.owner, t.created_time, t.state, t.state_time, t.limits, \
        (SELECT COUNT(*) FROM access_bootstrap b WHERE b.tenant = t.id)
        """

    private static func tenant(_ row: Row) throws -> TenantRecord {
        let name = try row.text(4)
        guard let state = TenantState(rawValue: name) else {
            throw AccessError.corrupt("access_tenants", "state \(name)")
        }
        return TenantRecord(
            tenant: Tenant(
                id: try row.identifier(0, of: "access_tenants"),
                name: try row.text(1),
                owner: try row.identifier(2, of: "access_tenants"),
                createdTime: Instant(microseconds: try row.integer(3))
            ),
            state: state,
            stateTime: try row.optionalInteger(5).map { Instant(microseconds: $0) },
            limits: try row.optionalText(6).map { try JSONCoder.decode(TenantLimits.self, from: Array($0.utf8)) }
                ?? TenantLimits(),
            isFirst: try row.integer(7) > 0
        )
    }
}
