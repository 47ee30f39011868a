package import Database
package import Domain

/// Signing keys in SQL: public parts as they are, private ones sealed with the master key.
///
/// Takes no tenant, because one issuer signs for the whole server.
package struct TokenKeyStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    package static let migration = Migration(
        id: "access/0010-signing-keys",
        [
            """
            CREATE TABLE access_signing_keys (
                number {int} NOT NULL PRIMARY KEY,
                id {text} NOT NULL UNIQUE,
                algorithm {text} NOT NULL,
                public_key {bytes} NOT NULL,
                master {text} NOT NULL,
                sealed {bytes} NOT NULL,
                created_time {int} NOT NULL,
                active_time {int} NOT NULL,
                ends_time {int}
            ) {strict}
            """
        ]
    )

    /// A signing key as stored. Of those that are active at a time, the one with the highest number signs.
    package struct StoredKey: Sendable, Hashable {
        package let number: Int64
        package let id: String
        package let algorithm: String
        package let publicKey: [UInt8]
        /// Fingerprint of the master key that sealed the private part.
        package let master: String
        package let sealed: [UInt8]
        package let createdTime: Instant
        /// Signs from then on.
        package let activeTime: Instant
        /// Verifies nothing from then on; nil for the newest.
        package let endsTime: Instant?

        package init(
            number: Int64,
            id: String,
            algorithm: String,
            publicKey: [UInt8],
            master: String,
            sealed: [UInt8],
            createdTime: Instant,
            activeTime: Instant,
            endsTime: Instant? = nil
        ) {
            self.number = number
            self.id = id
            self.algorithm = algorithm
            self.publicKey = publicKey
            self.master = master
            self.sealed = sealed
            self.createdTime = createdTime
            self.activeTime = activeTime
            self.endsTime = endsTime
        }
    }

    /// What becomes of the keys that there are when a new one comes.
    package enum Succession: Sendable, Hashable {
        /// They verify until this moment, when no token of theirs can live any more.
        case until(Instant)
        /// They are gone, and all their tokens dead.
        case atOnce
    }

    /// All of them, the oldest first.
    package func keys(deadline: ContinuousClock.Instant? = nil) async throws -> [StoredKey] {
        try await database.read(of: .server, deadline: deadline) { transaction in
            try transaction.rows("SELECT \(Self.columns) FROM access_signing_keys ORDER BY number", [])
                .map(Self.key)
        }
    }

    /// Adds the first key, unless there is one: of any number of callers at once, in any number of processes, one adds its
    /// own, and all then read the same.
    package func insertFirst(_ key: StoredKey, deadline: ContinuousClock.Instant? = nil) async throws {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try transaction.lock(Self.lockName)
            let count = try transaction.firstRow("SELECT COUNT(*) FROM access_signing_keys", [])?.integer(0)
            if count == 0 { try Self.insert(key, number: 1, transaction) }
        }
    }

    /// Adds a key that follows the others, and removes those that are over at `now`.
    ///
    /// - Returns: false when there are `limit` of them.
    package func insertNext(
        _ key: StoredKey,
        _ succession: Succession,
        limit: Int,
        at now: Instant,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .server, deadline: deadline) { transaction in
            try transaction.lock(Self.lockName)
            let newest = try transaction.firstRow("SELECT MAX(number) FROM access_signing_keys", [])
            try Self.deleteOver(at: now, transaction)
            if succession == .atOnce { try transaction.execute("DELETE FROM access_signing_keys", []) }
            let count = try transaction.firstRow("SELECT COUNT(*) FROM access_signing_keys", [])?.integer(0)
            guard (count ?? 0) < Int64(limit) else { return false }
            if case .until(let end) = succession {
                try transaction.execute(
                    "UPDATE access_signing_keys SET ends_time = $1 WHERE ends_time IS NULL",
                    [.instant(end)]
                )
            }
            try Self.insert(key, number: (try newest?.optionalInteger(0) ?? 0) + 1, transaction)
            if let audit { try AuditLog.append(audit, tenant: nil, in: transaction) }
            return true
        }
    }

    /// Removes keys that verify nothing any more.
    package func deleteOver(at now: Instant, deadline: ContinuousClock.Instant? = nil) async throws {
        try await database.write(of: .server, deadline: deadline) { try Self.deleteOver(at: now, $0) }
    }

    /// Seals every private part anew, in a transaction that does so for all else that the master key seals.
    ///
    /// - Parameter reseal: gives fingerprint and seal to store instead; nil leaves a key as it is.
    static func reseal(
        _ transaction: any Transaction,
        _ reseal: (StoredKey) throws -> (master: String, sealed: [UInt8])?
    ) throws {
        for row in try transaction.rows("SELECT \(columns) FROM access_signing_keys", []) {
            let key = try key(row)
            guard let next = try reseal(key) else { continue }
            try transaction.execute(
                "UPDATE access_signing_keys SET master = $1, sealed = $2 WHERE number = $3",
                [.text(next.master), .bytes(next.sealed), .integer(key.number)]
            )
        }
    }

    private static let lockName = "access_signing_keys"

    private static let columns =
        "number, id, algorithm, public_key, master, sealed, created_time, active_time, ends_time"

    private static func deleteOver(at now: Instant, _ transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM access_signing_keys WHERE ends_time <= $1", [.instant(now)])
    }

    private static func insert(_ key: StoredKey, number: Int64, _ transaction: any Transaction) throws {
        try transaction.execute(
            "INSERT INTO access_signing_keys (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                .integer(number), .text(key.id), .text(key.algorithm), .bytes(key.publicKey), .text(key.master),
                .bytes(key.sealed), .instant(key.createdTime), .instant(key.activeTime), .instant(key.endsTime),
            ]
        )
    }

    private static func key(_ row: Row) throws -> StoredKey {
        StoredKey(
            number: try row.integer(0),
            id: try row.text(1),
            algorithm: try row.text(2),
            publicKey: try row.bytes(3),
            master: try row.text(4),
            sealed: try row.bytes(5),
            createdTime: Instant(microseconds: try row.integer(6)),
            activeTime: Instant(microseconds: try row.integer(7)),
            endsTime: try row.optionalInteger(8).map(Instant.init(microseconds:))
        )
    }
}
