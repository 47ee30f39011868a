import Database
package import Domain

extension AccountStore {
    /// What became of a change of one's own.
    package enum ProfileChange: Sendable, Hashable {
        case changed
        case taken
        case missing
    }

    /// A user with their tenant, their account and their preferences.
    package func profile(
        of user: UserID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Profile? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            let row = try transaction.firstRow(
                """
                SELECT \(AccessStore.userColumns), preferences, account FROM access_users WHERE tenant = $1 AND id = $2
                """,
                [.id(tenant), .id(user)]
            )
            guard let row, let home = try AccessStore.tenant(tenant, transaction) else { return nil }
            let account = try row.optionalText(row.count - 1).flatMap { AccountID($0) }
            return Profile(
                user: try AccessStore.user(row),
                tenant: home,
                account: try account.flatMap { try Self.account($0, transaction)?.account },
                preferences: try Self.preferences(row.optionalText(row.count - 2))
            )
        }
    }

    /// - Parameters:
    ///   - name: nil keeps the old one.
    ///   - preferences: a JSON object; nil keeps the old ones.
    package func updateProfile(
        of user: UserID,
        name: String?,
        preferences: String?,
        tenant: TenantID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> ProfileChange {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("access_users \(tenant)")
            if let name,
                try AccessStore.isTaken(name, besides: .id(user), in: "access_users", tenant, transaction)
            {
                return .taken
            }
            let changed = try transaction.execute(
                """
                UPDATE access_users SET name = COALESCE($3, name), preferences = COALESCE($4, preferences)
                WHERE tenant = $1 AND id = $2
                """,
                [.id(tenant), .id(user), SQLValue(name), SQLValue(preferences)]
            )
            guard changed == 1 else { return .missing }
            // Conditions speak of names.
            if name != nil { try AccessStore.bump(tenant, in: transaction) }
            try AuditLog.append(audit, tenant: tenant, in: transaction)
            return .changed
        }
    }

    /// Gives a user a password: to their account when there is one, else to a new one.
    package func give(
        _ password: PasswordChange,
        to user: UserID,
        with newAccount: Account,
        tenant: TenantID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> ProfileChange {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.lock("access_users \(tenant)")
            let row = try transaction.firstRow(
                "SELECT account FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(user)]
            )
            guard let row else { return .missing }
            let account: AccountID
            if let existing = try row.optionalText(0).flatMap({ AccountID($0) }) {
                account = existing
            } else {
                account = newAccount.id
                guard try Self.insert(newAccount, transaction) else { return .taken }
                try transaction.execute(
                    "UPDATE access_users SET account = $3 WHERE tenant = $1 AND id = $2",
                    [.id(tenant), .id(user), .id(account)]
                )
            }
            guard try Self.setPassword(password, of: account, transaction) else { return .missing }
            try AuditLog.append(audit, tenant: tenant, in: transaction)
            return .changed
        }
    }

    // MARK: Mails

    /// Queues the mail that a forgotten password asks for; to an address without an account, one to nobody.
    ///
    /// - Returns: the account, if there is one.
    package func requestReset(
        _ email: EmailAddress,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> AccountID? {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let found = try Self.account(email: email.key, transaction)?.account
            guard try AttemptStore.takeMail(to: email.key, at: now, transaction) else { return nil }
            try MailQueue.append(
                found == nil ? .nothing : .reset,
                // Where the account's owner reads, not where somebody said who spells it in another way.
                to: found?.email ?? email,
                account: found?.id,
                at: now,
                transaction
            )
            return found?.id
        }
    }

    /// Queues the mail that shows whether a new address is its account's; when it is another's, one to nobody.
    package func requestEmail(
        _ email: EmailAddress,
        for account: AccountID,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let holder = try Self.account(email: email.key, transaction)?.account.id
            guard try AttemptStore.takeMail(to: email.key, at: now, transaction) else { return }
            let isFree = holder == nil || holder == account
            try MailQueue.append(isFree ? .email : .nothing, to: email, account: account, at: now, transaction)
        }
    }

    private static func preferences(_ text: String?) throws -> JSONObject {
        guard let text else { return JSONObject() }
        guard case .object(let object)? = try? JSONValue(parsing: text) else {
            throw AccessError.corrupt("access_users", "preferences")
        }
        return object
    }
}
