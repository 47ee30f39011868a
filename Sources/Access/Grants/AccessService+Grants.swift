public import Domain

/// Grants: who may do what where. All of it needs `members:manage` at the place that a grant is about.
///
/// Nobody gives more than they have at the place in question, or takes a refusal away from what they do not have.
extension AccessService {
    /// The grants at places where the caller manages members, in the order of their identifiers, at most `limit` after
    /// `after`.
    ///
    /// - Parameters:
    ///   - subject: only those about this one.
    ///   - base: only those on this base or in it.
    public func grants(
        of subject: Grant.Subject? = nil,
        in base: BaseID? = nil,
        after: GrantID? = nil,
        limit: Int,
        context: RequestContext
    ) async throws -> [Grant] {
        let (policy, standing) = try await managing(context)
        let managesAll = standing.manages(.tenant)
        return policy.grants.lazy.filter { grant in
            (subject == nil || grant.subject == subject) && (base == nil || grant.resource.base == base)
                && after.map { $0 < grant.id } ?? true && (managesAll || standing.manages(grant.resource))
        }.prefix(limit).map(\.self)
    }

    /// - Throws: `notFound`.
    public func grant(_ id: GrantID, context: RequestContext) async throws -> Grant {
        let (policy, standing) = try await managing(context)
        return try Self.grant(id, policy, standing)
    }

    /// Makes a grant.
    ///
    /// - Parameter places: knows whether what it is about is there.
    /// - Throws: `invalid` for what would say nothing; `notFound` for a subject, role or place that is not there, or
    ///   that the caller does not see; `forbidden`; `limitReached`; what `places` throws.
    public func createGrant(
        _ draft: GrantDraft,
        checking places: some GrantPlaces,
        context: RequestContext
    ) async throws -> PolicyChanged<Grant> {
        let (policy, standing) = try await managing(context)
        let rights = try rights(of: draft.bundle, policy)
        try draft.check(rights)
        try requireSight(of: draft.resource, standing)
        guard standing.manages(draft.resource) else { throw AccessError.forbidden(.membersManage) }
        if draft.effect == .allow { try requireHeld(rights, draft.resource, standing) }
        if case .key(let key) = draft.subject {
            // The first allowance limits a key everywhere, so who manages a part of the tenant limits their own alone.
            if !standing.manages(.tenant) { try await requireOwn(key, context) }
            if draft.effect == .allow { try await requireMayWiden(key, policy, standing, context) }
        }
        try await places.check(draft.resource, condition: draft.condition, context: context)
        let grant = Grant(
            id: .random(),
            subject: draft.subject,
            effect: draft.effect,
            bundle: draft.bundle,
            resource: draft.resource,
            condition: draft.condition,
            createdBy: context.principal.user,
            createdTime: now()
        )
        let change = try await store.insert(
            grant,
            tenant: context.tenant,
            limit: Limits.grantsPerTenant,
            audit: event(.grantCreated, .grant, grant.id, context),
            deadline: context.deadline
        )
        return PolicyChanged(
            value: grant,
            version: try version(
                change,
                missing: "subject, role or workspace",
                "grants",
                Limits.grantsPerTenant,
                context
            )
        )
    }

    /// Takes a grant back.
    ///
    /// - Throws: `notFound`; `forbidden` for a refusal of something that the caller does not have.
    public func deleteGrant(_ id: GrantID, context: RequestContext) async throws -> PolicyChanged<GrantID> {
        let (policy, standing) = try await managing(context)
        let grant = try Self.grant(id, policy, standing)
        switch (grant.effect, grant.subject) {
        case (.deny, _): try requireMayLift([grant], policy, standing)
        // The last of a key's allowances gone, it may do all that its owner may.
        case (.allow, .key(let key)): try await requireMayWiden(key, policy, standing, context)
        case (.allow, _): break
        }
        let change = try await store.deleteGrant(
            id,
            tenant: context.tenant,
            audit: event(.grantDeleted, .grant, id, context),
            deadline: context.deadline
        )
        return PolicyChanged(value: id, version: try version(change, missing: "grant", "grants", 0, context))
    }

    // MARK: Rules

    /// The policy as it is now, for who may do `permission` in the whole tenant.
    func policy(for permission: Permission, _ context: RequestContext) async throws -> PolicySet {
        try context.require(permission)
        // What is decided here is written down, so what another process changed a moment ago counts.
        policies.forget(context.tenant)
        try await require(permission, on: .tenant, context: context)
        return try await policies.policy(of: context.tenant)
    }

    /// The policy as it is now, with where the caller stands in it, who manages members somewhere at least.
    ///
    /// - Throws: `forbidden`.
    func managing(_ context: RequestContext) async throws -> (policy: PolicySet, standing: Standing) {
        policies.forget(context.tenant)
        let standing = try await standing(of: context)
        guard context.origin != .system, standing.isGivenSomewhere(.membersManage) else {
            throw AccessError.forbidden(.membersManage)
        }
        return (try await policies.policy(of: context.tenant), standing)
    }

