public import Domain

/// What the policy says of whoever asks.
extension AccessService {
    /// What this request may see, and where it may do what `permission` names.
    ///
    /// The server's own work sees all of its tenant.
    ///
    /// - Throws: `unauthenticated` when the key or user died since they were verified; errors of the database, since
    ///   without the policy's version there is no answer.
    public func visibleScope(for context: RequestContext, doing permission: Permission) async throws -> VisibleScope {
        if context.origin == .system { return VisibleScope(tenant: context.tenant) }
        let subject = try await policySubject(of: context)
        guard let scope = try await policies.scope(of: subject, for: permission) else { throw Self.userGone }
        return narrowing?(scope, permission) ?? scope
    }

    /// What this request may see of records.
    public func visibleScope(for context: RequestContext) async throws -> VisibleScope {
        try await visibleScope(for: context, doing: .recordsRead)
    }

    /// Whether this request may do something at one place, and what decided it. A record's conditions are not looked at.
    package func decision(
        _ permission: Permission,
        on resource: Resource,
        context: RequestContext
    ) async throws -> Decision {
        try await standing(of: context).decide(permission, on: resource)
    }

    /// Passes when this request may do something at one place.
    ///
    /// - Throws: `forbidden`, naming the permission.
    package func require(_ permission: Permission, on resource: Resource, context: RequestContext) async throws {
        guard try await decision(permission, on: resource, context: context).isAllowed else {
            throw AccessError.forbidden(permission)
        }
    }

    /// Passes when this request may do something in some place, for an edge that lets its service ask where.
    ///
    /// - Throws: `forbidden`, naming the permission.
    package func requireSomewhere(_ permission: Permission, context: RequestContext) async throws {
        guard try await standing(of: context).isGivenSomewhere(permission) else {
            throw AccessError.forbidden(permission)
        }
    }

    /// Says that a change of a tenant's policy was committed by this process, so that it acts at once.
    package func policyChanged(in tenant: TenantID) { policies.forget(tenant) }

    /// Of each of these tenants a number that grows when an answer may have changed, in whichever process; 0 where none has.
    package func policyVersions(of tenants: some Collection<TenantID> & Sendable) async throws -> [TenantID: Int64] {
        try await store.policyVersions(of: tenants)
    }

    /// As `policyChanged(in:)`, for a change of a person, who may be a user of several tenants.
    func policiesChanged() { policies.forgetAll() }

    /// What a user may do in some place of a tenant, for who has found out that they are this user.
    ///
    /// - Throws: `unauthenticated` when there is no such user or they are disabled.
    func permissions(of user: UserID, key: APIKey? = nil, tenant: TenantID) async throws -> Set<Permission> {
        let subject = PolicyBook.Subject(tenant: tenant, user: user, key: key.map(KeyLimits.init))
        guard let standing = try await policies.standing(of: subject) else { throw Self.userGone }
        return standing.permissions
    }

    /// Where this request's user or key stands now.
    func standing(of context: RequestContext) async throws -> Standing {
        let subject = try await policySubject(of: context)
        guard let standing = try await policies.standing(of: subject) else { throw Self.userGone }
        return standing
    }

    private func policySubject(of context: RequestContext) async throws -> PolicyBook.Subject {
        if let session = context.principal.session {
            let stored = try await liveSession(session, tenant: context.tenant, deadline: context.deadline)
            if case .refused(let refusal) = Policy.admit(stored.facts, at: now()) {
                throw AccessError.unauthenticated("\(refusal.rawValue) while in use")
            }
        }
        guard let id = context.principal.key else {
            let limits = context.principal.scopes.map { KeyLimits(scopes: $0) }
            return PolicyBook.Subject(tenant: context.tenant, user: context.principal.user, key: limits)
        }
        guard let stored = try await storedKey(id, deadline: context.deadline), stored.tenant == context.tenant else {
            throw AccessError.unauthenticated("key gone while in use")
        }
        if case .refused(let refusal) = Policy.admit(stored.facts, from: Self.client(context), at: now()) {
            throw AccessError.unauthenticated("\(refusal.rawValue) while in use")
        }
        return PolicyBook.Subject(tenant: context.tenant, user: stored.key.owner, key: KeyLimits(stored.key))
    }

    private static var userGone: AccessError { .unauthenticated("user gone or disabled while in use") }
}

extension KeyLimits {
    init(_ key: APIKey) {
        self.init(id: key.id, scopes: key.scopes, bases: key.bases, tables: key.tables)
    }
}
