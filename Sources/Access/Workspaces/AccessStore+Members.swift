import Database
package import Domain

/// Members of workspaces: users with a grant of a role on one.
extension AccessStore {
    /// Gives a user one role in a workspace in place of those they have there by role, or none.
    ///
    /// - Parameter audit: tells of each grant that comes or goes.
    /// - Returns: `missing` when there is no such user or workspace, or when none was to be given and they had none.
    package func setMember(
        _ user: UserID,
        of workspace: WorkspaceID,
        to grant: Grant?,
        tenant: TenantID,
        limit: Int,
        audit: @escaping @Sendable (AuditAction, GrantID) -> AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> PolicyChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_policy \(tenant)")
            let old = try Self.grants(tenant, transaction).filter { $0.membership(in: workspace)?.user == user }
            var events: [AuditEvent] = []
            if let grant {
                let refusal = try Self.insert(grant, tenant: tenant, limit: limit + old.count, transaction)
                if let refusal { return refusal }
                events.append(audit(.grantCreated, grant.id))
            }
            for grant in old {
                try transaction.execute(
                    "DELETE FROM access_grants WHERE tenant = $1 AND id = $2",
                    [.id(tenant), .id(grant.id)]
                )
                events.append(audit(.grantDeleted, grant.id))
            }
            guard !events.isEmpty else { return .missing }
            let version = try Self.bump(tenant, in: transaction)
            try AuditLog.append(events, tenant: tenant, in: transaction)
            return .done(version)
        }
    }
}

extension Grant {
    /// Whom it makes a member of a workspace, and as what; nil for any other grant.
    func membership(in workspace: WorkspaceID) -> (user: UserID, role: Role)? {
        guard effect == .allow, resource == .workspace(workspace), case .user(let user) = subject,
            case .role(let role) = bundle
        else { return nil }
        return (user, role)
    }
}
