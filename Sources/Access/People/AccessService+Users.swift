public import Domain

/// The users of the caller's tenant. Everything here needs `members:manage`, and nobody changes whoever may more than
/// they do themselves.
extension AccessService {
    /// A page of the users who fit, oldest first.
    ///
    /// - Throws: `invalid` for a cursor that is no user of this tenant, or no longer one.
    public func users(
        _ filter: UserFilter,
        after cursor: UserID? = nil,
        limit: Int = Limits.userPageUsers,
        context: RequestContext
    ) async throws -> UserPage {
        try context.require(.membersManage)
        let limit = min(max(limit, 1), Limits.userPageUsers)
        let found = try await store.users(
            filter,
            after: cursor,
            limit: limit + 1,
            tenant: context.tenant,
            deadline: context.deadline
        )
        guard let found else {
            throw AccessError(.invalid, "The list cannot go on from there.", hint: "start again without the offset")
        }
        let users = Array(found.prefix(limit))
        return UserPage(
            users: users,
            owner: try await tenantOwner(context),
            next: found.count > limit ? users.last?.id : nil
        )
    }

    /// One user, and whether the tenant belongs to them.
    ///
    /// - Throws: `notFound`.
    public func user(_ id: UserID, context: RequestContext) async throws -> (user: User, ownsTenant: Bool) {
        try context.require(.membersManage)
        guard let user = try await store.user(id, tenant: context.tenant, deadline: context.deadline) else {
            throw AccessError.notFound("user")
        }
        return (user, try await tenantOwner(context) == id)
    }

    /// Renames a user, gives them another role in the whole tenant, disables or enables them. It acts at once, on their
    /// keys and sessions too.
    ///
    /// - Throws: `forbidden` when they have, or would have, rights that the caller has not; `lastOwner` for whom the tenant
    ///   belongs to; `invalid` for a name that is none or taken; `notFound`.
    @discardableResult
    public func changeUser(_ id: UserID, _ change: UserChange, context: RequestContext) async throws -> User {
        let old = try await user(id, context: context).user
        let rights = Rights(old.role.permissions).union(Rights(change.role?.permissions ?? []))
        try requireHeld(rights, .tenant, try await standing(of: context))
        var user = change.applied(to: old)
        user.name = try Self.displayName(user.name, of: "user")
        let outcome = try await store.change(
            old,
            to: user,
            tenant: context.tenant,
            audit: events(from: old, to: user, context),
            deadline: context.deadline
        )
        cache.clear()
        policyChanged(in: context.tenant)
        switch outcome {
        case .changed(let user): return user
        case .isTenantOwner: throw Self.lastOwner
        case .userMissing: throw AccessError.notFound("user")
        case .nameTaken:
            throw AccessError(.invalid, "A user of this name exists.", hint: "choose another one")
        }
    }

    /// Deletes a user with their keys, sessions, grants and open invites. Cells keep their name, and so do history and
    /// comments, unless it is erased: then these call them `erased`.
    ///
    /// One who was deleted before is erased all the same, so that what was interrupted can be done again.
    ///
    /// - Throws: `forbidden` when they have rights that the caller has not; `lastOwner` for whom the tenant belongs to;
    ///   `notFound`.
    public func deleteUser(_ id: UserID, erasingName: Bool = false, context: RequestContext) async throws {
        try context.require(.membersManage)
        guard let user = try await store.user(id, tenant: context.tenant, deadline: context.deadline) else {
            guard erasingName, try await eraseName(of: id, context) else { throw AccessError.notFound("user") }
            return
        }
        try requireHeld(Rights(user.role.permissions), .tenant, try await standing(of: context))
        let outcome = try await store.delete(
            user,
            at: now(),
            tenant: context.tenant,
            audit: AuditEvent(.userDeleted, at: now(), by: context, object: AuditObject(.user, id)),
            deadline: context.deadline
        )
        cache.clear()
        policyChanged(in: context.tenant)
        switch outcome {
        case .changed: if erasingName { _ = try await eraseName(of: id, context) }
        case .isTenantOwner: throw Self.lastOwner
        case .userMissing, .nameTaken: throw AccessError.notFound("user")
        }
    }

    /// Those who were deleted, whatever they left elsewhere. For the server's own work.
    package func formerUsers(tenant: TenantID) async throws -> [UserID] {
        try await store.formerUsers(tenant: tenant).map(\.id)
    }

    /// - Returns: false when nobody of that identifier was deleted.
    private func eraseName(of user: UserID, _ context: RequestContext) async throws -> Bool {
        try await store.eraseName(
            of: user,
            tenant: context.tenant,
            audit: AuditEvent(
                .userDeleted,
                at: now(),
                by: context,
                object: AuditObject(.user, user),
                details: [.fields: "name"]
            ),
            deadline: context.deadline
        )
    }

    /// Gives the tenant to another owner: whom the server's own work acts as, and who cannot be removed.
    ///
    /// Needs `admin`, which only owners have.
    ///
    /// - Throws: `invalid` when that user is not there, disabled, or no owner.
    public func giveTenant(to user: UserID, context: RequestContext) async throws {
        try context.require(.admin)
        try context.require(.membersManage)
        let isGiven = try await store.giveTenant(
            to: user,
            tenant: context.tenant,
            audit: AuditEvent(
                .tenantChanged,
                at: now(),
                by: context,
                object: AuditObject(.user, user),
                details: [.fields: "owner"]
            ),
            deadline: context.deadline
        )
        cache.clear()
        policyChanged(in: context.tenant)
        guard isGiven else {
            throw AccessError(
                .invalid,
                "A tenant is given to one of its users who is an owner and not disabled.",
                hint: "give them the role owner first"
            )
        }
    }

    /// Everybody as history and comments name them, those who are deleted too.
    ///
    /// For who has checked that the caller may read records, which is all that this tells.
    package func authors(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [Collaborator] {
        let former = try await store.formerUsers(tenant: tenant, deadline: deadline)
        return try await collaborators(tenant: tenant, deadline: deadline)
            + former.map { Collaborator(id: $0.id, name: $0.name) }
    }

    private static let lastOwner = AccessError(
        .lastOwner,
        "The tenant belongs to this user, who stays an owner and enabled.",
        hint: "give the tenant to another owner first"
    )

    private func tenantOwner(_ context: RequestContext) async throws -> UserID {
        guard let owner = try await store.tenant(context.tenant, deadline: context.deadline)?.owner else {
            throw AccessError.notFound("tenant")
        }
        return owner
    }

    private func events(from old: User, to user: User, _ context: RequestContext) -> [AuditEvent] {
        var actions: [(AuditAction, [AuditEvent.Detail: String])] = []
        if old.name != user.name { actions.append((.userChanged, [.fields: "name"])) }
        if old.role != user.role { actions.append((.userRoleChanged, [.role: user.role.rawValue])) }
        if old.isDisabled != user.isDisabled { actions.append((user.isDisabled ? .userDisabled : .userEnabled, [:])) }
        let (time, object) = (now(), AuditObject(.user, user.id))
        return actions.map { AuditEvent($0.0, at: time, by: context, object: object, details: $0.1) }
    }
}
