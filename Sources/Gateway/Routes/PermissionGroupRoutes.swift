import Access
import Domain
import HTTPTypes

/// Groups of users, and who is in them.
enum PermissionGroupRoutes {
    static let all = [groups, create, group, rename, delete, add, remove]

    private static let path = "/api/v1/permissions/groups"

    private static let groups = Route(
        .get,
        path,
        name: "listGroups",
        summary: "The tenant's groups with their members.",
        reply: .json(GroupListWire.self, "The groups, by name."),
        handler: .requires(.membersManage) { call, context in
            let groups = try await call.services.access.groups(context: context)
            return try .json(GroupListWire(groups: groups.map { GroupWire($0.group, members: $0.members) }))
        }
    )

    private static let create = Route(
        .post,
        path,
        name: "createGroup",
        summary: "Makes a group without members.",
        body: RouteBody(GroupDraftWire.self),
        reply: .json(GroupWire.self, "The group.", status: .created),
        problems: [.conflict],
        handler: .requires(.membersManage) { call, context in
            let draft: GroupDraftWire = try call.decodedBody()
            let made = try await call.services.access.createGroup(name: draft.name, context: context)
            return try .json(GroupWire(made.value, members: []), status: .created).since(made.version)
        }
    )

    private static let group = Route(
        .get,
        path + "/{groupId}",
        name: "getGroup",
        summary: "One group with its members.",
        reply: .json(GroupWire.self, "The group."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in
            try .json(try await call.group(context))
        }
    )

    private static let rename = Route(
        .patch,
        path + "/{groupId}",
        name: "renameGroup",
        summary: "Renames a group. Conditions that name groups follow the name.",
        body: RouteBody(GroupDraftWire.self),
        reply: .json(GroupWire.self, "The group."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in
            let draft: GroupDraftWire = try call.decodedBody()
            let renamed = try await call.services.access.renameGroup(
                try call.identifier(.groupId),
                to: draft.name,
                context: context
            )
            return try .json(try await call.group(context)).since(renamed.version)
        }
    )

    private static let delete = Route(
        .delete,
        path + "/{groupId}",
        name: "deleteGroup",
        summary: "Deletes a group and its grants.",
        reply: .nothing("The group is gone."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in
            let id: GroupID = try call.identifier(.groupId)
            return .nothing.since(try await call.services.access.deleteGroup(id, context: context).version)
        }
    )

    private static let add = Route(
        .put,
        path + "/{groupId}/members/{userId}",
        name: "addGroupMember",
        summary: "Puts a user into a group, which gives them all that the group has.",
        reply: .json(GroupWire.self, "The group."),
        problems: [.notFound, .conflict],
        handler: .requires(.membersManage) { call, context in try await call.setMember(true, context) }
    )

    private static let remove = Route(
        .delete,
        path + "/{groupId}/members/{userId}",
        name: "removeGroupMember",
        summary: "Takes a user out of a group.",
        reply: .json(GroupWire.self, "The group."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in try await call.setMember(false, context) }
    )
}

extension RouteCall {
    /// The group that the path names.
    fileprivate func group(_ context: Domain.RequestContext) async throws -> GroupWire {
        let id: GroupID = try identifier(.groupId)
        let groups = try await services.access.groups(context: context)
        guard let found = groups.first(where: { $0.group.id == id }) else { throw GatewayError.notFound }
        return GroupWire(found.group, members: found.members)
    }

    fileprivate func setMember(_ isMember: Bool, _ context: Domain.RequestContext) async throws -> Reply {
        let changed = try await services.access.setMember(
            try identifier(.userId),
            of: try identifier(.groupId),
            isMember: isMember,
            context: context
        )
        return try .json(try await group(context)).since(changed.version)
    }
}
