public import Database
public import Domain

/// Which request it was: two with the same key are the same only from the same caller, on the same route.
public struct ReplyKey: Sendable, Hashable {
    /// The key or user that sent it.
    public let caller: String
    /// Names the route.
    public let route: String
    /// What the client chose.
    public let key: String

    public init(caller: String, route: String, key: String) {
        self.caller = caller
        self.route = route
        self.key = key
    }
}

/// An answer as it was given.
public struct KeptReply: Sendable, Hashable {
    public let status: Int
    public let contentType: String
    /// Nil for one that may not be kept: it has a secret, or is too long.
    public let body: [UInt8]?

    public init(status: Int, contentType: String, body: [UInt8]?) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// Remembers what was answered, so that a request that is sent again is not done again.
///
/// A request first claims its key; only who has the claim does the work, and leaves its answer in place of it. A claim
/// whose process died without an answer stays: nobody knows whether the work was done, and doing it twice is what this
/// is here to prevent.
public struct KeptReplies: Sendable {
    public enum Claim: Sendable, Hashable {
        /// Do the work, then `keep` or `release`.
        case mine
        case answered(KeptReply)
        /// Somebody else does it, or died doing it.
        case inUse
        /// The key was used with another body.
        case reused
    }

    private let database: any SQLDatabase

    public init(database: any SQLDatabase) { self.database = database }

    /// Where a tenant's lie.
    public static let tenantRows = [TenantRows("kept_replies", key: "tenant", "caller", "route", "key")]

    public static let migrations = [
        Migration(
            id: "jobs/0002-kept-replies",
            [
                """
                CREATE TABLE kept_replies (
                    tenant {text} NOT NULL,
                    caller {text} NOT NULL,
                    route {text} NOT NULL,
                    key {text} NOT NULL,
                    fingerprint {bytes} NOT NULL,
                    created {int} NOT NULL,
                    status {int},
                    content_type {text},
                    body {bytes},
                    PRIMARY KEY (tenant, caller, route, key)
                ) {strict}
                """,
                "CREATE INDEX kept_replies_by_time ON kept_replies (tenant, created)",
            ]
        )
    ]

    /// - Parameter fingerprint: of the body; another one is another request.
    public func claim(
        _ key: ReplyKey,
        fingerprint: [UInt8],
        now: Instant,
        deadline: ContinuousClock.Instant?,
        tenant: TenantID
    ) async throws -> Claim {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let made = try transaction.execute(
                """
                INSERT INTO kept_replies (tenant, caller, route, key, fingerprint, created)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (tenant, caller, route, key) DO NOTHING
                """,
                Self.place(key, tenant) + [.bytes(fingerprint), .integer(now.microseconds)]
            )
            if made == 1 { return .mine }
            // Given back in between: the client tries again.
            return try Self.found(key, fingerprint, tenant, in: transaction) ?? .inUse
        }
    }

    /// What `claim` would say to a key that is claimed already, without claiming it; nil for one that is not.
    public func claimed(
        _ key: ReplyKey,
        fingerprint: [UInt8],
        deadline: ContinuousClock.Instant?,
        tenant: TenantID
    ) async throws -> Claim? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try Self.found(key, fingerprint, tenant, in: transaction)
        }
    }

    private static func found(
        _ key: ReplyKey,
        _ fingerprint: [UInt8],
        _ tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Claim? {
        let row = try transaction.firstRow(
            """
            SELECT fingerprint, status, content_type, body FROM kept_replies
            WHERE tenant = $1 AND caller = $2 AND route = $3 AND key = $4
            """,
            place(key, tenant)
        )
        guard let row else { return nil }
        guard try row.bytes(0) == fingerprint else { return .reused }
        guard let status = try row.optionalInteger(1) else { return .inUse }
        return .answered(
            KeptReply(
                status: Int(status),
                contentType: try row.optionalText(2) ?? "",
                body: try row.optionalBytes(3)
            )
        )
    }

    /// Puts the answer in place of the claim.
    public func keep(_ reply: KeptReply, for key: ReplyKey, tenant: TenantID) async throws {
        try await database.write(of: .tenant(tenant)) { transaction in
            try transaction.execute(
                """
                UPDATE kept_replies SET status = $5, content_type = $6, body = $7
                WHERE tenant = $1 AND caller = $2 AND route = $3 AND key = $4 AND status IS NULL
                """,
                Self.place(key, tenant) + [
                    SQLValue(reply.status), .text(reply.contentType), reply.body.map { .bytes($0) } ?? .null,
                ]
            )
        }
    }

    /// Gives a claim back: nothing was done.
    public func release(_ key: ReplyKey, tenant: TenantID) async throws {
        try await database.write(of: .tenant(tenant)) { transaction in
            try transaction.execute(
                """
                DELETE FROM kept_replies
                WHERE tenant = $1 AND caller = $2 AND route = $3 AND key = $4 AND status IS NULL
                """,
                Self.place(key, tenant)
            )
        }
    }

    /// Forgets what is older than `oldest`, and of the rest what is more than `limit`, oldest first.
    ///
    /// - Returns: how many were forgotten.
    @discardableResult
    public func sweep(before oldest: Instant, limit: Int, tenant: TenantID) async throws -> Int {
        try await database.write(of: .tenant(tenant)) { transaction in
            let old = try transaction.execute(
                "DELETE FROM kept_replies WHERE tenant = $1 AND created < $2",
                [.text(tenant.description), .integer(oldest.microseconds)]
            )
            let surplus = try transaction.execute(
                """
                DELETE FROM kept_replies WHERE tenant = $1 AND created < (
                    SELECT created FROM kept_replies WHERE tenant = $1 ORDER BY created DESC LIMIT 1 OFFSET $2
                )
                """,
                [.text(tenant.description), SQLValue(limit - 1)]
            )
            return old + surplus
        }
    }

    private static func place(_ key: ReplyKey, _ tenant: TenantID) -> [SQLValue] {
        [.text(tenant.description), .text(key.caller), .text(key.route), .text(key.key)]
    }
}
