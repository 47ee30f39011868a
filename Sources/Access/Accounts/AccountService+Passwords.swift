public import Domain

extension AccountService {
    /// Sends a mail with which a new password can be set, if the address has an account.
    ///
    /// Nothing tells whether it has one: the same rows are read and written, and the mail is sent later.
    ///
    /// - Throws: `invalid` for what is no address; `AttemptRefusal`.
    public func forgot(email text: String, caller: AccountCaller) async throws {
        try await begin(.mail, address: caller.client.address, deadline: caller.deadline)
        let email = try EmailAddress(text)
        let time = now
        guard let account = try await store.requestReset(email, at: time, deadline: caller.deadline) else { return }
        let memberships = try await store.memberships(of: account, deadline: caller.deadline)
        let event = caller.event(.passwordResetRequested, at: time, account: account)
        access.audit.note(event, tenant: memberships.first?.tenant, logger: caller.logger)
    }

    /// Sets a new password with what came by mail. Ends every session.
    ///
    /// - Throws: `tokenRefused`, `weakPassword`, `busy`; `AttemptRefusal`.
    public func reset(token: String, password: Password, caller: AccountCaller) async throws {
        try await begin(.token, address: caller.client.address, deadline: caller.deadline)
        let time = now
        guard let digest = MailedToken.digest(of: token),
            let holder = try await store.holder(of: digest, for: .reset, at: time, deadline: caller.deadline)
        else { throw Self.tokenRefused }
        let account = holder.account
        let names = try await names(of: account.id, deadline: caller.deadline)
        let change = PasswordChange(
            hash: try await hash(password, for: account.email, names: names),
            time: time,
            provesAddress: true
        )
        let isDone = try await store.resetPassword(
            change,
            with: digest,
            audit: caller.event(.passwordReset, at: time, account: account.id),
            deadline: caller.deadline
        )
        access.forgetVerified()
        guard isDone else { throw Self.tokenRefused }
        try await attempts.forgive(email: account.email.key, deadline: caller.deadline)
    }

    /// Changes the caller's password, and ends every session but the one they came with.
    ///
    /// - Throws: `sessionRequired`, `wrongPassword`, `weakPassword`, `busy`; `AttemptRefusal`.
    public func changePassword(
        from current: Password,
        to new: Password,
        context: RequestContext
    ) async throws {
        let (stored, hash) = try await proved(by: current, context)
        try Self.requireAnother(new, than: current)
        let account = stored.account
        let names = try await names(of: account.id, deadline: context.deadline)
        let time = now
        let change = PasswordChange(
            hash: try await self.hash(new, for: account.email, names: names),
            old: hash,
            time: time,
            keptSession: context.principal.session
        )
        let isDone = try await store.setPassword(
            change,
            of: account.id,
            audit: AuditEvent(.passwordChanged, at: time, by: context, object: AuditObject(.account, account.id)),
            deadline: context.deadline
        )
        access.forgetVerified()
        guard isDone else { throw Self.wrongPassword }
    }

    /// What asking for another address came to.
    public enum EmailChanged: Sendable {
        case done
        /// A mail is on its way there; the old address stays until it is answered.
        case pending
    }

    /// Gives the caller another e-mail address. Needs their password.
    ///
    /// - Throws: `sessionRequired`, `wrongPassword`, `invalid`, `addressTaken` (only where addresses are not
    ///   verified), `busy`; `AttemptRefusal`.
    public func changeEmail(
        to text: String,
        password: Password,
        context: RequestContext
    ) async throws -> EmailChanged {
        let email = try EmailAddress(text)
        let (stored, _) = try await proved(by: password, context)
        let account = stored.account.id
        let time = now
        if settings.verifiesEmail {
            try await store.requestEmail(email, for: account, at: time, deadline: context.deadline)
            return .pending
        }
        let change = try await store.setEmail(
            email,
            of: account,
            audit: AuditEvent(.emailChanged, at: time, by: context, object: AuditObject(.account, account)),
            deadline: context.deadline
        )
        profiles.clear()
        access.policiesChanged()
        switch change {
        case .changed: return .done
        case .taken: throw AccessError(.addressTaken, "This address has an account.")
        case .missing: throw AccessError.notFound("account")
        }
    }

    /// The caller's account, after its password was shown once more. Guesses are counted as those at signing in are.
    private func proved(
        by password: Password,
        _ context: RequestContext
    ) async throws -> (AccountStore.StoredAccount, hash: String) {
        guard context.principal.ownSession != nil else { throw AccessError.sessionRequired }
        let stored = try await store.account(
            of: context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        guard let stored, let hash = stored.password else { throw Self.wrongPassword }
        let email = stored.account.email
        let address = context.clientAddress
        try await begin(.signIn, email: email.key, address: address, deadline: context.deadline)
        guard case .right = try await hasher.verify(password, against: hash) else {
            access.audit.note(.passwordChanged, result: .refused, by: context)
            throw Self.wrongPassword
        }
        try await attempts.succeeded(
            .signIn,
            email: email,
            client: ClientNetwork(address),
            remembers: false,
            at: now,
            deadline: context.deadline
        )
        return (stored, hash)
    }

    private static let wrongPassword = AccessError(.wrongPassword, "The current password is another one.")
}
