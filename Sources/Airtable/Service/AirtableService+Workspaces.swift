import Access
import Database
public import Domain

/// Which workspace a base stands in.
extension AirtableService {
    /// Moves a base to another workspace. Needs `schema:write` in the whole of the base, and where it goes.
    ///
    /// - Throws: `.modelNotFound` for a base or a workspace that is not there or may not be seen; `forbidden`.
    public func moveBase(_ base: BaseID, to workspace: WorkspaceID, context: RequestContext) async throws -> Base {
        try context.require(.schemaWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        _ = try await workspaceID(workspace, scope: scope, context: context)
        defer { access.policyChanged(in: context.tenant) }
        return try await change(context) { [schemas] transaction, schema in
            var moved = try schema.base(base, schema.widening(scope))
            guard scope.permits(base: base), scope.permits(workspace: workspace) else {
                throw AccessError.forbidden(.schemaWrite)
            }
            guard moved.workspace != workspace else { return moved }
            moved.workspace = workspace
            try schemas.move(base, to: workspace, tenant: context.tenant, in: transaction)
            try schemas.raiseVersion(tenant: context.tenant, in: transaction)
            return moved
        }
    }

    /// Deletes a workspace that holds no base, or whose bases go to another one. The tenant's last one stays. Needs
    /// `members:manage`, and `schema:write` in both when bases move.
    ///
    /// - Throws: `.modelNotFound`; `.invalidRequest` for one that is not empty, and for the last one; `forbidden`.
    public func deleteWorkspace(
        _ workspace: WorkspaceID,
        movingTo target: WorkspaceID? = nil,
        context: RequestContext
    ) async throws {
        try context.require(.membersManage)
        guard target != workspace else {
            throw AirtableError(.invalidRequest, "A workspace's bases can't go to itself.")
        }
        let workspaces = try await access.workspaces(by: .membersManage, context: context).map(\.id)
        for id in [workspace, target].compactMap(\.self) where !workspaces.contains(id) {
            throw AirtableError(.modelNotFound, "There is no such workspace, or you may not see it.")
        }
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let mayMove = Policy.allows(.schemaWrite, to: context.principal)
        defer { access.policyChanged(in: context.tenant) }
        try await change(context) { [schemas, access] transaction, schema in
            let bases = schema.bases.filter { $0.workspace == workspace }
            if !bases.isEmpty {
                guard let target else {
                    throw AirtableError(
                        .invalidRequest,
                        "The workspace holds bases.",
                        hint: "name the workspace that they should go to"
                    )
                }
                guard mayMove, scope.permits(workspace: target), bases.allSatisfy({ scope.permits(base: $0.id) }) else {
                    throw AccessError.forbidden(.schemaWrite)
                }
                for base in bases {
                    try schemas.move(base.id, to: target, tenant: context.tenant, in: transaction)
                }
                try schemas.raiseVersion(tenant: context.tenant, in: transaction)
            }
            guard try access.delete(workspace, context: context, in: transaction) else {
                throw AirtableError(.invalidRequest, "A tenant keeps at least one workspace.")
            }
        }
    }
}

extension SchemaStore {
    /// Writes which workspace a base stands in.
    func move(
        _ base: BaseID,
        to workspace: WorkspaceID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try Self.bases.update(
            [("workspace", workspace.sql)],
            where: "tenant = $1 AND id = $2",
            [tenant.sql, base.sql],
            in: transaction
        )
        try AccessStore.place(base, in: workspace, tenant: tenant, in: transaction)
    }
}
