import Database
package import Domain

extension AccessStore {
    /// A key with what is needed to decide whether it opens the door.
    package struct StoredKey: Sendable, Hashable {
        package let tenant: TenantID
        package let key: APIKey
        /// SHA-256 of its text, 32 bytes.
        package let digest: [UInt8]
        package let facts: Policy.KeyFacts
    }

    /// The key with this identifier, of whatever tenant: this is how a request's tenant is found. In a tenant that is
    /// suspended everybody counts as disabled.
    package func key(_ id: KeyID, deadline: ContinuousClock.Instant? = nil) async throws -> StoredKey? {
        try await database.glance(of: .everyTenant, deadline: deadline) { transaction in
            let row = try transaction.firstRow(
                """
                SELECT \(Self.keyColumns), k.tenant, k.digest,
                    CASE WHEN t.state = 'active' THEN u.disabled ELSE 1 END
                FROM access_keys k JOIN access_users u ON u.tenant = k.tenant AND u.id = k.owner
                JOIN access_tenants t ON t.id = k.tenant
                WHERE k.id = $1
                """,
                [.id(id)]
            )
            return try row.map { row in
                let key = try Self.key(row)
                return StoredKey(
                    tenant: try row.identifier(12, of: "access_keys"),
                    key: key,
                    digest: try row.bytes(13),
                    facts: Policy.KeyFacts(
                        expires: key.expires,
                        isDisabled: key.isDisabled,
                        isOwnerDisabled: try row.bool(14),
                        addresses: key.addresses
                    )
                )
            }
        }
    }

    /// Oldest first.
    package func keys(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [APIKey] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT \(Self.keyColumns) FROM access_keys k WHERE k.tenant = $1 ORDER BY k.created_time, k.id",
                [.id(tenant)]
            ).map(Self.key)
        }
    }

    /// Adds a key, unless the tenant has `limit` of them, or not that owner.
    package func insert(
        _ key: APIKey,
        digest: [UInt8],
        tenant: TenantID,
        limit: Int,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Insertion {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            // Without it, two at once would both pass the limit.
            try transaction.lock("access_keys \(tenant)")
            let owner = try transaction.firstRow(
                "SELECT disabled FROM access_users WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(key.owner)]
            )
            guard owner != nil else { return .ownerMissing }
            let count = try transaction.firstRow(
                "SELECT COUNT(*) FROM access_keys WHERE tenant = $1",
                [.id(tenant)]
            )?.integer(0)
            guard (count ?? 0) < Int64(min(limit, try Self.limits(tenant, transaction).keysMax)) else {
                return .limitReached
            }
            try Self.insert(key, digest: digest, tenant: tenant, transaction)
            try Self.tellOwner(of: key.owner, tenant: tenant, at: key.createdTime, transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return .inserted
        }
    }

    /// - Returns: false when there is no such key.
    package func deleteKey(
        _ key: KeyID,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let gone = try transaction.execute(
                "DELETE FROM access_keys WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(key)]
            )
            guard gone == 1 else { return false }
            try Self.removeGrants(of: .key(key), tenant: tenant, in: transaction)
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    /// Records when keys were used last, in one transaction. Never moves a time back; keys that are gone are skipped.
    package func recordUse(
        _ uses: [(id: KeyID, tenant: TenantID, time: Instant)],
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            for use in uses {
                try transaction.execute(
                    """
                    UPDATE access_keys SET last_used_time = $1
                    WHERE tenant = $2 AND id = $3 AND (last_used_time IS NULL OR last_used_time < $1)
                    """,
                    [.instant(use.time), .id(use.tenant), .id(use.id)]
                )
            }
        }
    }

    static func insert(_ key: APIKey, digest: [UInt8], tenant: TenantID, _ transaction: any Transaction) throws {
        let bases = key.bases.map { $0.map(\.description).sorted().joined(separator: " ") }
        try transaction.execute(
            """
            INSERT INTO access_keys (id, tenant, owner, name, digest, last_four, scopes, bases, expires_time,
                disabled, created_time, last_used_time, tables, addresses)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            [
                .id(key.id), .id(tenant), .id(key.owner), .text(key.name), .bytes(digest), .text(key.lastFour),
                .text(key.scopesText), SQLValue(bases), .instant(key.expires),
                SQLValue(key.isDisabled), .instant(key.createdTime), .instant(key.lastUsedTime),
                SQLValue(tablesText(key.tables)), SQLValue(key.addresses?.description),
            ]
        )
    }

    /// Tells a person by mail that a key, or another secret of one, acts for them from now on. A user that only keys act as
    /// has no address.
    static func tellOwner(
        of owner: UserID,
        tenant: TenantID,
        at time: Instant,
        _ transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow(
            """
            SELECT a.email FROM access_accounts a JOIN access_users u ON u.account = a.id
            WHERE u.tenant = $1 AND u.id = $2
            """,
            [.id(tenant), .id(owner)]
        )
        guard let row else { return }
        try MailQueue.append(.newKey, to: EmailAddress(row.text(0)), at: time, transaction)
    }

    static let keyColumns = """
        k.id, k.owner, k.name, k.scopes, k.bases, k.expires_time, k.disabled, k.created_time, k.last_used_time, \
        k.last_four, k.tables, k.addresses
        """

    static func key(_ row: Row) throws -> APIKey {
        APIKey(
            id: try row.identifier(0, of: "access_keys"),
            owner: try row.identifier(1, of: "access_keys"),
            name: try row.text(2),
            // A scope this program does not know grants nothing.
            scopes: Set(try row.text(3).split(separator: " ").compactMap { Permission(rawValue: String($0)) }),
            bases: try row.optionalText(4).map(bases),
            tables: try row.optionalText(10).map(tables) ?? [:],
            addresses: try row.optionalText(11).map(addresses),
            expires: try row.optionalInteger(5).map(Instant.init(microseconds:)),
            isDisabled: try row.bool(6),
            createdTime: Instant(microseconds: try row.integer(7)),
            lastUsedTime: try row.optionalInteger(8).map(Instant.init(microseconds:)),
            lastFour: try row.text(9)
        )
    }

    private static func bases(_ text: String) throws -> Set<BaseID> {
        Set(
            try text.split(separator: " ").map { part in
                guard let base = BaseID(String(part)) else { throw AccessError.corrupt("access_keys", "bases") }
                return base
            }
        )
    }
}
