package import Database
package import Domain

/// Workspaces that come, are renamed and go.
extension AccessStore {
    /// Adds a workspace, unless the tenant has `limit` of them.
    ///
    /// - Returns: false at the limit.
    package func insert(
        _ workspace: Workspace,
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_workspaces \(tenant)")
            let count = try transaction.firstRow(
                "SELECT COUNT(*) FROM access_workspaces WHERE tenant = $1",
                [.id(tenant)]
            )?.integer(0)
            let most = min(limit, try Self.limits(tenant, transaction).workspacesMax)
            guard (count ?? 0) < Int64(most) else { return false }
            try Self.insert(workspace, tenant: tenant, transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    /// - Returns: false when there is no such workspace.
    package func rename(
        _ workspace: WorkspaceID,
        to name: String,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let changed = try transaction.execute(
                "UPDATE access_workspaces SET name = $3 WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(workspace), .text(name)]
            )
            if changed == 1, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return changed == 1
        }
    }

    /// Deletes a workspace inside the transaction of whoever has made sure that it holds no base. The last one stays.
    ///
    /// - Returns: false when it is not there, or the last.
    package static func delete(
        _ workspace: WorkspaceID,
        tenant: TenantID,
        audit: AuditEvent,
        in transaction: any Transaction
    ) throws -> Bool {
        try transaction.lock("access_workspaces \(tenant)")
        let others = try transaction.firstRow(
            "SELECT COUNT(*) FROM access_workspaces WHERE tenant = $1 AND id <> $2",
            [.id(tenant), .id(workspace)]
        )?.integer(0)
        guard (others ?? 0) > 0 else { return false }
        let gone = try transaction.execute(
            "DELETE FROM access_workspaces WHERE tenant = $1 AND id = $2",
            [.id(tenant), .id(workspace)]
        )
        guard gone == 1 else { return false }
        try transaction.execute(
            "DELETE FROM access_grants WHERE tenant = $1 AND place = $2",
            [.id(tenant), .id(workspace)]
        )
        try bump(tenant, in: transaction)
        try AuditLog.append(audit, tenant: tenant, in: transaction)
        return true
    }

    static func insert(_ workspace: Workspace, tenant: TenantID, _ transaction: any Transaction) throws {
        try transaction.execute(
            "INSERT INTO access_workspaces (tenant, id, name, created_time) VALUES ($1, $2, $3, $4)",
            [.id(tenant), .id(workspace.id), .text(workspace.name), .instant(workspace.createdTime)]
        )
    }
}
