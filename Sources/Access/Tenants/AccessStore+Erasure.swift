package import Database
package import Domain

/// What Access itself knows of a tenant, and how the last of it goes.
extension AccessStore {
    /// Everything of Access but the tenant's own row, which says that it is being erased. The audit log stays: it holds
    /// identifiers, never names or contents, and its chain would break.
    package static let tenantRows: [TenantRows] = [
        TenantRows("access_grants", key: "tenant", "id"),
        TenantRows("access_group_members", key: "tenant", "user_group", "member"),
        TenantRows("access_groups", key: "tenant", "id"),
        TenantRows("access_roles", key: "tenant", "id"),
        TenantRows("access_bases", key: "tenant", "base"),
        TenantRows("access_versions", key: "tenant"),
        TenantRows("access_credentials", key: "tenant", "purpose"),
        TenantRows("access_data_keys", key: "tenant", "number"),
        TenantRows("access_keys", key: "id"),
        TenantRows("access_refresh_tokens", key: "digest"),
        TenantRows("access_sessions", key: "tenant", "id"),
        TenantRows("access_invites", key: "tenant", "id"),
        TenantRows("access_former_users", key: "tenant", "id"),
        TenantRows("access_spent_nonces", key: "tenant", "nonce"),
        TenantRows("access_users", key: "tenant", "id"),
        TenantRows("access_workspaces", key: "tenant", "id"),
    ]

    /// Deletes up to `limit` rows of a tenant that is being erased.
    ///
    /// - Returns: how many; nil when the tenant is not being erased, or no longer there.
    package func erase(
        _ rows: TenantRows,
        limit: Int,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Int? {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            guard try Self.record(tenant, transaction)?.state == .erasing else { return nil }
            return try rows.delete(of: tenant.description, limit: limit, in: transaction)
        }
    }

    /// Deletes the tenant's own row, when in the same moment nothing of it is left in any of `rows`.
    ///
    /// - Returns: false when something is left, or came.
    package func finishErasure(
        of tenant: TenantID,
        rows: [TenantRows],
        at time: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_tenants")
            guard try Self.record(tenant, transaction)?.state == .erasing else { return true }
            for table in rows where try table.delete(of: tenant.description, limit: 1, in: transaction) > 0 {
                return false
            }
            try transaction.execute("DELETE FROM access_tenants WHERE id = $1", [.id(tenant)])
            let event = AuditEvent(.tenantDeleted, at: time, object: AuditObject(.tenant, tenant))
            try AuditLog.append(event, tenant: tenant, in: transaction)
            return true
        }
    }
}
