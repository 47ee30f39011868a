package import Database
public import Domain

/// Workspaces of the caller's tenant. Making, renaming and deleting them needs `members:manage`.
extension AccessService {
    /// - Throws: `invalid` for a name, `limitReached`, `forbidden`.
    public func createWorkspace(name: String, context: RequestContext) async throws -> Workspace {
        try context.require(.membersManage)
        let workspace = Workspace(
            id: .random(),
            name: try Self.displayName(name, of: "workspace"),
            createdTime: now()
        )
        let isMade = try await store.insert(
            workspace,
            tenant: context.tenant,
            limit: Limits.workspacesPerTenant,
            audit: event(.workspaceCreated, workspace.id, context),
            deadline: context.deadline
        )
        guard isMade else { throw Self.limitReached("workspaces", Limits.workspacesPerTenant) }
        return workspace
    }

    /// - Throws: `invalid` for a name, `notFound`, `forbidden`.
    public func renameWorkspace(_ id: WorkspaceID, to name: String, context: RequestContext) async throws {
        try context.require(.membersManage)
        let isFound = try await store.rename(
            id,
            to: try Self.displayName(name, of: "workspace"),
            tenant: context.tenant,
            audit: event(.workspaceChanged, id, context),
            deadline: context.deadline
        )
        guard isFound else { throw AccessError.notFound("workspace") }
    }

    /// Deletes a workspace in the transaction of `Airtable`, which knows that no base is left in it.
    ///
    /// - Returns: false for the last one.
    package func delete(
        _ workspace: WorkspaceID,
        context: RequestContext,
        in transaction: any Transaction
    ) throws -> Bool {
        try AccessStore.delete(
            workspace,
            tenant: context.tenant,
            audit: event(.workspaceDeleted, workspace, context),
            in: transaction
        )
    }

    private func event(_ action: AuditAction, _ workspace: WorkspaceID, _ context: RequestContext) -> AuditEvent {
        AuditEvent(action, at: now(), by: context, object: AuditObject(.workspace, workspace))
    }
}