    /// - Throws: `notFound` for one that is not there, or at a place that the caller does not manage.
    private static func grant(_ id: GrantID, _ policy: PolicySet, _ standing: Standing) throws -> Grant {
        guard let grant = policy.grants.first(where: { $0.id == id }),
            standing.manages(.tenant) || standing.manages(grant.resource)
        else { throw AccessError.notFound("grant") }
        return grant
    }

    func rights(of bundle: Grant.Bundle, _ policy: PolicySet) throws -> Rights {
        switch bundle {
        case .role(let role): return Rights(role.permissions)
        case .permissions(let permissions): return Rights(permissions)
        case .customRole(let id):
            guard let permissions = policy.roles[id] else { throw AccessError.notFound("role") }
            return Rights(permissions)
        }
    }

    /// What is given in the whole tenant or not at all says nothing elsewhere, so that a role with it can be given there
    /// by who has the rest.
    func requireHeld(_ rights: Rights, _ resource: Resource, _ standing: Standing) throws {
        let rights = resource.level == .tenant ? rights : rights.subtracting(.ofTenants)
        let missing = rights.permissions.sorted { $0.rawValue < $1.rawValue }
            .first { !standing.holds(Rights($0), of: resource) }
        if let missing { throw AccessError.notHeld(missing) }
    }

    /// Whoever lifts a refusal must have what was refused; an owner always may.
    func requireMayLift(_ grants: [Grant], _ policy: PolicySet, _ standing: Standing) throws {
        guard !standing.isOwner else { return }
        for grant in grants where grant.effect == .deny {
            // A role that is gone refuses everything.
            let rights = (try? rights(of: grant.bundle, policy)) ?? .all
            try requireHeld(rights, grant.resource, standing)
        }
    }

    /// - Throws: `notFound` for another's key, as for one that is not there.
    private func requireOwn(_ key: KeyID, _ context: RequestContext) async throws {
        let stored = try await store.key(key, tenant: context.tenant, deadline: context.deadline)
        guard let stored, stored.owner == context.principal.user else { throw AccessError.notFound("key") }
    }

    /// A key's own grants are widened by its owner or an owner of the tenant, neither by way of a key.
    private func requireMayWiden(
        _ key: KeyID,
        _ policy: PolicySet,
        _ standing: Standing,
        _ context: RequestContext
    ) async throws {
        // The first allowance narrows.
        if policy.grants(of: .key(key)).allSatisfy({ $0.effect == .deny }) { return }
        guard let stored = try await store.key(key, deadline: context.deadline), stored.tenant == context.tenant else {
            throw AccessError.notFound("key")
        }
        guard context.principal.key == nil, standing.isOwner || stored.key.owner == context.principal.user else {
            throw AccessError(
                .forbidden,
                "Only a key's owner, or an owner of the tenant, widens what a key may do, and not by a key."
            )
        }
    }

    /// Of what the caller does not see nothing is said, not even that it is there. A key's scopes have no say in that.
    func requireSight(of resource: Resource, _ standing: Standing) throws {
        let isSeen =
            switch resource {
            case .tenant, .workspace: true
            case .base(let base): standing.scope(for: .basesRead).allows(base: base)
            case .table(let table, let base): standing.scope(for: .schemaRead).allows(table: table, in: base)
            case .view(let view, let table, let base):
                standing.scope(for: .schemaRead).allows(table: table, in: base)
                    && standing.scope(for: .schemaRead).allows(view: view)
            case .field(let field, let table, let base):
                standing.scope(for: .schemaRead).allows(table: table, in: base)
                    && !standing.scope(for: .schemaRead).hiddenFields(table: table).contains(field)
            case .record(let record, let table, let base):
                standing.scope(for: .recordsRead).allows(table: table, in: base)
                    && standing.scope(for: .recordsRead).rule(table: table)?.passes(record) { _ in nil } ?? true
            }
        guard isSeen else { throw AccessError.notFound("place") }
    }

    func event(
        _ action: AuditAction,
        _ kind: AuditObject.Kind,
        _ id: some CustomStringConvertible,
        _ context: RequestContext
    ) -> AuditEvent {
        AuditEvent(action, at: now(), by: context, object: AuditObject(kind, id))
    }

    /// The version after a change that went well, which acts at once in this process.
    func version(
        _ change: AccessStore.PolicyChange,
        missing: String,
        _ what: String,
        _ limit: Int,
        _ context: RequestContext
    ) throws -> Int64 {
        switch change {
        case .done(let version):
            policyChanged(in: context.tenant)
            return version
        case .limitReached: throw Self.limitReached(what, limit)
        case .nameTaken: throw AccessError(.invalid, "One of this name exists.", hint: "choose another name")
        case .missing: throw AccessError.notFound(missing)
        case .inUse: throw AccessError(.inUse, "Grants name this role.", hint: "delete or change these grants first")
        }
    }
}
