import Access
import Database
import Domain

/// Whether a tenant may have more of something, by the limits that operators set for it.
///
/// Asked in the transaction that makes more. Most tenants have no such limits, and then it is one small read. Of two
/// transactions at once neither counts what the other makes.
enum TenantRoom {
    /// - Throws: `limitReached` when one base more is too many. Those that are being imported count.
    static func requireBase(tenant: TenantID, in transaction: any Transaction) throws {
        guard let most = try AccessStore.givenLimits(of: tenant, in: transaction)?.bases else { return }
        let row = try transaction.firstRow("SELECT bases FROM store_tenants WHERE tenant = $1", [tenant.sql])
        try require(try row?.integer(0) ?? 0, plus: 1, atMost: most, "bases")
    }

    /// - Throws: `limitReached` when `count` records more are too many. Those that are being imported count.
    static func requireRecords(_ count: Int, tenant: TenantID, in transaction: any Transaction) throws {
        guard let most = try AccessStore.givenLimits(of: tenant, in: transaction)?.records else { return }
        let row = try transaction.firstRow("SELECT SUM(records) FROM table_counters WHERE tenant = $1", [tenant.sql])
        try require(try row?.optionalInteger(0) ?? 0, plus: Int64(count), atMost: most, "records")
    }

    /// - Throws: `limitReached` when a file of `size` bytes more is too much. A file counts as often as it is attached.
    static func requireFile(size: Int64, tenant: TenantID, in transaction: any Transaction) throws {
        guard let most = try AccessStore.givenLimits(of: tenant, in: transaction)?.attachmentBytes else { return }
        let row = try transaction.firstRow("SELECT SUM(size) FROM attachments WHERE tenant = $1", [tenant.sql])
        try require(try row?.optionalInteger(0) ?? 0, plus: size, atMost: most, "bytes of attachments")
    }

    private static func require(_ present: Int64, plus more: Int64, atMost most: Int, _ what: String) throws {
        guard present + more <= Int64(most) else {
            throw AccessError(
                .limitReached,
                "This tenant has at most \(most) \(what).",
                hint: "remove some that nobody uses, or ask who runs this server for more"
            )
        }
    }
}
