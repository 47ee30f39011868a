import Access
import Airtable
import Domain
import HTTPTypes

/// Workspaces: the sets of bases that a tenant is divided into.
enum WorkspaceRoutes {
    static let all = [list, create, show, change, delete, bases, move]

    private static let workspaces = "/api/v1/workspaces"
    private static let workspace = workspaces + "/{workspaceId}"

    private static let list = Route(
        .get,
        workspaces,
        name: "listWorkspaces",
        summary: "The workspaces in which you may see anything.",
        reply: .json(WorkspaceListWire.self, "The workspaces, oldest first."),
        handler: .requires(.basesRead) { call, context in
            let found = try await call.workspaces(context)
            return try .json(WorkspaceListWire(workspaces: found.map(WorkspaceWire.init)))
        }
    )

    private static let create = Route(
        .post,
        workspaces,
        name: "createWorkspace",
        summary: "Makes a workspace.",
        body: RouteBody(WorkspaceDraftWire.self),
        reply: .json(WorkspaceWire.self, "The workspace.", status: .created),
        problems: [.conflict],
        handler: .requires(.membersManage) { call, context in
            let draft: WorkspaceDraftWire = try call.decodedBody()
            let made = try await call.services.access.createWorkspace(name: draft.name, context: context)
            return try .json(WorkspaceWire(made), status: .created)
        }
    )

    private static let show = Route(
        .get,
        workspace,
        name: "getWorkspace",
        summary: "One workspace.",
        reply: .json(WorkspaceWire.self, "The workspace."),
        handler: .requires(.basesRead) { call, context in
            try .json(WorkspaceWire(try await call.workspace(context)))
        }
    )

    private static let change = Route(
        .patch,
        workspace,
        name: "updateWorkspace",
        summary: "Renames a workspace.",
        body: RouteBody(WorkspaceDraftWire.self),
        reply: .json(WorkspaceWire.self, "The workspace as it is now."),
        handler: .requires(.membersManage) { call, context in
            let (access, id): (AccessService, WorkspaceID) = (call.services.access, try call.identifier(.workspaceId))
            let draft: WorkspaceDraftWire = try call.decodedBody()
            try await access.renameWorkspace(id, to: draft.name, context: context)
            let found = try await access.workspaces(by: .membersManage, context: context).first { $0.id == id }
            guard let found else { throw GatewayError.notFound }
            return try .json(WorkspaceWire(found))
        }
    )

    private static let delete = Route(
        .delete,
        workspace,
        name: "deleteWorkspace",
        summary: "Deletes a workspace that is empty, or whose bases go to another one.",
        query: [
            QueryParameter("moveTo", "The workspace that its bases go to.", PathParameter.workspaceId.schema)
        ],
        reply: .nothing("It is deleted."),
        problems: [.unprocessableContent],
        handler: .requires(.membersManage) { call, context in
            let target = try call.query.text("moveTo").map { text in
                guard let target = WorkspaceID(text) else {
                    throw GatewayError(.invalidParameter, "The query parameter moveTo is a workspace's identifier.")
                }
                return target
            }
            try await call.services.airtable.deleteWorkspace(
                try call.identifier(.workspaceId),
                movingTo: target,
                context: context
            )
            return .nothing
        }
    )

    private static let bases = Route(
        .get,
        workspace + "/bases",
        name: "listWorkspaceBases",
        summary: "The bases of a workspace that you may see.",
        reply: .json(BaseListWire.self, "The bases, in the order they were made."),
        handler: .requires(.basesRead) { call, context in
            let found = try await call.workspace(context)
            let bases = try await call.reads.bases(context: context).filter { $0.workspace == found.id }
            return try .json(BaseListWire(bases: bases.map(BaseWire.init)))
        }
    )

    private static let move = Route(
        .put,
        workspace + "/bases/{baseId}",
        name: "moveBase",
        summary: "Moves a base to this workspace.",
        reply: .json(BaseWire.self, "The base."),
        problems: [.unprocessableContent],
        handler: .requires(.schemaWrite) { call, context in
            let base: BaseID = try call.identifier(.baseId)
            let workspace: WorkspaceID = try call.identifier(.workspaceId)
            let moved = try await call.services.airtable.moveBase(base, to: workspace, context: context)
            return try .json(BaseWire(moved))
        }
    )
}

extension RouteCall {
    /// The workspaces in which the caller may see anything: all for who sees the whole tenant, else those of the bases
    /// they see.
    func workspaces(_ context: Domain.RequestContext) async throws -> [Workspace] {
        let all = try await services.access.workspaces(by: .basesRead, context: context)
        let scope = try await services.access.visibleScope(for: context, doing: .basesRead)
        let bases = try await reads.bases(context: context)
        let places = Set(bases.map(\.workspace))
        return all.filter { places.contains($0.id) || scope.allows(workspace: $0.id) }
    }

    /// The workspace in the path, when it is one of those.
    fileprivate func workspace(_ context: Domain.RequestContext) async throws -> Workspace {
        let id: WorkspaceID = try identifier(.workspaceId)
        guard let found = try await workspaces(context).first(where: { $0.id == id }) else {
            throw GatewayError.notFound
        }
        return found
    }
}
