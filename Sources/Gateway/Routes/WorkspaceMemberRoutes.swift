import Access
import Domain
import HTTPTypes

/// Who has a role in a workspace.
enum WorkspaceMemberRoutes {
    static let all = [list, set, remove]

    private static let members = "/api/v1/workspaces/{workspaceId}/members"
    private static let member = members + "/{userId}"

    private static let list = Route(
        .get,
        members,
        name: "listWorkspaceMembers",
        summary: "Who has a role in a workspace, beside what they have in the tenant.",
        reply: .json(WorkspaceMemberListWire.self, "The members."),
        handler: .requiresThere(.membersManage) { call, context in
            let found = try await call.services.access.members(
                of: try call.identifier(.workspaceId),
                context: context
            )
            return try .json(WorkspaceMemberListWire(members: found.map(WorkspaceMemberWire.init)))
        }
    )

    private static let set = Route(
        .put,
        member,
        name: "setWorkspaceMember",
        summary: "Gives a user a role in a workspace, in place of the one they had there.",
        body: RouteBody(WorkspaceRoleWire.self, limit: Limits.smallBodyBytes),
        reply: .json(WorkspaceMemberWire.self, "The member."),
        problems: [.conflict],
        handler: .requiresThere(.membersManage) { call, context in
            let body: WorkspaceRoleWire = try call.decodedBody()
            let set = try await call.services.access.setMember(
                try call.identifier(.userId),
                role: body.role,
                of: try call.identifier(.workspaceId),
                context: context
            )
            return try .json(WorkspaceMemberWire(set.value)).since(set.version)
        }
    )

    private static let remove = Route(
        .delete,
        member,
        name: "removeWorkspaceMember",
        summary: "Takes a user's role in a workspace away.",
        reply: .nothing("They have none there."),
        handler: .requiresThere(.membersManage) { call, context in
            let removed = try await call.services.access.removeMember(
                try call.identifier(.userId),
                of: try call.identifier(.workspaceId),
                context: context
            )
            return .nothing.since(removed.version)
        }
    )
}

struct WorkspaceRoleWire: DocumentedWireType, Hashable {
    let role: Role

    static let schemaName = "WorkspaceRole"
    static let schema = JSONSchema.object(
        properties: ["role": .string(enum: InvitedPlace.roles.map(\.rawValue))],
        required: ["role"]
    )
    static let sample = WorkspaceRoleWire(role: .viewer)
}

struct WorkspaceMemberWire: DocumentedWireType, Hashable {
    let user: UserID
    let role: Role

    init(_ member: AccessService.WorkspaceMember) {
        user = member.user
        role = member.role
    }

    static let schemaName = "WorkspaceMember"
    static let schema = JSONSchema.object(
        properties: [
            "user": PathParameter.userId.schema, "role": .string(enum: Role.allCases.map(\.rawValue)),
        ],
        required: ["user", "role"]
    )
    static let sample = WorkspaceMemberWire(.init(user: Sample.user, role: .editor))
}

struct WorkspaceMemberListWire: DocumentedWireType, Hashable {
    let members: [WorkspaceMemberWire]

    static let schemaName = "WorkspaceMemberList"
    static let schema = JSONSchema.object(
        properties: ["members": .array(of: WorkspaceMemberWire.schema)],
        required: ["members"]
    )
    static let sample = WorkspaceMemberListWire(members: [.sample])
}
