public import Domain
import Logging

extension AccountService {
    /// Signs a person in.
    ///
    /// An unknown address, a wrong password and an account that is a user of nothing get one answer, after one and the
    /// same work. The attempt counts as a failure from its beginning until it succeeds.
    ///
    /// - Parameters:
    ///   - newPassword: replaces `password`, which has to be right; needed when that was given by somebody else.
    ///   - tenant: where to sign in; nil for the one the person has been in longest.
    /// - Throws: `signInRefused`, `passwordExpired`, `weakPassword`, `busy`; `AttemptRefusal`.
    public func signIn(
        email text: String,
        password: Password,
        newPassword: Password? = nil,
        tenant: TenantID? = nil,
        caller: AccountCaller
    ) async throws -> SignIn {
        let email = try? EmailAddress(text)
        try await begin(
            .signIn,
            email: email?.key ?? "",
            address: caller.client.address,
            deadline: caller.deadline
        )
        let stored: AccountStore.StoredAccount? =
            if let email { try await store.account(email: email.key, deadline: caller.deadline) } else { nil }
        let verdict = try await hasher.verify(password, against: stored?.password)
        let memberships =
            if let stored { try await store.memberships(of: stored.account.id, deadline: caller.deadline) } else {
                [Membership]()
            }
        guard case .right(let isOld) = verdict, let stored, let hash = stored.password else {
            throw refusal("wrong password or no account", stored?.account.id, memberships.first, caller)
        }
        let chosen = memberships.first { tenant == nil || $0.tenant == tenant }
        guard let membership = chosen else {
            throw refusal("no user to be", stored.account.id, memberships.first, caller)
        }
        if let newPassword {
            try await replace(hash, by: newPassword, from: password, stored.account, caller)
        } else if stored.account.mustChangePassword {
            throw AccessError(
                .passwordExpired,
                "This password was given to you and has to be changed.",
                hint: "send a new one as `newPassword` beside it"
            )
        } else if isOld {
            await upgrade(hash, password, stored.account.id, caller)
        }
        try await attempts.succeeded(
            .signIn,
            email: stored.account.email,
            client: ClientNetwork(caller.client.address),
            remembers: true,
            at: now,
            deadline: caller.deadline
        )
        return try await begin(stored.account, membership, caller)
    }

    /// Begins the session of somebody who proved who they are.
    func begin(_ account: Account, _ membership: Membership, _ caller: AccountCaller) async throws -> SignIn {
        let before = try await store.account(account.id, deadline: caller.deadline)
        let tokens = try await access.beginSession(
            account: account.id,
            user: membership.user.id,
            tenant: membership.tenant,
            client: caller.client,
            deadline: caller.deadline
        )
        // A password changed meanwhile has ended all sessions, but not this one.
        let after = try await store.account(account.id, deadline: caller.deadline)
        guard let before, before.account.passwordTime == after?.account.passwordTime else {
            _ = try await access.store.endSession(
                tokens.session.id,
                tenant: membership.tenant,
                deadline: caller.deadline
            )
            throw Self.signInRefused("password changed meanwhile")
        }
        return SignIn(
            tokens: tokens,
            user: membership.user,
            tenant: membership.tenant,
            account: after?.account ?? account
        )
    }

    /// Changes the password in the course of signing in.
    private func replace(
        _ hash: String,
        by new: Password,
        from old: Password,
        _ account: Account,
        _ caller: AccountCaller
    ) async throws {
        try Self.requireAnother(new, than: old)
        let names = try await names(of: account.id, deadline: caller.deadline)
        let time = now
        let change = PasswordChange(
            hash: try await self.hash(new, for: account.email, names: names),
            old: hash,
            time: time
        )
        let isDone = try await store.setPassword(
            change,
            of: account.id,
            audit: caller.event(.passwordChanged, at: time, account: account.id),
            deadline: caller.deadline
        )
        access.forgetVerified()
        guard isDone else { throw Self.signInRefused("password changed meanwhile") }
    }

    /// Stores a stronger hash of the password that was just right. Failing to is no reason to refuse anybody.
    private func upgrade(_ old: String, _ password: Password, _ account: AccountID, _ caller: AccountCaller) async {
        do {
            let new = try await hasher.hash(password)
            _ = try await store.upgrade(old, to: new, of: account, deadline: caller.deadline)
        } catch {
            caller.logger.warning("a hash of a password stays old", metadata: ["error": "\(error)"])
        }
    }

    private func refusal(
        _ reason: String,
        _ account: AccountID?,
        _ membership: Membership?,
        _ caller: AccountCaller
    ) -> AccessError {
        let event = caller.event(.login, result: .refused, at: now, user: membership?.user.id, account: account)
        access.audit.note(event, tenant: membership?.tenant, logger: caller.logger)
        return Self.signInRefused(reason)
    }

    private static func signInRefused(_ reason: String) -> AccessError {
        AccessError(
            .signInRefused,
            "The e-mail address or the password is wrong.",
            hint: "an address that was not confirmed yet has no account",
            detail: reason
        )
    }

    static func requireAnother(_ new: Password, than old: Password) throws(AccessError) {
        guard new.bytes != old.bytes else {
            throw AccessError(.weakPassword, "The new password is the old one.")
        }
    }
}
