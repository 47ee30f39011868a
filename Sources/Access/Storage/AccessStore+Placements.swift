package import Database
package import Domain

/// In which workspace each base stands, and what becomes of grants when what they are about is gone. For whoever keeps
/// bases, in their own transactions: Access asks nobody above.
extension AccessStore {
    /// Places a new base, or moves one.
    package static func place(
        _ base: BaseID,
        in workspace: WorkspaceID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO access_bases (tenant, base, workspace) VALUES ($1, $2, $3)
            ON CONFLICT (tenant, base) DO UPDATE SET workspace = excluded.workspace
            """,
            [.id(tenant), .id(base), .id(workspace)]
        )
        try bump(tenant, in: transaction)
    }

    /// Forgets where a base stands that may come back under the same identifier; grants on it stay.
    package static func displace(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM access_bases WHERE tenant = $1 AND base = $2",
            [.id(tenant), .id(base)]
        )
        try bump(tenant, in: transaction)
    }

    /// Forgets a base that is deleted, with all grants on it and in it.
    package static func remove(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM access_grants WHERE tenant = $1 AND (base = $2 OR place = $2)",
            [.id(tenant), .id(base)]
        )
        try displace(base, tenant: tenant, in: transaction)
    }

    /// Removes all grants on a table that is deleted, and in it.
    package static func remove(_ table: TableID, tenant: TenantID, in transaction: any Transaction) throws {
        let gone = try transaction.execute(
            "DELETE FROM access_grants WHERE tenant = $1 AND (place = $2 OR place_table = $2)",
            [.id(tenant), .id(table)]
        )
        if gone > 0 { try bump(tenant, in: transaction) }
    }

    /// Removes all grants of somebody who is deleted.
    package static func removeGrants(
        of subject: Grant.Subject,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "DELETE FROM access_grants WHERE tenant = $1 AND subject_kind = $2 AND subject = $3",
            [.id(tenant), .text(subject.kind), .text(subject.stored)]
        )
        try bump(tenant, in: transaction)
    }
}
