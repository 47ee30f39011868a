import Database
package import Domain

/// Somebody who wants an account and has yet to show that the address is theirs.
package struct Registration: Sendable, Hashable {
    package let id: String
    package let email: EmailAddress
    package let name: String
    /// The hash of the password they chose.
    package let password: String
    package let createdTime: Instant
}

extension AccountStore {
    /// Keeps a registration until its mail is answered, and has that mail sent; to an address that has an account, goes
    /// a mail that says so instead. Takes the same steps in both cases.
    package func keep(_ registration: Registration, deadline: ContinuousClock.Instant? = nil) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let key = registration.email.key
            let existing = try Self.account(email: key, transaction)?.account.id
            // To both the same row is written; the one for whom there is an account finds no mail with it.
            try Self.insert(registration, transaction)
            try transaction.execute(
                """
                DELETE FROM access_registrations WHERE email_key = $1 AND id NOT IN (
                    SELECT id FROM access_registrations WHERE email_key = $1 ORDER BY created_time DESC, id LIMIT $2
                )
                """,
                [.text(key), .integer(Int64(Limits.pendingRegistrations))]
            )
            guard try AttemptStore.takeMail(to: key, at: registration.createdTime, transaction) else { return }
            try MailQueue.append(
                existing == nil ? .registration : .accountExists,
                to: registration.email,
                account: existing,
                registration: registration.id,
                at: registration.createdTime,
                transaction
            )
        }
    }

    /// The registration whose mail held this token.
    package func registration(
        _ digest: [UInt8],
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Registration? {
        try await database.read(of: .server, deadline: deadline) { transaction in
            try transaction.firstRow(
                """
                SELECT id, email, email_key, name, password, created_time FROM access_registrations
                WHERE digest = $1 AND expires_time > $2
                """,
                [.bytes(digest), .instant(now)]
            ).map { row in
                Registration(
                    id: try row.text(0),
                    email: EmailAddress(text: try row.text(1), key: try row.text(2)),
                    name: try row.text(3),
                    password: try row.text(4),
                    createdTime: Instant(microseconds: try row.integer(5))
                )
            }
        }
    }

    /// Makes the account that a registration asked for, and forgets every registration of its address.
    ///
    /// - Returns: false when the registration is gone, or the address has an account by now.
    package func admit(
        _ registration: Registration,
        as newcomer: Newcomer,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            let used = try transaction.execute(
                "DELETE FROM access_registrations WHERE id = $1",
                [.text(registration.id)]
            )
            guard used == 1 else { return false }
            try transaction.execute(
                "DELETE FROM access_registrations WHERE email_key = $1",
                [.text(registration.email.key)]
            )
            return try Self.insert(newcomer, transaction)
        }
    }

    private static func insert(_ registration: Registration, _ transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO access_registrations (id, email, email_key, name, password, created_time, expires_time)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .text(registration.id), .text(registration.email.text), .text(registration.email.key),
                .text(registration.name), .text(registration.password), .instant(registration.createdTime),
                // Until the mail is out its token has no life of its own.
                .instant(registration.createdTime.adding(Limits.failureMemory)),
            ]
        )
    }
}
