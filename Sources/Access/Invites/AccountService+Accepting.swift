public import Domain

/// Joining a tenant that is somebody else's.
extension AccountService {
    /// Accepts an invite with its token: with the password of the account that its address has, or, where it has none,
    /// with a password for a new one. The token is used up when it succeeds.
    ///
    /// A wrong token, a wrong password and a dead invite get one answer, after one hash. Guesses at the password are
    /// counted as those at signing in are, with an account or without.
    ///
    /// - Parameter name: what to be called there; nil for what stands before the `@` of the address.
    /// - Throws: `tokenRefused`, `weakPassword`, `invalid` for a name, `limitReached`, `busy`; `AttemptRefusal`.
    public func acceptInvite(
        token: String,
        name: String?,
        password: Password,
        caller: AccountCaller
    ) async throws -> SignIn {
        let name = try name.map { try AccessService.displayName($0, of: "person") }
        guard let found = try await opened(token, caller) else {
            _ = try await hasher.verify(password, against: nil)
            throw Self.inviteRefused
        }
        let (email, address) = (found.invite.email, caller.client.address)
        try await begin(.signIn, email: email.key, address: address, deadline: caller.deadline)
        let called = name ?? String(email.localPart)
        let stored = try await store.account(email: email.key, deadline: caller.deadline)
        let verdict = try await hasher.verify(password, against: stored?.password)
        let policy = PasswordPolicy(names: [called, String(email.localPart), email.text])
        let account: Account
        let holder: InviteStore.Joining.Holder
        if let stored {
            guard case .right = verdict, !stored.account.mustChangePassword else {
                // One that nobody could choose is refused as such, as it is where there is no account.
                try policy.check(password)
                throw refusal(found, caller)
            }
            (account, holder) = (stored.account, .account(stored.account.id))
        } else {
            try policy.check(password)
            guard settings.registration != .off else { throw refusal(found, caller) }
            let hash = try await hasher.hash(password)
            let time = now
            account = Account(
                id: .random(),
                email: email,
                // Without mail its token was in the inviter's hands, and proves nothing.
                verifiedTime: found.invite.isMailed ? time : nil,
                passwordTime: time,
                createdTime: time
            )
            holder = .newcomer(account, password: hash)
        }
        try await attempts.succeeded(
            .signIn,
            email: email,
            client: ClientNetwork(address),
            remembers: true,
            at: now,
            deadline: caller.deadline
        )
        return try await join(found, account, holder, name: called, caller)
    }

    /// Accepts an invite as somebody who is signed in, whose address it has to be for.
    ///
    /// - Throws: `sessionRequired`, `tokenRefused`, `limitReached`; `AttemptRefusal`.
    public func acceptInvite(token: String, context: RequestContext, caller: AccountCaller) async throws -> SignIn {
        let account = try await signedIn(context)
        guard let found = try await opened(token, caller), let account, account.email == found.invite.email else {
            throw Self.inviteRefused
        }
        let user = try await access.store.user(
            context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        let name = user?.name ?? String(account.email.localPart)
        return try await join(found, account, .account(account.id), name: name, caller)
    }

    private typealias Opened = (tenant: TenantID, invite: Invite, digest: [UInt8])

    /// The invite of a token, if it gives what its maker may still give.
    private func opened(_ token: String, _ caller: AccountCaller) async throws -> Opened? {
        try await begin(.token, address: caller.client.address, deadline: caller.deadline)
        guard let digest = MailedToken.digest(of: token),
            let (tenant, invite) = try await invites.invite(digest, at: now, deadline: caller.deadline),
            try await access.isStillGiven(invite, in: tenant)
        else { return nil }
        return (tenant, invite, digest)
    }

    private func join(
        _ found: Opened,
        _ account: Account,
        _ holder: InviteStore.Joining.Holder,
        name: String,
        _ caller: AccountCaller
    ) async throws -> SignIn {
        let time = now
        let user = User(
            id: .random(),
            name: name,
            email: account.email.text.lowercased(),
            role: found.invite.role,
            isDisabled: false,
            createdTime: time
        )
        let acceptance = try await invites.accept(
            found.digest,
            by: InviteStore.Joining(
                holder: holder,
                user: user,
                audit: caller.event(.inviteAccepted, at: time),
                time: time
            ),
            tenant: found.tenant,
            usersMax: Limits.usersPerTenant,
            grantsMax: Limits.grantsPerTenant,
            deadline: caller.deadline
        )
        access.policyChanged(in: found.tenant)
        switch acceptance {
        case .accepted(let user):
            return try await begin(account, Membership(tenant: found.tenant, tenantName: "", user: user), caller)
        case .missing: throw Self.inviteRefused
        case .usersMax: throw AccessService.limitReached("users", Limits.usersPerTenant)
        case .grantsMax: throw AccessService.limitReached("grants", Limits.grantsPerTenant)
        }
    }

    /// Told to the tenant that somebody tried to join.
    private func refusal(_ found: Opened, _ caller: AccountCaller) -> AccessError {
        var event = caller.event(.inviteAccepted, result: .refused, at: now)
        event.object = AuditObject(.invite, found.invite.id)
        access.audit.note(event, tenant: found.tenant, logger: caller.logger)
        return Self.inviteRefused
    }

    var invites: InviteStore { InviteStore(database: access.store.database) }

    private static let inviteRefused = AccessError(
        .tokenRefused,
        "This invite is used up, too old or taken back, or it is another person's.",
        hint: "use the password of the account that its address has, if it has one; else ask for another invite"
    )
}
