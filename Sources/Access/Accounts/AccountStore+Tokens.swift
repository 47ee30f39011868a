import Database
package import Domain

/// What a token that came by mail is good for.
package enum MailedPurpose: String, Sendable, Hashable, CaseIterable {
    /// Setting a password without knowing the old one.
    case reset
    /// Taking the address that the mail went to.
    case email
}

extension AccountStore {
    /// Whose token this is, unless it is used up, dead or too old.
    package func holder(
        of digest: [UInt8],
        for purpose: MailedPurpose,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> StoredAccount? {
        try await database.read(of: .server, deadline: deadline) { transaction in
            try transaction.firstRow(
                """
                SELECT \(Self.columns) FROM access_account_tokens t JOIN access_accounts a ON a.id = t.account
                WHERE t.digest = $1 AND t.purpose = $2 AND t.expires_time > $3
                """,
                [.bytes(digest), .text(purpose.rawValue), .instant(now)]
            ).map(Self.stored)
        }
    }

    /// Uses a token up to set its account's password.
    ///
    /// - Returns: false when the token is gone by now; nothing is changed then.
    package func resetPassword(
        _ new: PasswordChange,
        with digest: [UInt8],
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            guard let used = try Self.use(digest, for: .reset, at: new.time, transaction) else { return false }
            guard try Self.setPassword(new, of: used.account, transaction) else { return false }
            try Self.append(audit, of: used.account, transaction)
            return true
        }
    }

    /// What became of an address that was to be taken.
    package enum EmailChange: Sendable, Hashable {
        case changed(from: EmailAddress)
        /// Another account, or another user of one of the person's tenants, has it.
        case taken
        /// The account is gone, or the token used up, dead or too old.
        case missing
    }

    /// Uses a token up to give its account the address that the mail went to.
    package func takeEmail(
        with digest: [UInt8],
        at now: Instant,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> EmailChange {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            guard let used = try Self.use(digest, for: .email, at: now, transaction), let text = used.email,
                let email = try? EmailAddress(text)
            else { return .missing }
            return try Self.setEmail(email, of: used.account, verified: now, audit: audit, transaction)
        }
    }

    /// Gives an account another address, without asking whether it is theirs.
    package func setEmail(
        _ email: EmailAddress,
        of account: AccountID,
        audit: AuditEvent,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> EmailChange {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try Self.setEmail(email, of: account, verified: nil, audit: audit, transaction)
        }
    }

    /// Removes tokens and registrations that are too old to be used, and accounts of people who are a user of nothing any
    /// more: with a tenant that is erased, and with the last user of a person, goes the account.
    ///
    /// - Returns: how many.
    package func sweep(at now: Instant, limit: Int, deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            var removed = 0
            for (table, key) in [("access_account_tokens", "digest"), ("access_registrations", "id")] {
                removed += try transaction.execute(
                    """
                    DELETE FROM \(table) WHERE \(key) IN (
                        SELECT \(key) FROM \(table) WHERE expires_time <= $1 ORDER BY expires_time LIMIT $2
                    )
                    """,
                    [.instant(now), .integer(Int64(limit))]
                )
            }
            removed += try transaction.execute(
                """
                DELETE FROM access_accounts WHERE id IN (
                    SELECT a.id FROM access_accounts a
                    WHERE NOT EXISTS (SELECT 1 FROM access_users u WHERE u.account = a.id) LIMIT $1
                )
                """,
                [.integer(Int64(limit))]
            )
            return removed
        }
    }

    // MARK: Steps

    static func issue(
        _ digest: [UInt8],
        for purpose: MailedPurpose,
        email: String?,
        account: AccountID,
        at now: Instant,
        _ transaction: any Transaction
    ) throws {
        // The newest mail counts: an older token of the same kind is dead.
        try transaction.execute(
            "DELETE FROM access_account_tokens WHERE account = $1 AND purpose = $2",
            [.id(account), .text(purpose.rawValue)]
        )
        try transaction.execute(
            """
            INSERT INTO access_account_tokens (digest, account, purpose, email, created_time, expires_time)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .bytes(digest), .id(account), .text(purpose.rawValue), SQLValue(email), .instant(now),
                .instant(now.adding(Limits.mailedTokenLife)),
            ]
        )
    }

    private static func use(
        _ digest: [UInt8],
        for purpose: MailedPurpose,
        at now: Instant,
        _ transaction: any Transaction
    ) throws -> (account: AccountID, email: String?)? {
        let row = try transaction.firstRow(
            "SELECT account, email FROM access_account_tokens WHERE digest = $1 AND purpose = $2 AND expires_time > $3",
            [.bytes(digest), .text(purpose.rawValue), .instant(now)]
        )
        guard let row else { return nil }
        // Of two at once one deletes it, and the other finds nothing to delete.
        let used = try transaction.execute("DELETE FROM access_account_tokens WHERE digest = $1", [.bytes(digest)])
        guard used == 1 else { return nil }
        return (try row.identifier(0, of: "access_account_tokens"), try row.optionalText(1))
    }

    private static func setEmail(
        _ email: EmailAddress,
        of account: AccountID,
        verified: Instant?,
        audit: AuditEvent,
        _ transaction: any Transaction
    ) throws -> EmailChange {
        try transaction.lock("access_accounts email \(email.key)")
        guard let old = try Self.account(account, transaction)?.account.email else { return .missing }
        let holder = try Self.account(email: email.key, transaction)?.account.id
        let namesake = try transaction.firstRow(
            """
            SELECT 1 FROM access_users o JOIN access_users u ON u.tenant = o.tenant
            WHERE u.account = $1 AND o.email = $2 AND o.id <> u.id LIMIT 1
            """,
            [.id(account), .text(email.text.lowercased())]
        )
        guard holder == nil || holder == account, namesake == nil else { return .taken }
        try transaction.execute(
            "UPDATE access_accounts SET email = $2, email_key = $3, verified_time = $4 WHERE id = $1",
            [.id(account), .text(email.text), .text(email.key), .instant(verified)]
        )
        try transaction.execute(
            "UPDATE access_users SET email = $2 WHERE account = $1",
            [.id(account), .text(email.text.lowercased())]
        )
        // Conditions speak of addresses. In one order, so that two never wait for each other.
        let tenants = try transaction.rows(
            "SELECT tenant FROM access_users WHERE account = $1 ORDER BY tenant",
            [.id(account)]
        )
        for row in tenants { try AccessStore.bump(row.identifier(0, of: "access_users"), in: transaction) }
        // What was mailed to the old address, such as a way to set the password, is dead.
        try transaction.execute("DELETE FROM access_account_tokens WHERE account = $1", [.id(account)])
        try MailQueue.append(.emailChanged, to: old, at: audit.time, transaction)
        try append(audit, of: account, transaction)
        return .changed(from: old)
    }
}
