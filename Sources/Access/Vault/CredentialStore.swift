package import Database
package import Domain

/// Sealed credentials and wrapped data keys in SQL. Sees no plain text.
package struct CredentialStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    package static let migration = Migration(
        id: "access/0002-credentials",
        [
            """
            CREATE TABLE access_data_keys (
                tenant {text} NOT NULL REFERENCES access_tenants (id) ON DELETE CASCADE,
                number {int} NOT NULL,
                master {text} NOT NULL,
                wrapped {bytes} NOT NULL,
                created_time {int} NOT NULL,
                PRIMARY KEY (tenant, number)
            ) {strict}
            """,
            """
            CREATE TABLE access_credentials (
                tenant {text} NOT NULL,
                purpose {text} NOT NULL,
                data_key {int} NOT NULL,
                sealed {bytes} NOT NULL,
                created_time {int} NOT NULL,
                updated_time {int} NOT NULL,
                PRIMARY KEY (tenant, purpose),
                FOREIGN KEY (tenant, data_key) REFERENCES access_data_keys (tenant, number) ON DELETE CASCADE
            ) {strict}
            """,
        ]
    )

    /// A tenant's data key as stored.
    package struct DataKey: Sendable, Hashable {
        package let tenant: TenantID
        package let number: Int64
        /// Fingerprint of the master key that wrapped it.
        package let master: String
        package let wrapped: [UInt8]

        package init(tenant: TenantID, number: Int64, master: String, wrapped: [UInt8]) {
            self.tenant = tenant
            self.number = number
            self.master = master
            self.wrapped = wrapped
        }
    }

    package struct SealedCredential: Sendable, Hashable {
        package let dataKey: DataKey
        package let sealed: [UInt8]
        package let updatedTime: Instant
    }

    /// The tenant's newest data key, which new credentials are sealed with.
    package func newestDataKey(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> DataKey? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                """
                SELECT number, master, wrapped FROM access_data_keys WHERE tenant = $1
                ORDER BY number DESC LIMIT 1
                """,
                [.id(tenant)]
            ).map { row in
                DataKey(
                    tenant: tenant,
                    number: try row.integer(0),
                    master: try row.text(1),
                    wrapped: try row.bytes(2)
                )
            }
        }
    }

    /// The tenant's data key of this number; nil when there is none.
    package func dataKey(
        _ number: Int64,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> DataKey? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                "SELECT master, wrapped FROM access_data_keys WHERE tenant = $1 AND number = $2",
                [.id(tenant), .integer(number)]
            ).map { row in
                DataKey(tenant: tenant, number: number, master: try row.text(0), wrapped: try row.bytes(1))
            }
        }
    }

    /// Adds a data key, unless the tenant has one of this number: the caller then reads that one.
    package func insert(
        _ key: DataKey,
        time: Instant,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .tenant(key.tenant), deadline: deadline) { transaction in
            _ = try transaction.execute(
                """
                INSERT INTO access_data_keys (tenant, number, master, wrapped, created_time)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, number) DO NOTHING
                """,
                [.id(key.tenant), .integer(key.number), .text(key.master), .bytes(key.wrapped), .instant(time)]
            )
        }
    }

    /// Stores a credential in place of the one that was there.
    package func put(
        _ sealed: [UInt8],
        dataKey: Int64,
        purpose: CredentialPurpose,
        tenant: TenantID,
        time: Instant,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            _ = try transaction.execute(
                """
                INSERT INTO access_credentials (tenant, purpose, data_key, sealed, created_time, updated_time)
                VALUES ($1, $2, $3, $4, $5, $5)
                ON CONFLICT (tenant, purpose) DO UPDATE SET
                    data_key = excluded.data_key, sealed = excluded.sealed, updated_time = excluded.updated_time
                """,
                [.id(tenant), .text(purpose.rawValue), .integer(dataKey), .bytes(sealed), .instant(time)]
            )
            if let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
        }
    }

    package func credential(
        _ purpose: CredentialPurpose,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> SealedCredential? {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.firstRow(
                """
                SELECT k.number, k.master, k.wrapped, c.sealed, c.updated_time
                FROM access_credentials c
                JOIN access_data_keys k ON k.tenant = c.tenant AND k.number = c.data_key
                WHERE c.tenant = $1 AND c.purpose = $2
                """,
                [.id(tenant), .text(purpose.rawValue)]
            ).map { row in
                SealedCredential(
                    dataKey: DataKey(
                        tenant: tenant,
                        number: try row.integer(0),
                        master: try row.text(1),
                        wrapped: try row.bytes(2)
                    ),
                    sealed: try row.bytes(3),
                    updatedTime: Instant(microseconds: try row.integer(4))
                )
            }
        }
    }

    /// Which credentials there are, by purpose; never what they are.
    package func purposes(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [(purpose: CredentialPurpose, updatedTime: Instant)] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT purpose, updated_time FROM access_credentials WHERE tenant = $1 ORDER BY purpose",
                [.id(tenant)]
            ).map { row in
                guard let purpose = CredentialPurpose(rawValue: try row.text(0)) else {
                    throw AccessError.corrupt("access_credentials", "purpose")
                }
                return (purpose, Instant(microseconds: try row.integer(1)))
            }
        }
    }

    /// - Returns: false when there was none.
    package func delete(
        _ purpose: CredentialPurpose,
        tenant: TenantID,
        audit: AuditEvent? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Bool {
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            let isFound =
                try transaction.execute(
                    "DELETE FROM access_credentials WHERE tenant = $1 AND purpose = $2",
                    [.id(tenant), .text(purpose.rawValue)]
                ) == 1
            if isFound, let audit { try AuditLog.append(audit, tenant: tenant, in: transaction) }
            return isFound
        }
    }

    /// Wraps every tenant's data keys anew, all in one transaction: either all are, or none is.
    ///
    /// Takes no tenant, because a master key belongs to the whole database.
    ///
    /// - Parameters:
    ///   - audit: what the log says of it, in the same transaction.
    ///   - more: what else the master key seals, in the same transaction.
    ///   - rewrap: gives the row to store instead; nil leaves it as it is. May be called again for a row.
    /// - Returns: how many data keys were changed.
    package func rewrapDataKeys(
        audit: (event: AuditEvent, tenant: TenantID)? = nil,
        alsoIn more: @escaping @Sendable (any Transaction) throws -> Void = { _ in },
        _ rewrap: @escaping @Sendable (DataKey) throws -> DataKey?
    ) async throws -> Int {
        try await database.write(of: .everyTenant, deadline: nil) { transaction in
            try more(transaction)
            let rows = try transaction.rows("SELECT tenant, number, master, wrapped FROM access_data_keys", [])
            var changed = 0
            for row in rows {
                let key = DataKey(
                    tenant: try row.identifier(0, of: "access_data_keys"),
                    number: try row.integer(1),
                    master: try row.text(2),
                    wrapped: try row.bytes(3)
                )
                guard let next = try rewrap(key) else { continue }
                changed += try transaction.execute(
                    "UPDATE access_data_keys SET master = $1, wrapped = $2 WHERE tenant = $3 AND number = $4",
                    [.text(next.master), .bytes(next.wrapped), .id(key.tenant), .integer(key.number)]
                )
            }
            if let audit { try AuditLog.append(audit.event, tenant: audit.tenant, in: transaction) }
            return changed
        }
    }
}
