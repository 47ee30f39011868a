import Access
import Domain
import HTTPTypes

/// Grants and roles.
enum PermissionRoutes {
    static let all = [grants, createGrant, grant, deleteGrant, roles, createRole, role, updateRole, deleteRole]

    // MARK: Grants

    private static let grants = Route(
        .get,
        "/api/v1/permissions/grants",
        name: "listGrants",
        summary: "Who may, or may not, do what where.",
        query: subjectQuery + [
            QueryParameter("base", "Only those on this base or in it.", PathParameter.baseId.schema),
            QueryParameter(
                "pageSize",
                "Grants of the page, at most.",
                .integer(minimum: 1, maximum: Limits.grantsPage, default: 100)
            ),
            QueryParameter("offset", "What the page before gave as its offset.", PathParameter.grantId.schema),
        ],
        reply: .json(GrantListWire.self, "The grants, in the order of their identifiers."),
        handler: .requiresThere(.membersManage) { call, context in
            let limit = try call.query.integer("pageSize", in: 1...Limits.grantsPage) ?? 100
            let found = try await call.services.access.grants(
                of: try call.subject(),
                in: try call.queried("base"),
                after: try call.queried("offset"),
                limit: limit + 1,
                context: context
            )
            let page = found.prefix(limit)
            return try .json(
                GrantListWire(grants: page.map(GrantWire.init), offset: found.count > limit ? page.last?.id : nil)
            )
        }
    )

    private static let createGrant = Route(
        .post,
        "/api/v1/permissions/grants",
        name: "createGrant",
        summary: "Allows or denies something to somebody somewhere. Nobody gives more than they have there.",
        body: RouteBody(GrantDraftWire.self),
        reply: .json(GrantWire.self, "The grant.", status: .created),
        problems: [.notFound, .conflict],
        handler: .requiresThere(.membersManage) { call, context in
            let draft: GrantDraftWire = try call.decodedBody()
            let made = try await call.services.access.createGrant(
                draft.draft(),
                checking: call.services.airtable,
                context: context
            )
            return try .json(GrantWire(made.value), status: .created).since(made.version)
        }
    )

    private static let grant = Route(
        .get,
        "/api/v1/permissions/grants/{grantId}",
        name: "getGrant",
        summary: "One grant.",
        reply: .json(GrantWire.self, "The grant."),
        problems: [.notFound],
        handler: .requiresThere(.membersManage) { call, context in
            let id: GrantID = try call.identifier(.grantId)
            return try .json(GrantWire(try await call.services.access.grant(id, context: context)))
        }
    )

    private static let deleteGrant = Route(
        .delete,
        "/api/v1/permissions/grants/{grantId}",
        name: "deleteGrant",
        summary: "Takes a grant back. A refusal is lifted only by who has what it refuses.",
        reply: .nothing("The grant is gone."),
        problems: [.notFound],
        handler: .requiresThere(.membersManage) { call, context in
            let id: GrantID = try call.identifier(.grantId)
            return .nothing.since(try await call.services.access.deleteGrant(id, context: context).version)
        }
    )

    // MARK: Roles

    private static let roles = Route(
        .get,
        "/api/v1/permissions/roles",
        name: "listRoles",
        summary: "The roles that every tenant has, and the tenant's own.",
        reply: .json(RoleListWire.self, "The roles."),
        handler: .requires(.membersManage) { call, context in
            let own = try await call.services.access.customRoles(context: context)
            return try .json(RoleListWire(roles: Role.allCases.map { RoleWire($0) } + own.map { RoleWire($0) }))
        }
    )

