public import Domain

/// Users and keys, for the `user` and `key` commands and later routes.
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
        case .changed: return
        case .taken: throw AccessError(.invalid, "Another user has this e-mail address.")
        case .userMissing: throw AccessError.notFound("user")
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
        try Self.requireHeld(role.permissions, context)
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
        case .inserted: return user
        case .nameTaken:
            throw AccessError(.invalid, "A user of this name or e-mail address exists.", hint: "choose another one")
        case .limitReached, .ownerMissing: throw Self.limitReached("users", Limits.usersPerTenant)
        }
    }

    /// Disables a user, whose keys are then dead, or enables one again. Needs `members:manage`.
    ///
    /// - Throws: `lastOwner` for the user whom the command line acts as, `notFound`.
    public func setUser(_ user: UserID, isDisabled: Bool, context: RequestContext) async throws {
        try context.require(.membersManage)
        let owner = try await store.tenant(context.tenant, deadline: context.deadline)?.owner
        if isDisabled, owner == user {
            throw AccessError(.lastOwner, "The data directory's owner cannot be disabled.")
        }
        let isFound = try await store.setDisabled(
            isDisabled,
            user: user,
            tenant: context.tenant,
            audit: AuditEvent(
                isDisabled ? .userDisabled : .userEnabled,
                at: now(),
                by: context,
                object: AuditObject(.user, user)
            ),
            deadline: context.deadline
        )
        cache.clear()
        guard isFound else { throw AccessError.notFound("user") }
    }

    // MARK: Keys

    /// Oldest first, without their secrets. Needs `keys:manage`.
    public func keys(context: RequestContext) async throws -> [APIKey] {
        try context.require(.keysManage)
        return try await store.keys(tenant: context.tenant, deadline: context.deadline)
    }

    /// Makes a key, whose text is in the answer and nowhere else. Needs `keys:manage`.
    ///
    /// Nobody makes a key with more than they have: neither scopes, nor bases, nor, coming with a key that expires,
    /// a longer life.
    ///
    /// - Throws: `invalid` for an empty or long name, no scopes or a past expiry; `forbidden`; `notFound` for an
    ///   unknown owner; `limitReached`.
    public func createKey(_ draft: APIKeyDraft, context: RequestContext) async throws -> IssuedKey {
        try context.require(.keysManage)
        var draft = draft
        draft.name = try Self.displayName(draft.name, of: "key")
        guard !draft.scopes.isEmpty else {
            throw AccessError(
                .invalid,
                "A key needs at least one scope.",
                hint: "scopes are \(Permission.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        let time = now()
        if let expires = draft.expires, expires <= time {
            throw AccessError(.invalid, "A key's expiry must lie in the future.")
        }
        try await requireMayHandOn(draft, context)

        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        let key = APIKey(draft, text: text, owner: draft.owner ?? context.principal.user, time: time)
        let insertion = try await store.insert(
            key,
            digest: text.digest,
            tenant: context.tenant,
            limit: Limits.keysPerTenant,
            audit: AuditEvent(
                .keyCreated,
                at: time,
                by: context,
                object: AuditObject(.key, key.id),
                details: [.scopes: key.scopesText]
            ),
            deadline: context.deadline
        )
        switch insertion {
        case .inserted: return IssuedKey(key: key, secret: text.secret)
        case .ownerMissing: throw AccessError.notFound("user")
        case .limitReached, .nameTaken: throw Self.limitReached("keys", Limits.keysPerTenant)
        }
    }

    /// Disables a key, or enables it again. Needs `keys:manage`.
    ///
    /// - Throws: `notFound`.
    public func setKey(_ key: KeyID, isDisabled: Bool, context: RequestContext) async throws {
        try context.require(.keysManage)
        let isFound = try await store.setDisabled(
            isDisabled,
            key: key,
            tenant: context.tenant,
            audit: AuditEvent(
                isDisabled ? .keyDisabled : .keyEnabled,
                at: now(),
                by: context,
                object: AuditObject(.key, key)
            ),
            deadline: context.deadline
        )
        cache.clear()
        guard isFound else { throw AccessError.notFound("key") }
    }

    /// Deletes a key for good. Needs `keys:manage`.
    ///
    /// - Throws: `notFound`.
    public func revokeKey(_ key: KeyID, context: RequestContext) async throws {
        try context.require(.keysManage)
        let isFound = try await store.deleteKey(
            key,
            tenant: context.tenant,
            audit: AuditEvent(.keyDeleted, at: now(), by: context, object: AuditObject(.key, key)),
            deadline: context.deadline
        )
        cache.clear()
        guard isFound else { throw AccessError.notFound("key") }
    }

    // MARK: Rules

    private func requireMayHandOn(_ draft: APIKeyDraft, _ context: RequestContext) async throws {
        try Self.requireHeld(draft.scopes, context)
        guard let callerKey = context.principal.key else { return }
        guard let caller = try await storedKey(callerKey, deadline: context.deadline) else {
            throw AccessError.unauthenticated("key gone while in use")
        }
        guard Policy.mayHandOn(bases: draft.bases, holding: caller.key.bases) else {
            throw AccessError(
                .forbidden,
                "A key limited to some bases can only make keys limited to some of those.",
                hint: "name the bases of the new key"
            )
        }
        if let limit = caller.key.expires, draft.expires.map({ $0 > limit }) ?? true {
            throw AccessError(
                .forbidden,
                "A key that expires can only make keys that expire no later.",
                hint: "give the new key an expiry"
            )
        }
    }

    private static func requireHeld(_ wanted: Set<Permission>, _ context: RequestContext) throws {
        let excess = Policy.excess(of: wanted, over: context.principal.permissions)
        if let first = excess.map(\.rawValue).min().flatMap(Permission.init(rawValue:)) {
            throw AccessError.forbidden(first)
        }
    }

    /// One to 100 characters on one line, without white space around.
    private static func displayName(_ name: String, of what: String) throws -> String {
        let isClean = name.unicodeScalars.allSatisfy { !$0.properties.isNoncharacterCodePoint && $0.value >= 0x20 }
        guard (1...100).contains(name.count), name.utf8.count <= 400, isClean, name.first != " ", name.last != " "
        else {
            throw AccessError(.invalid, "A \(what)'s name has 1 to 100 characters on one line.")
        }
        return name
    }

    /// One `@` with something around it, no white space, at most 254 bytes; in lower case, as addresses are compared.
    private static func emailAddress(_ text: String) throws -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isClean = text.unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.properties.isWhitespace }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), text.utf8.count <= 254, isClean else {
            throw AccessError(.invalid, "An e-mail address looks like name@host.")
        }
        return text.lowercased()
    }

    private static func limitReached(_ what: String, _ limit: Int) -> AccessError {
        AccessError(.limitReached, "A tenant has at most \(limit) \(what).", hint: "remove some that nobody uses")
    }
}

extension APIKey {
    init(_ draft: APIKeyDraft, text: KeyText, owner: UserID, time: Instant) {
        self.init(
            id: text.id,
            owner: owner,
            name: draft.name,
            scopes: draft.scopes,
            bases: draft.bases,
            expires: draft.expires,
            isDisabled: false,
            createdTime: time,
            lastUsedTime: nil,
            lastFour: text.lastFour
        )
    }
}
