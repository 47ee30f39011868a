import Access
import Airtable
import Domain
import HTTPTypes

/// Airtable's meta API, for reading: who is calling, bases, tables with their fields and views, and who works in them.
enum AirtableMetaRoutes {
    static let all = [whoami, bases, base, workspace, tables]

    private static let whoami = Route(
        .get,
        "/v0/meta/whoami",
        name: "airtableWhoami",
        summary: "Who the key belongs to, and what it may do in Airtable's words.",
        reply: .json(WhoamiWire.self, "The caller."),
        handler: .authenticated { call, context in
            let scopes = AirtableScope.names(context.principal.permissions)
            var members: JSONObject = [
                "id": .string(context.principal.user.description), "scopes": .array(scopes.map { .string($0) }),
            ]
            let people = try await call.services.access.members(tenant: context.tenant, deadline: context.deadline)
            members["email"] = people.users.first { $0.id == context.principal.user }?.email.map { .string($0) }
            return try AirtableReply.json(.object(members))
        }
    )

    private static let bases = Route(
        .get,
        "/v0/meta/bases",
        name: "airtableListBases",
        summary: "Every base you may see.",
        query: [QueryParameter("offset", "Taken, and not needed: all bases are on one page.", .string())],
        readsQuery: true,
        reply: .json(MetaBaseListWire.self, "The bases, in the order they were made."),
        handler: .requires(.basesRead) { call, context in
            let bases = try await call.reads.bases(context: context)
            let level = AirtableScope.level(context.principal.permissions)
            return try AirtableReply.json([
                "bases": .array(
                    bases.map { base in
                        [
                            "id": .string(base.id.description), "name": .string(base.name),
                            "permissionLevel": .string(level),
                        ]
                    }
                )
            ])
        }
    )

    private static let included = QueryParameter(
        "include",
        """
        What to add, of `collaborators`, `inviteLinks`, `interfaces`; may be given again, and other words add nothing. \
        People are told only to keys that may read records, whose cells name them.
        """,
        .string()
    )

    private static let base = Route(
        .get,
        "/v0/meta/bases/{baseId}",
        name: "airtableGetBase",
        summary: "One base, and who works in it.",
        query: [included],
        readsQuery: true,
        reply: .json(MetaBaseWire.self, "The base."),
        handler: .airtable(.basesRead) { call, context in
            let include = Set(try call.airtableQuery().texts("include") ?? [])
            let base = try await call.reads.base(call.baseID.description, context: context)
            var members: JSONObject = [
                "id": .string(base.id.description), "name": .string(base.name),
                "createdTime": .string(CellCodec.timestamp(base.createdTime)),
                "permissionLevel": .string(AirtableScope.level(context.principal.permissions)),
                "workspaceId": .string(base.workspace.description),
            ]
            try await Collaborators.add(include, to: &members, call, context)
            if include.contains("interfaces") { members["interfaces"] = [:] }
            return try AirtableReply.json(.object(members))
        }
    )

    private static let workspace = Route(
        .get,
        "/v0/meta/workspaces/{workspaceId}",
        name: "airtableGetWorkspace",
        summary: "One workspace: its bases, and who works in it.",
        query: [included],
        readsQuery: true,
        reply: .json(MetaWorkspaceWire.self, "The workspace."),
        handler: .requires(.basesRead) { call, context in
            let include = Set(try call.airtableQuery().texts("include") ?? [])
            let id: WorkspaceID = try call.identifier(.workspaceId)
            let workspaces = try await call.services.access.workspaces(by: .basesRead, context: context)
            let known = workspaces.first { $0.id == id }
            guard let workspace = known ?? (call.services.emulation.acceptsAnyWorkspace ? workspaces.first : nil) else {
                throw AirtableError(.modelNotFound, "There is no such workspace, or you may not see it.")
            }
            let bases = try await call.reads.bases(context: context).filter { $0.workspace == workspace.id }
            var members: JSONObject = [
                "id": .string(workspace.id.description), "name": .string(workspace.name),
                "createdTime": .string(CellCodec.timestamp(workspace.createdTime)),
                "baseIds": .array(bases.map { .string($0.id.description) }),
                "workspaceRestrictions": [
                    "inviteCreationRestriction": "unrestricted", "shareCreationRestriction": "unrestricted",
                ],
            ]
            try await Collaborators.add(include, to: &members, call, context)
            return try AirtableReply.json(.object(members))
        }
    )

    private static let tables = Route(
        .get,
        "/v0/meta/bases/{baseId}/tables",
        name: "airtableListTables",
        summary: "The tables of a base, with their fields and views.",
        query: [ViewRoutes.include],
        readsQuery: true,
        reply: .json(MetaTableListWire.self, "The tables, in the order people see them."),
        handler: .airtable(.schemaRead) { call, context in
            let isShown = try call.airtableQuery().texts("include")?.contains("visibleFieldIds") ?? false
            let tables = try await call.reads.viewedTables(in: call.baseID, context: context)
            return try AirtableReply.json([
                "tables": .array(tables.map { MetaTable.json($0, showsVisibleFields: isShown) })
            ])
        }
    )
}

/// Who works in a base or workspace, as Airtable says it. Here everybody does so by way of the workspace, and nobody
/// is invited by link.
private enum Collaborators {
    static func add(
        _ include: Set<String>,
        to members: inout JSONObject,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws {
        if include.contains("collaborators"), context.principal.permissions.contains(.recordsRead) {
            let people = try await call.services.access.members(tenant: context.tenant, deadline: context.deadline)
            let users = people.users.map { user -> JSONValue in
                [
                    "userId": .string(user.id.description), "email": .string(user.email ?? ""),
                    "permissionLevel": .string(user.role.rawValue),
                    "createdTime": .string(CellCodec.timestamp(user.createdTime)),
                    "grantedByUserId": .string(people.owner.description),
                ]
            }
            members["individualCollaborators"] = ["baseCollaborators": [], "workspaceCollaborators": .array(users)]
            members["groupCollaborators"] = ["baseCollaborators": [], "workspaceCollaborators": []]
        }
        if include.contains("inviteLinks") {
            members["inviteLinks"] = ["baseInviteLinks": [], "workspaceInviteLinks": []]
        }
    }
}
