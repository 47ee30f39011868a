public import Domain

/// Who has a role in a workspace: users with a grant of one on it. All of it needs `members:manage` in the workspace.
extension AccessService {
    /// One user's role in a workspace, beside what they have in the whole tenant.
    public struct WorkspaceMember: Sendable, Hashable {
        public let user: UserID
        public let role: Role

        public init(user: UserID, role: Role) {
            self.user = user
            self.role = role
        }
    }

    /// The members of a workspace, in the order of their identifiers.
    ///
    /// - Throws: `notFound` for a workspace that is not there or not the caller's to manage; `forbidden`.
    public func members(of workspace: WorkspaceID, context: RequestContext) async throws -> [WorkspaceMember] {
        let (policy, _) = try await managing(workspace, context)
        return policy.grants.compactMap { $0.membership(in: workspace) }
            .map { WorkspaceMember(user: $0.user, role: $0.role) }
            .sorted { ($0.user, $0.role.rawValue) < ($1.user, $1.role.rawValue) }
    }

    /// Gives a user one role in a workspace, in place of what they had there by roles.
    ///
    /// - Throws: as `members`; `invalid` for a role of whole tenants; `notFound` for the user; `forbidden` for a role with
    ///   more than the caller has there.
    public func setMember(
        _ user: UserID,
        role: Role,
        of workspace: WorkspaceID,
        context: RequestContext
    ) async throws -> PolicyChanged<WorkspaceMember> {
        let (_, standing) = try await managing(workspace, context)
        guard InvitedPlace.roles.contains(role) else {
            throw AccessError(.invalid, "Owners and guests are so in the whole tenant.")
        }
        try requireHeld(Rights(role.permissions), .workspace(workspace), standing)
        let grant = Grant(
            id: .random(),
            subject: .user(user),
            effect: .allow,
            bundle: .role(role),
            resource: .workspace(workspace),
            createdBy: context.principal.user,
            createdTime: now()
        )
        let version = try await set(user, of: workspace, to: grant, context)
        return PolicyChanged(value: WorkspaceMember(user: user, role: role), version: version)
    }

    /// Takes a user's roles in a workspace away.
    ///
    /// - Throws: as `members`; `notFound` for who has none there.
    public func removeMember(
        _ user: UserID,
        of workspace: WorkspaceID,
        context: RequestContext
    ) async throws -> PolicyChanged<UserID> {
        _ = try await managing(workspace, context)
        return PolicyChanged(value: user, version: try await set(user, of: workspace, to: nil, context))
    }

    private func set(
        _ user: UserID,
        of workspace: WorkspaceID,
        to grant: Grant?,
        _ context: RequestContext
    ) async throws -> Int64 {
        let change = try await store.setMember(
            user,
            of: workspace,
            to: grant,
            tenant: context.tenant,
            limit: Limits.grantsPerTenant,
            audit: { [self] in event($0, .grant, $1, context) },
            deadline: context.deadline
        )
        return try version(change, missing: "user", "grants", Limits.grantsPerTenant, context)
    }

    private func managing(
        _ workspace: WorkspaceID,
        _ context: RequestContext
    ) async throws -> (policy: PolicySet, standing: Standing) {
        let found = try await managing(context)
        let known = try await store.workspaces(tenant: context.tenant, deadline: context.deadline)
        guard known.contains(where: { $0.id == workspace }), found.standing.manages(.workspace(workspace)) else {
            throw AccessError.notFound("workspace")
        }
        return found
    }
}
