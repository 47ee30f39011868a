public import Domain

/// Users, for the `user` command and routes.
extension AccessService {
    // MARK: Workspaces

    /// Oldest first; the first one is the tenant's default.
    public func workspaces(context: RequestContext) async throws -> [Workspace] {
        try await workspaces(by: .basesRead, context: context)
    }

    /// `workspaces(context:)` for whoever has `permission`, such as to make a base in one of them.
    package func workspaces(by permission: Permission, context: RequestContext) async throws -> [Workspace] {
        try context.require(permission)
        return try await store.workspaces(tenant: context.tenant, deadline: context.deadline)
    }

    // MARK: Users

    /// Oldest first. Needs `members:manage`.
    public func users(context: RequestContext) async throws -> [User] {
        try context.require(.membersManage)
        return try await store.users(tenant: context.tenant, deadline: context.deadline)
    }

    /// Everybody of the tenant as records name them, disabled users too: their names stand in cells.
    ///
    /// For who has checked that the caller may read or write records, which is all that this tells.
    package func collaborators(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [Collaborator] {
        try await store.users(tenant: tenant, deadline: deadline).map {
            Collaborator(id: $0.id, email: $0.email, name: $0.name)
        }
    }

    /// Sets or clears a user's e-mail address. Needs `members:manage`.
    ///
    /// - Throws: `invalid` for what is no address, or another user's; `notFound`.
    public func setEmail(_ email: String?, of user: UserID, context: RequestContext) async throws {
        try context.require(.membersManage)
        let change = try await store.setEmail(
            try email.map(Self.emailAddress),
            user: user,
            tenant: context.tenant,
            audit: AuditEvent(
                .userChanged,
                at: now(),
                by: context,
                object: AuditObject(.user, user),
                details: [.fields: "email"]
            ),
            deadline: context.deadline
        )
        switch change {
        case .changed: policyChanged(in: context.tenant)
        case .taken: throw AccessError(.invalid, "Another user has this e-mail address.")
        case .userMissing: throw AccessError.notFound("user")
        case .ownedByAccount: throw AccessError(.invalid, "This user signs in, and changes their address themselves.")
        }
    }

    /// Adds a user to the caller's tenant. Needs `members:manage`, and nobody gives a role with more than they have.
    ///
    /// - Throws: `invalid` for an empty, long or taken name or e-mail address, `limitReached`, `forbidden`.
    public func createUser(
        name: String,
        email: String? = nil,
        role: Role = .owner,
        context: RequestContext
    ) async throws -> User {
        try context.require(.membersManage)
        try requireHeld(Rights(role.permissions), .tenant, try await standing(of: context))
        let user = User(
            id: .random(),
            name: try Self.displayName(name, of: "user"),
            email: try email.map(Self.emailAddress),
            role: role,
            isDisabled: false,
            createdTime: now()
        )
        let insertion = try await store.insert(
            user,
            tenant: context.tenant,
            limit: Limits.usersPerTenant,
            audit: AuditEvent(
                .userCreated,
                at: user.createdTime,
                by: context,
                object: AuditObject(.user, user.id),
                details: [.role: user.role.rawValue]
            ),
            deadline: context.deadline
        )
        switch insertion {
        case .inserted:
            policyChanged(in: context.tenant)
            return user
        case .nameTaken:
            throw AccessError(.invalid, "A user of this name or e-mail address exists.", hint: "choose another one")
        case .limitReached, .ownerMissing: throw Self.limitReached("users", Limits.usersPerTenant)
        }
    }

    /// Disables a user, whose keys are then dead, or enables one again. Needs `members:manage`.
    ///
    /// - Throws: `lastOwner`; `forbidden` for who has more than the caller; `notFound`.
    public func setUser(_ user: UserID, isDisabled: Bool, context: RequestContext) async throws {
        try await changeUser(user, UserChange(isDisabled: isDisabled), context: context)
    }

    // MARK: Rules

    static func requireHeld(_ wanted: Set<Permission>, _ context: RequestContext) throws {
        let excess = Policy.excess(of: wanted, over: context.principal.permissions)
        if let first = excess.map(\.rawValue).min().flatMap(Permission.init(rawValue:)) {
            throw AccessError.forbidden(first)
        }
    }

    /// One to 100 characters on one line, without white space around.
    static func displayName(_ name: String, of what: String) throws -> String {
        let isClean = name.unicodeScalars.allSatisfy { !$0.properties.isNoncharacterCodePoint && $0.value >= 0x20 }
        guard (1...100).contains(name.count), name.utf8.count <= 400, isClean, name.first != " ", name.last != " "
        else {
            throw AccessError(.invalid, "A \(what)'s name has 1 to 100 characters on one line.")
        }
        return name
    }

    /// One `@` with something around it, no white space, at most 254 bytes; in lower case, as addresses are compared.
    static func emailAddress(_ text: String) throws -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isClean = text.unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.properties.isWhitespace }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), text.utf8.count <= 254, isClean else {
            throw AccessError(.invalid, "An e-mail address looks like name@host.")
        }
        return text.lowercased()
    }

    static func limitReached(_ what: String, _ limit: Int) -> AccessError {
        AccessError(
            .limitReached,
            "A tenant has at most \(limit) \(what), or fewer.",
            hint: "remove some that nobody uses"
        )
    }
}
