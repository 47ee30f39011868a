import Database
import Domain

/// What was tried, in SQL, so that a restart forgives nothing.
///
/// No method takes a tenant: attempts come before anybody knows whose they are.
struct AttemptStore: Sendable {
    let database: any SQLDatabase

    static let migration = Migration(
        id: "access/0021-attempts",
        [
            """
            CREATE TABLE access_attempts (
                key {bytes} NOT NULL PRIMARY KEY,
                failures {int} NOT NULL,
                until_time {int} NOT NULL,
                seen_time {int} NOT NULL
            ) {strict}
            """,
            "CREATE INDEX access_attempts_by_time ON access_attempts (seen_time)",
            """
            CREATE TABLE access_known_clients (
                subject {bytes} NOT NULL,
                client {bytes} NOT NULL,
                seen_time {int} NOT NULL,
                PRIMARY KEY (subject, client)
            ) {strict}
            """,
            "CREATE INDEX access_known_clients_by_time ON access_known_clients (seen_time)",
        ]
    )

    /// Counts an attempt, unless it has to wait.
    ///
    /// - Parameter email: the key of the address it is about; nil when it is about none.
    /// - Returns: how long it has to wait; nil when it may be made.
    func begin(
        _ kind: AttemptKind,
        email: String?,
        client: ClientNetwork,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Duration? {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let places = AttemptKind.Place.allCases.map { AttemptKey.place(kind, $0, client) }
            let subject = try email.map { email in
                let known = AttemptKey.known(email, client)
                let subject = AttemptKey.subject(email)
                return try Self.isKnown(known, of: subject, transaction) ? known : subject
            }
            // In one order for everybody, so that nobody waits for who waits for them.
            for key in (places + [subject].compactMap(\.self)).sorted(by: {
                $0.bytes.lexicographicallyPrecedes($1.bytes)
            }) {
                try transaction.lock("access_attempts \(key.bytes)")
            }
            var changes: [(AttemptKey, Lockout)] = []
            if let subject {
                var lockout = try Self.lockout(subject, transaction)
                if let wait = lockout.wait(at: now) { return wait }
                lockout.began(at: now)
                changes.append((subject, lockout))
            }
            for (place, key) in zip(AttemptKind.Place.allCases, places) {
                let full = try Self.lockout(key, transaction).until
                switch kind.rate(of: place).taking(full, at: now) {
                case .failure(let wait): return wait.time
                case .success(let next): changes.append((key, Lockout(until: next, seen: now)))
                }
            }
            for (key, lockout) in changes { try Self.put(lockout, key, transaction) }
            return nil
        }
    }

