import Database
package import Domain

/// What may be changed of a key, and how its limits are stored.
extension AccessStore {
    static let keyLimitsMigration = Migration(
        id: "access/0050-key-limits",
        [
            "ALTER TABLE access_keys ADD COLUMN tables {text}",
            "ALTER TABLE access_keys ADD COLUMN addresses {text}",
        ]
    )

    /// A key of the tenant.
    package func key(
        _ id: KeyID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> APIKey? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { try Self.key(id, tenant: tenant, $0) }
    }

    private static func key(_ id: KeyID, tenant: TenantID, _ transaction: any Transaction) throws -> APIKey? {
        try transaction.firstRow(
            "SELECT \(keyColumns) FROM access_keys k WHERE k.tenant = $1 AND k.id = $2",
            [.id(tenant), .id(id)]
        ).map(key)
    }

    /// Writes name, limits, expiry and state of `key` where it is still as `old` has them.
    ///
    /// - Returns: false when there is no such key, or somebody changed it meanwhile.
    package func change(
        _ old: APIKey,
        to key: APIKey,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            // Without it, of two changes at once the second would undo the first.
            try transaction.lock("access_keys \(tenant)")
            guard var present = try Self.key(old.id, tenant: tenant, transaction) else { return false }
            present.lastUsedTime = old.lastUsedTime
            guard present == old else { return false }
            try transaction.execute(
                """
                UPDATE access_keys SET name = $3, scopes = $4, bases = $5, tables = $6, addresses = $7,
                    expires_time = $8, disabled = $9
                WHERE tenant = $1 AND id = $2
                """,
                [
                    .id(tenant), .id(key.id), .text(key.name), .text(key.scopesText),
                    SQLValue(Self.basesText(key.bases)), SQLValue(Self.tablesText(key.tables)),
                    SQLValue(key.addresses?.description), .instant(key.expires), SQLValue(key.isDisabled),
                ]
            )
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return true
        }
    }

    /// Gives a key another secret: what it was is dead.
    ///
    /// - Returns: false when its owner has no such key.
    package func replaceSecret(
        of key: KeyID,
        digest: [UInt8],
        lastFour: String,
        owner: UserID,
        tenant: TenantID,
        at time: Instant,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let isFound =
                try transaction.execute(
                    """
                    UPDATE access_keys SET digest = $4, last_four = $5
                    WHERE tenant = $1 AND id = $2 AND owner = $3
                    """,
                    [.id(tenant), .id(key), .id(owner), .bytes(digest), .text(lastFour)]
                ) == 1
            if isFound { try Self.tellOwner(of: owner, tenant: tenant, at: time, transaction) }
            if isFound, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return isFound
        }
    }

    static func basesText(_ bases: Set<BaseID>?) -> String? {
        bases?.map(\.description).sorted().joined(separator: " ")
    }

    /// `app…:tbl… app…:tbl…`; nil for none.
    static func tablesText(_ tables: [BaseID: Set<TableID>]) -> String? {
        guard !tables.isEmpty else { return nil }
        return tables.flatMap { base, tables in tables.map { "\(base):\($0)" } }.sorted().joined(separator: " ")
    }

    static func tables(_ text: String) throws -> [BaseID: Set<TableID>] {
        try text.split(separator: " ").reduce(into: [:]) { tables, part in
            let halves = part.split(separator: ":")
            guard halves.count == 2, let base = BaseID(String(halves[0])), let table = TableID(String(halves[1])) else {
                throw AccessError.corrupt("access_keys", "tables")
            }
            tables[base, default: []].insert(table)
        }
    }

    static func addresses(_ text: String) throws -> AddressList {
        guard let list = AddressList(text.split(separator: " ").map(String.init)) else {
            throw AccessError.corrupt("access_keys", "addresses")
        }
        return list
    }
}
