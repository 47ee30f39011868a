package import Database
package import Domain

/// What was used up, in SQL: one row each, until it is dead anyway.
package struct NonceStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    static let migration = Migration(
        id: "access/0060-spent-nonces",
        [
            """
            CREATE TABLE access_spent_nonces (
                tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                nonce {text} NOT NULL,
                until_time {int} NOT NULL,
                PRIMARY KEY (tenant, nonce)
            ) {strict}
            """,
            "CREATE INDEX access_spent_nonces_by_time ON access_spent_nonces (tenant, until_time)",
        ]
    )

    /// - Returns: true exactly once for each nonce, and never from `until` on.
    package func spend(
        _ nonce: String,
        until: Instant,
        at now: Instant,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        guard now < until, Self.isUsable(nonce) else { return false }
        return try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            _ = try Self.sweep(at: now, limit: Limits.sweptNonces, tenant, transaction)
            return try transaction.execute(
                """
                INSERT INTO access_spent_nonces (tenant, nonce, until_time) VALUES ($1, $2, $3)
                ON CONFLICT (tenant, nonce) DO NOTHING
                """,
                [.id(tenant), .text(nonce), .instant(until)]
            ) == 1
        }
    }

    /// - Returns: how many were removed, at most `limit`.
    package func sweep(
        at now: Instant,
        limit: Int,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Int {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try Self.sweep(at: now, limit: limit, tenant, transaction)
        }
    }

    static func isUsable(_ nonce: String) -> Bool {
        (1...Limits.nonceBytes).contains(nonce.utf8.count) && !nonce.utf8.contains(0)
    }

    /// A process whose clock is late must not find forgotten what it would still take.
    private static func sweep(
        at now: Instant,
        limit: Int,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM access_spent_nonces WHERE tenant = $1 AND nonce IN (
                SELECT nonce FROM access_spent_nonces WHERE tenant = $1 AND until_time <= $2
                ORDER BY until_time LIMIT $3
            )
            """,
            [.id(tenant), .instant(now.adding(seconds: -2 * Limits.clockSkewSeconds)), .integer(Int64(limit))]
        )
    }
}