    private static let createRole = Route(
        .post,
        "/api/v1/permissions/roles",
        name: "createRole",
        summary: "Gives a set of permissions a name. Nobody names more than they have in the whole tenant.",
        body: RouteBody(RoleDraftWire.self),
        reply: .json(RoleWire.self, "The role.", status: .created),
        problems: [.conflict],
        handler: .requires(.membersManage) { call, context in
            let draft: RoleDraftWire = try call.decodedBody()
            let made = try await call.services.access.createRole(
                name: draft.name,
                permissions: Set(draft.permissions),
                context: context
            )
            return try .json(RoleWire(made.value), status: .created).since(made.version)
        }
    )

    private static let role = Route(
        .get,
        "/api/v1/permissions/roles/{roleId}",
        name: "getRole",
        summary: "One role of the tenant's own.",
        reply: .json(RoleWire.self, "The role."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in
            let id: RoleID = try call.identifier(.roleId)
            let own = try await call.services.access.customRoles(context: context)
            guard let role = own.first(where: { $0.id == id }) else { throw GatewayError.notFound }
            return try .json(RoleWire(role))
        }
    )

    private static let updateRole = Route(
        .patch,
        "/api/v1/permissions/roles/{roleId}",
        name: "updateRole",
        summary: "Renames a role, or gives it other permissions, which all grants of it then have.",
        body: RouteBody(RoleUpdateWire.self),
        reply: .json(RoleWire.self, "The role."),
        problems: [.notFound],
        handler: .requires(.membersManage) { call, context in
            let update: RoleUpdateWire = try call.decodedBody()
            let changed = try await call.services.access.updateRole(
                try call.identifier(.roleId),
                name: update.name,
                permissions: update.permissions.map { Set($0) },
                context: context
            )
            return try .json(RoleWire(changed.value)).since(changed.version)
        }
    )

    private static let deleteRole = Route(
        .delete,
        "/api/v1/permissions/roles/{roleId}",
        name: "deleteRole",
        summary: "Deletes a role that no grant names.",
        reply: .nothing("The role is gone."),
        problems: [.notFound, .conflict],
        handler: .requires(.membersManage) { call, context in
            let id: RoleID = try call.identifier(.roleId)
            return .nothing.since(try await call.services.access.deleteRole(id, context: context).version)
        }
    )

    // MARK: Whom

    static let subjectQuery = [
        QueryParameter("user", "About this user.", PathParameter.userId.schema),
        QueryParameter("group", "About this group.", PathParameter.groupId.schema),
        QueryParameter(
            "key",
            "About this API key.",
            JSONSchema(json: ["type": "string", "pattern": "^key[A-Za-z0-9]{14}$"])
        ),
        QueryParameter("everybody", "About everybody.", .boolean()),
    ]
}

extension RouteCall {
    /// The subject that the query names; nil when it names none.
    ///
    /// - Throws: `invalidParameter` when it names several.
    func subject() throws(GatewayError) -> Grant.Subject? {
        var all: [Grant.Subject] = []
        if let user: UserID = try queried("user") { all.append(.user(user)) }
        if let group: GroupID = try queried("group") { all.append(.group(group)) }
        if let key: KeyID = try queried("key") { all.append(.key(key)) }
        if try query.flag("everybody") == true { all.append(.everybody) }
        guard all.count <= 1 else {
            throw GatewayError(.invalidParameter, "The query names more than one of user, group, key and everybody.")
        }
        return all.first
    }

    /// An identifier in the query; nil when it is not there.
    ///
    /// - Throws: `invalidParameter` when it has not the form of one.
    func queried<Kind>(_ name: String) throws(GatewayError) -> Identifier<Kind>? {
        guard let text = query.text(name) else { return nil }
        guard let identifier = Identifier<Kind>(text) else {
            throw GatewayError(.invalidParameter, "The query parameter \(name) is not an identifier of one.")
        }
        return identifier
    }
}

extension Reply {
    /// With the policy's version since a change, which a later request may ask for at least.
    func since(_ version: Int64) -> Reply {
        var reply = self
        reply.headers[.policyVersion] = "\(version)"
        return reply
    }
}

extension HTTPField.Name {
    static let policyVersion = Self("Policy-Version")!
}
