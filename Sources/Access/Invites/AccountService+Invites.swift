public import Domain

/// What an invite should give.
public struct InviteDraft: Sendable, Hashable {
    public var email: String
    /// In the whole tenant; `guest` for who has no more than `places` give.
    public var role: Role
    public var places: [InvitedPlace]

    public init(email: String, role: Role, places: [InvitedPlace] = []) {
        self.email = email
        self.role = role
        self.places = places
    }
}

/// An invite just made.
public struct IssuedInvite: Sendable {
    public let invite: Invite
    /// For the one who was invited. Nil when it goes to their address by mail; else nowhere but here.
    public let token: Secret?
}

/// Inviting people into a tenant, which is the only way into somebody else's.
extension AccountService {
    /// Invites whoever has an address.
    ///
    /// The answer is the same whether the address has an account, or is a member's already. An earlier invite of the
    /// caller's to the same address is dead then. To their own address a user that only keys act as is invited to sign
    /// in as what they are; by a key that is not limited, since it could not give them more than it has.
    ///
    /// - Parameter places: knows whether the bases are there.
    /// - Throws: `invalid` for what is no address and for places that say nothing; `notFound` for a place; `forbidden` for
    ///   what the caller may not give; `limitReached`; `addressTaken` when a user who does not sign in has the address;
    ///   `AttemptRefusal`.
    public func invite(
        _ draft: InviteDraft,
        checking places: some GrantPlaces,
        context: RequestContext
    ) async throws -> IssuedInvite {
        let email = try EmailAddress(draft.email)
        let (_, standing) = try await access.managing(context)
        let isOwn = try await isOwn(email, standing, context)
        try Self.check(draft.places)
        for place in draft.places { try await check(place.resource, standing, places, context) }
        try access.requireMayInvite(as: draft.role, to: draft.places, standing)
        try await begin(.invite, address: context.clientAddress, deadline: context.deadline)
        let time = now
        let token = settings.sendsMail ? nil : MailedToken.random()
        let invite = Invite(
            id: .random(),
            email: email,
            role: draft.role,
            places: draft.places,
            invitedBy: context.principal.user,
            isOwn: isOwn,
            isMailed: settings.sendsMail,
            createdTime: time,
            expires: time.adding(.seconds(Limits.inviteSeconds))
        )
        let making = try await invites.insert(
            invite,
            digest: token?.digest,
            tellsTaken: standing.manages(.tenant),
            limit: Limits.invitesPerTenant,
            tenant: context.tenant,
            audit: AuditEvent(
                .inviteCreated,
                at: time,
                by: context,
                object: AuditObject(.invite, invite.id),
                details: [.role: draft.role.rawValue, .count: "\(draft.places.count)"]
            ),
            deadline: context.deadline
        )
        switch making {
        case .made: return IssuedInvite(invite: invite, token: token?.text)
        case .limitReached: throw AccessService.limitReached("open invites", Limits.invitesPerTenant)
        case .addressTaken: throw Self.addressTaken
        case .mailedOften: throw Self.mailedOften
        }
    }

    /// The invites that wait, oldest first: the tenant's for who manages its members, else one's own.
    ///
    /// - Throws: `forbidden` for who manages members nowhere.
    public func openInvites(context: RequestContext) async throws -> [Invite] {
        let (_, standing) = try await access.managing(context)
        let managesAll = standing.manages(.tenant)
        return try await invites.invites(at: now, tenant: context.tenant, deadline: context.deadline)
            .filter { managesAll || $0.invitedBy == context.principal.user }
    }

    /// Takes an invite back: one's own, or any of the tenant's for who manages its members.
    ///
    /// - Throws: `notFound`; `forbidden` for who manages members nowhere.
    public func revokeInvite(_ id: InviteID, context: RequestContext) async throws {
        guard try await openInvites(context: context).contains(where: { $0.id == id }) else {
            throw AccessError.notFound("invite")
        }
        let isGone = try await invites.delete(
            id,
            tenant: context.tenant,
            audit: AuditEvent(.inviteRevoked, at: now, by: context, object: AuditObject(.invite, id)),
            deadline: context.deadline
        )
        guard isGone else { throw AccessError.notFound("invite") }
    }

    // MARK: Rules

    private func isOwn(_ email: EmailAddress, _ standing: Standing, _ context: RequestContext) async throws -> Bool {
        let (user, tenant, deadline) = (context.principal.user, context.tenant, context.deadline)
        guard standing.isWhole, context.principal.key != nil,
            try await access.store.user(user, tenant: tenant, deadline: deadline)?.email == email.text.lowercased()
        else { return false }
        return try await store.account(of: user, tenant: tenant, deadline: deadline) == nil
    }

    private static func check(_ places: [InvitedPlace]) throws {
        guard places.count <= Limits.invitePlaces, Set(places.map(\.resource)).count == places.count else {
            throw AccessError(.invalid, "An invite names each place once, and at most \(Limits.invitePlaces).")
        }
        guard places.allSatisfy({ InvitedPlace.roles.contains($0.role) }) else {
            throw AccessError(.invalid, "Owners and guests are so in the whole tenant.")
        }
    }

    private func check(
        _ place: Resource,
        _ standing: Standing,
        _ places: some GrantPlaces,
        _ context: RequestContext
    ) async throws {
        try access.requireSight(of: place, standing)
        if case .workspace(let workspace) = place {
            let known = try await access.store.workspaces(tenant: context.tenant, deadline: context.deadline)
            guard known.contains(where: { $0.id == workspace }) else { throw AccessError.notFound("place") }
        }
        try await places.check(place, condition: nil, context: context)
    }

    private static let addressTaken = AccessError(
        .addressTaken,
        "A user of the tenant who does not sign in has this address.",
        hint: "let them sign in with `pyairtable-ai user set-password`, or give them another address"
    )

    private static let mailedOften = AccessError(
        .limitReached,
        "This address was sent several mails lately.",
        hint: "invite it again in twenty minutes"
    )
}
