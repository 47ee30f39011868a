public import Domain

/// What the policy says, for people: checks, reasons and lists. Of oneself for everybody, of others for who has
/// `members:manage`.
extension AccessService {
    /// Whether somebody is told all that the policy says: identifiers of what they do not see, and conditions, which may
    /// name such things.
    package func isToldAll(_ context: RequestContext) -> Bool { Policy.allows(.membersManage, to: context.principal) }

    /// What `subject` may do on `resource`, and why.
    ///
    /// Who is not told all hears of the grants at the places on the way, without their conditions; whoever calls has
    /// looked whether `resource` exists for them.
    ///
    /// - Parameter subject: nil for whoever asks, with the limits of their key.
    /// - Throws: `forbidden`; `notFound` for a subject that is not there.
    public func explain(
        _ permission: Permission,
        on resource: Resource,
        for subject: Grant.Subject? = nil,
        context: RequestContext
    ) async throws -> Explanation {
        let (standing, version) = try await standing(of: subject, context)
        let explanation = standing.explain(permission, on: resource, version: version)
        return isToldAll(context) ? explanation : explanation.withoutConditions
    }

    /// What exists for `subject` when they do `permission`, and where they may do it; with the policy's version.
    ///
    /// - Throws: as `explain`.
    public func objects(
        _ permission: Permission,
        for subject: Grant.Subject? = nil,
        context: RequestContext
    ) async throws -> PolicyChanged<VisibleScope> {
        let (standing, version) = try await standing(of: subject, context)
        return PolicyChanged(value: standing.scope(for: permission), version: version)
    }

    private func standing(
        of subject: Grant.Subject?,
        _ context: RequestContext
    ) async throws -> (standing: Standing, version: Int64) {
        guard let subject, subject != .user(context.principal.user) || context.principal.key != nil else {
            let own = try await standing(of: context)
            return (own, try await policies.policy(of: context.tenant).version)
        }
        try context.require(.membersManage)
        let policy = try await policies.policy(of: context.tenant)
        switch subject {
        case .user(let user):
            guard policy.people[user] != nil else { throw AccessError.notFound("user") }
            return (policy.standing(of: user) ?? .none(policy, user), policy.version)
        case .group(let group):
            guard policy.groupNames[group] != nil else { throw AccessError.notFound("group") }
            return (policy.standing(ofAll: subject, reader: context.principal.user), policy.version)
        case .everybody:
            return (policy.standing(ofAll: subject, reader: context.principal.user), policy.version)
        case .key(let id):
            let stored = try await store.key(id, deadline: context.deadline)
            guard let stored, stored.tenant == context.tenant else { throw AccessError.notFound("key") }
            // From wherever it may come.
            var facts = stored.facts
            facts.addresses = nil
            guard case .admitted = Policy.admit(facts, from: nil, at: now()),
                let standing = policy.standing(of: stored.key.owner, key: KeyLimits(stored.key))
            else { return (.none(policy, stored.key.owner), policy.version) }
            return (standing, policy.version)
        }
    }

    /// Answers nothing older than a version that the caller was told: this context, with the rights of a policy at least
    /// as new.
    ///
    /// - Parameter text: the version, as it came with the request; nil when none did.
    /// - Throws: `invalid` for what is no version that this tenant's policy has had.
    public func fresh(_ context: RequestContext, atLeast text: String?) async throws -> RequestContext {
        guard let text else { return context }
        guard let wanted = Int64(text), wanted >= 0, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw AccessError(.invalid, "A policy's version is a whole number.")
        }
        if try await policies.policy(of: context.tenant).version >= wanted { return context }
        policies.forget(context.tenant)
        guard try await policies.policy(of: context.tenant).version >= wanted else {
            throw AccessError(.invalid, "The policy has had no such version.")
        }
        return try await renewed(context, id: context.id, timeout: context.deadline - ContinuousClock.now)
    }
}

extension Standing {
    /// Of who is let in nowhere.
    fileprivate static func none(_ policy: PolicySet, _ user: UserID) -> Standing {
        Standing(
            tenant: policy.tenant,
            rights: GrantView(ground: [], role: nil, grants: [], sparesAdministration: false),
            key: nil,
            placements: policy.placements,
            reader: RecordRule.Reader(user: user, name: "")
        )
    }
}