    /// Takes an attempt back that succeeded.
    ///
    /// - Parameter remembers: whether the account was signed in to from there: failures elsewhere are then no hindrance
    ///   any more. When it never was before, and was from elsewhere, its owner gets a mail.
    func succeeded(
        _ kind: AttemptKind,
        email address: EmailAddress,
        client: ClientNetwork,
        remembers: Bool,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let known = AttemptKey.known(address.key, client)
            let subject = AttemptKey.subject(address.key)
            // What others failed at stays counted: it does not hold up who is known.
            let isKnown = try Self.isKnown(known, of: subject, transaction)
            let own = isKnown ? known : subject
            try transaction.execute("DELETE FROM access_attempts WHERE key = $1", [.bytes(own.bytes)])
            for place in AttemptKind.Place.allCases {
                try transaction.execute(
                    "UPDATE access_attempts SET until_time = until_time - $2 WHERE key = $1",
                    [
                        .bytes(AttemptKey.place(kind, place, client).bytes),
                        .integer(kind.rate(of: place).interval.microseconds),
                    ]
                )
            }
            guard remembers else { return }
            let others = try transaction.firstRow(
                "SELECT 1 FROM access_known_clients WHERE subject = $1 LIMIT 1",
                [.bytes(subject.bytes)]
            )
            if !isKnown, others != nil { try MailQueue.append(.newClient, to: address, at: now, transaction) }
            try Self.remember(known, of: subject, at: now, transaction)
        }
    }

    /// Remembers that an account was used well from somewhere.
    func remember(
        _ client: ClientNetwork,
        of email: String,
        at now: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try Self.remember(.known(email, client), of: .subject(email), at: now, transaction)
        }
    }

    /// Forgets the failures at one account: its owner proved themselves in another way.
    func forgive(email: String, deadline: ContinuousClock.Instant? = nil) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try transaction.execute(
                "DELETE FROM access_attempts WHERE key = $1",
                [.bytes(AttemptKey.subject(email).bytes)]
            )
        }
    }

    /// Counts a mail that somebody asks for to be sent to an address.
    ///
    /// - Returns: false when it got enough of them lately.
    static func takeMail(to email: String, at now: Instant, _ transaction: any Transaction) throws -> Bool {
        let key = AttemptKey.mails(to: email)
        try transaction.lock("access_attempts \(key.bytes)")
        switch AttemptKind.mailsPerAddress.taking(try lockout(key, transaction).until, at: now) {
        case .failure: return false
        case .success(let next):
            try put(Lockout(until: next, seen: now), key, transaction)
            return true
        }
    }

    /// Removes what no longer counts.
    ///
    /// - Returns: how many rows.
    func sweep(at now: Instant, limit: Int, deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await database.write(of: .server, deadline: deadline) { transaction in
            let old = Instant(microseconds: now.microseconds - Limits.failureMemory.microseconds)
            let attempts = try transaction.execute(
                """
                DELETE FROM access_attempts WHERE key IN (
                    SELECT key FROM access_attempts WHERE seen_time < $1 AND until_time < $2 ORDER BY seen_time LIMIT $3
                )
                """,
                [.instant(old), .instant(now), .integer(Int64(limit))]
            )
            let forgotten = Instant(microseconds: now.microseconds - Limits.knownClientMemory.microseconds)
            return try attempts
                + transaction.execute(
                    """
                    DELETE FROM access_known_clients WHERE subject IN (
                        SELECT subject FROM access_known_clients WHERE seen_time < $1 ORDER BY seen_time LIMIT $2
                    ) AND seen_time < $1
                    """,
                    [.instant(forgotten), .integer(Int64(limit))]
                )
        }
    }

    // MARK: Rows

    private static func isKnown(_ client: AttemptKey, of subject: AttemptKey, _ transaction: any Transaction) throws
        -> Bool
    {
        try transaction.firstRow(
            "SELECT 1 FROM access_known_clients WHERE subject = $1 AND client = $2",
            [.bytes(subject.bytes), .bytes(client.bytes)]
        ) != nil
    }

    private static func remember(
        _ client: AttemptKey,
        of subject: AttemptKey,
        at now: Instant,
        _ transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO access_known_clients (subject, client, seen_time) VALUES ($1, $2, $3)
            ON CONFLICT (subject, client) DO UPDATE SET seen_time = $3
            """,
            [.bytes(subject.bytes), .bytes(client.bytes), .instant(now)]
        )
        try transaction.execute(
            """
            DELETE FROM access_known_clients WHERE subject = $1 AND client NOT IN (
                SELECT client FROM access_known_clients WHERE subject = $1 ORDER BY seen_time DESC, client LIMIT $2
            )
            """,
            [.bytes(subject.bytes), .integer(Int64(Limits.knownClients))]
        )
    }

    private static func lockout(_ key: AttemptKey, _ transaction: any Transaction) throws -> Lockout {
        let row = try transaction.firstRow(
            "SELECT failures, until_time, seen_time FROM access_attempts WHERE key = $1",
            [.bytes(key.bytes)]
        )
        return try row.map { row in
            Lockout(
                failures: Int(try row.integer(0)),
                until: Instant(microseconds: try row.integer(1)),
                seen: Instant(microseconds: try row.integer(2))
            )
        } ?? Lockout()
    }

    private static func put(_ lockout: Lockout, _ key: AttemptKey, _ transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO access_attempts (key, failures, until_time, seen_time) VALUES ($1, $2, $3, $4)
            ON CONFLICT (key) DO UPDATE SET failures = $2, until_time = $3, seen_time = $4
            """,
            [
                .bytes(key.bytes), .integer(Int64(lockout.failures)), .instant(lockout.until), .instant(lockout.seen),
            ]
        )
    }
}
