import Crypto
package import Database
package import Domain

/// Mails that wait to be sent, in SQL, each written in the transaction of what it tells of.
///
/// A row says what the mail is about, not what it says: the token in it is made when it is sent, and only its digest is
/// kept. A mail that has to be sent again holds another token, and the one before is dead. No method takes a tenant: a
/// mail goes to a person.
package struct MailQueue: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    static let migration = Migration(
        id: "access/0022-mails",
        [
            """
            CREATE TABLE access_mails (
                id {text} NOT NULL PRIMARY KEY,
                kind {text} NOT NULL,
                recipient {text} NOT NULL,
                account {text},
                registration {text},
                attempts {int} NOT NULL,
                next_time {int} NOT NULL,
                created_time {int} NOT NULL
            ) {strict}
            """,
            "CREATE INDEX access_mails_by_time ON access_mails (next_time)",
        ]
    )

    /// What a mail is about.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Show that the address is yours, and you have an account.
        case registration
        /// You have an account; somebody, perhaps you, wanted another.
        case accountExists
        /// Set a new password.
        case reset
        /// Show that the new address is yours.
        case email
        /// Join a tenant.
        case invite
        /// Your password is another one now.
        case passwordChanged
        /// Your address is another one now; goes to the old one.
        case emailChanged
        /// Somebody signed in from where nobody did before.
        case newClient
        /// A key, or another secret of one, acts for you.
        case newKey
        /// To nobody: it stands where another would, so that both cost the same.
        case nothing
    }

    /// A mail that is to be sent now.
    package struct Due: Sendable {
        package let id: String
        package let kind: Kind
        package let recipient: EmailAddress
        package let attempts: Int
        /// For the kinds that hold one.
        package let token: MailedToken?
    }

    /// Takes mails that are due and puts off their next attempt, so that nobody else sends them meanwhile and a crash
    /// loses none. Drops those that were tried too often, or that nobody needs any more.
    ///
    /// - Returns: what is to be sent, and the kinds of those given up.
    package func take(
        limit: Int,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> (due: [Due], given: [Kind]) {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            try transaction.lock("access_mails")
            let rows = try transaction.rows(
                """
                SELECT id, kind, recipient, account, registration, attempts, invite FROM access_mails
                WHERE next_time <= $1 ORDER BY next_time, id LIMIT $2
                """,
                [.instant(now), .integer(Int64(limit))]
            )
            var due: [Due] = []
            var given: [Kind] = []
            for row in rows {
                let id = try row.text(0)
                let attempts = Int(try row.integer(5)) + 1
                let kind = Kind(rawValue: try row.text(1)) ?? .nothing
                let recipient = try? EmailAddress(row.text(2))
                let token = try Self.token(for: kind, row, at: now, transaction)
                guard let recipient, kind != .nothing, attempts <= Limits.mailAttempts, token != .some(nil) else {
                    if attempts > Limits.mailAttempts { given.append(kind) }
                    try transaction.execute("DELETE FROM access_mails WHERE id = $1", [.text(id)])
                    continue
                }
                try transaction.execute(
                    "UPDATE access_mails SET attempts = $2, next_time = $3 WHERE id = $1",
                    [.text(id), .integer(Int64(attempts)), .instant(now.adding(Self.wait(after: attempts)))]
                )
                due.append(Due(id: id, kind: kind, recipient: recipient, attempts: attempts, token: token ?? nil))
            }
            return (due, given)
        }
    }

    /// A mail is out.
    package func sent(_ id: String, deadline: ContinuousClock.Instant? = nil) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try transaction.execute("DELETE FROM access_mails WHERE id = $1", [.text(id)])
        }
    }

    package func count(deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await database.read(of: .server, deadline: deadline) { try Self.count($0) }
    }

    /// Two minutes, four, … to four hours: longer than sending may take, in all about a day.
    static func wait(after attempts: Int) -> Duration {
        min(.seconds(120) * (1 << min(attempts - 1, 10)), .seconds(4 * 3_600))
    }

    // MARK: Writing

    /// - Throws: `busy` when too many wait already.
    static func append(
        _ kind: Kind,
        to recipient: EmailAddress,
        account: AccountID? = nil,
        registration: String? = nil,
        invite: InviteID? = nil,
        at now: Instant,
        _ transaction: any Transaction
    ) throws {
        guard try count(transaction) < Limits.mailsWaiting else {
            throw AccessError(.busy, "Too many mails wait to be sent.", hint: "try again later")
        }
        try transaction.execute(
            """
            INSERT INTO access_mails (id, kind, recipient, account, registration, invite, attempts, next_time,
                created_time)
            VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)
            """,
            [
                .text(RunningName.made()), .text(kind.rawValue), .text(recipient.text),
                SQLValue(account?.description), SQLValue(registration), SQLValue(invite?.description), .instant(now),
            ]
        )
    }

    private static func count(_ transaction: any Transaction) throws -> Int {
        Int(try transaction.firstRow("SELECT COUNT(*) FROM access_mails")?.integer(0) ?? 0)
    }

    /// Makes the token that a mail holds; `.some(nil)` when whatever it was for is gone, and nil for a kind without one.
    private static func token(
        for kind: Kind,
        _ row: Row,
        at now: Instant,
        _ transaction: any Transaction
    ) throws -> MailedToken?? {
        switch kind {
        case .accountExists, .passwordChanged, .emailChanged, .newClient, .newKey, .nothing:
            return nil
        case .registration:
            let token = MailedToken.random()
            let updated = try transaction.execute(
                "UPDATE access_registrations SET digest = $2, expires_time = $3 WHERE id = $1",
                [
                    SQLValue(try row.optionalText(4)), .bytes(token.digest),
                    .instant(now.adding(Limits.mailedTokenLife)),
                ]
            )
            return .some(updated == 1 ? token : nil)
        case .invite:
            let token = MailedToken.random()
            let invite = try row.optionalText(6)
            return .some(try InviteStore.issue(token.digest, for: invite, at: now, transaction) ? token : nil)
        case .reset, .email:
            guard let account = try row.optionalText(3).flatMap({ AccountID($0) }),
                try AccountStore.account(account, transaction) != nil
            else { return .some(nil) }
            let token = MailedToken.random()
            try AccountStore.issue(
                token.digest,
                for: kind == .reset ? .reset : .email,
                email: kind == .email ? try row.text(2) : nil,
                account: account,
                at: now,
                transaction
            )
            return .some(token)
        }
    }
}

/// What somebody shows to prove that they got a mail: 192 random bits.
package struct MailedToken: Sendable, Hashable {
    /// In base 62, to be sent once; nowhere stored.
    package let text: Secret
    /// SHA-256 of the text: a random secret cannot be guessed from it.
    package let digest: [UInt8]

    private static let characters = 33
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<characters).map { _ in alphabet[Int.random(in: 0..<62, using: &generator)] }
        return Self(text: Secret(bytes: bytes), digest: Array(SHA256.hash(data: bytes)))
    }

    /// The digest of what a client sent; nil for what was never one.
    static func digest(of text: String) -> [UInt8]? {
        guard text.utf8.count == characters, text.utf8.allSatisfy({ alphabet.contains($0) }) else { return nil }
        return Array(SHA256.hash(data: Array(text.utf8)))
    }
}
