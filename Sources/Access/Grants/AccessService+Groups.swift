public import Domain

/// A group with who is in it.
public struct GroupMembers: Sendable, Hashable {
    public let group: Group
    /// In the order of their identifiers.
    public let members: [UserID]
}

/// Roles of a tenant's own, and groups. All of it needs `members:manage`.
extension AccessService {
    // MARK: Roles

    /// By name.
    public func customRoles(context: RequestContext) async throws -> [CustomRole] {
        try context.require(.membersManage)
        return try await store.roles(tenant: context.tenant, deadline: context.deadline)
    }

    /// - Throws: `invalid` for a bad or taken name and for no permissions; `forbidden` for permissions that the caller
    ///   does not have in the whole tenant; `limitReached`.
    public func createRole(
        name: String,
        permissions: Set<Permission>,
        context: RequestContext
    ) async throws -> PolicyChanged<CustomRole> {
        _ = try await policy(for: .membersManage, context)
        let role = CustomRole(
            id: .random(),
            name: try Self.roleName(name),
            permissions: permissions,
            createdTime: now()
        )
        try await requireHeldInTenant(permissions, context)
        let change = try await store.insert(
            role,
            tenant: context.tenant,
            limit: Limits.rolesPerTenant,
            audit: event(.roleCreated, .role, role.id, context),
            deadline: context.deadline
        )
        return PolicyChanged(
            value: role,
            version: try version(change, missing: "role", "roles", Limits.rolesPerTenant, context)
        )
    }

    /// Renames a role, or gives it other permissions, which every grant of it then has.
    ///
    /// - Throws: as `createRole`; `forbidden` also for what the role had before; `notFound`.
    public func updateRole(
        _ id: RoleID,
        name: String? = nil,
        permissions: Set<Permission>? = nil,
        context: RequestContext
    ) async throws -> PolicyChanged<CustomRole> {
        _ = try await policy(for: .membersManage, context)
        let roles = try await store.roles(tenant: context.tenant, deadline: context.deadline)
        guard var role = roles.first(where: { $0.id == id }) else { throw AccessError.notFound("role") }
        // What a role loses, it loses in refusals as well.
        try await requireHeldInTenant(role.permissions.union(permissions ?? []), context)
        role.name = try name.map(Self.roleName) ?? role.name
        if let permissions { try await requireHeldInTenant(permissions, context) }
        role.permissions = permissions ?? role.permissions
        let change = try await store.update(
            role,
            tenant: context.tenant,
            audit: event(.roleChanged, .role, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(value: role, version: try version(change, missing: "role", "roles", 0, context))
    }

    /// - Throws: `notFound`; `inUse` while grants name it.
    public func deleteRole(_ id: RoleID, context: RequestContext) async throws -> PolicyChanged<RoleID> {
        _ = try await policy(for: .membersManage, context)
        let change = try await store.deleteRole(
            id,
            tenant: context.tenant,
            audit: event(.roleDeleted, .role, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(value: id, version: try version(change, missing: "role", "roles", 0, context))
    }

    private func requireHeldInTenant(_ permissions: Set<Permission>, _ context: RequestContext) async throws {
        guard !permissions.isEmpty else { throw AccessError(.invalid, "A role has at least one permission.") }
        try requireHeld(Rights(permissions), .tenant, try await standing(of: context))
    }

    private static func roleName(_ name: String) throws -> String {
        let name = try displayName(name, of: "role")
        guard Role(rawValue: name.lowercased()) == nil else {
            throw AccessError(.invalid, "There is a role of this name in every tenant.", hint: "choose another name")
        }
        return name
    }

    // MARK: Groups

    /// By name.
    public func groups(context: RequestContext) async throws -> [GroupMembers] {
        try context.require(.membersManage)
        return try await store.groups(tenant: context.tenant, deadline: context.deadline)
            .map { GroupMembers(group: $0.group, members: $0.members) }
    }

    /// - Throws: `invalid` for a bad or taken name; `limitReached`.
    public func createGroup(name: String, context: RequestContext) async throws -> PolicyChanged<Group> {
        _ = try await policy(for: .membersManage, context)
        let group = Group(id: .random(), name: try Self.displayName(name, of: "group"), createdTime: now())
        let change = try await store.insert(
            group,
            tenant: context.tenant,
            limit: Limits.groupsPerTenant,
            audit: event(.groupCreated, .group, group.id, context),
            deadline: context.deadline
        )
        return PolicyChanged(
            value: group,
            version: try version(change, missing: "group", "groups", Limits.groupsPerTenant, context)
        )
    }

    /// - Throws: `invalid` for a bad or taken name; `notFound`.
    public func renameGroup(
        _ id: GroupID,
        to name: String,
        context: RequestContext
    ) async throws -> PolicyChanged<GroupID> {
        _ = try await policy(for: .membersManage, context)
        let change = try await store.rename(
            id,
            to: try Self.displayName(name, of: "group"),
            tenant: context.tenant,
            audit: event(.groupChanged, .group, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(value: id, version: try version(change, missing: "group", "groups", 0, context))
    }

    /// Deletes a group with all its grants.
    ///
    /// - Throws: `notFound`; `forbidden` when it lifts a refusal of what the caller does not have.
    public func deleteGroup(_ id: GroupID, context: RequestContext) async throws -> PolicyChanged<GroupID> {
        let policy = try await policy(for: .membersManage, context)
        try requireMayLift(policy.grants(of: .group(id)), policy, try await standing(of: context))
        let change = try await store.deleteGroup(
            id,
            tenant: context.tenant,
            audit: event(.groupDeleted, .group, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(value: id, version: try version(change, missing: "group", "groups", 0, context))
    }

    /// Puts a user into a group, which gives them all that the group has, or takes them out.
    ///
    /// - Throws: `notFound`; `forbidden` when it gives, or lifts a refusal of, what the caller does not have;
    ///   `limitReached`.
    public func setMember(
        _ user: UserID,
        of id: GroupID,
        isMember: Bool,
        context: RequestContext
    ) async throws -> PolicyChanged<GroupID> {
        let policy = try await policy(for: .membersManage, context)
        let standing = try await standing(of: context)
        let grants = policy.grants(of: .group(id))
        if isMember {
            for grant in grants where grant.effect == .allow {
                // What points to nothing any more gives nothing, and stops nobody.
                guard let rights = try? rights(of: grant.bundle, policy) else { continue }
                try requireHeld(rights, grant.resource, standing)
            }
        } else {
            try requireMayLift(grants, policy, standing)
        }
        let change = try await store.setMember(
            user,
            of: id,
            isMember: isMember,
            tenant: context.tenant,
            limit: Limits.membersPerGroup,
            audit: event(isMember ? .groupMemberAdded : .groupMemberRemoved, .group, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(
            value: id,
            version: try version(
                change,
                missing: "group or user",
                "members of a group",
                Limits.membersPerGroup,
                context
            )
        )
    }
}

extension AccessError {
    /// Somebody would hand on what they do not have.
    static func notHeld(_ permission: Permission) -> Self {
        Self(
            .forbidden,
            "You cannot hand on \(permission.rawValue) there: you do not have it in all of that place yourself.",
            hint: "ask somebody who has it, such as an owner"
        )
    }
}
