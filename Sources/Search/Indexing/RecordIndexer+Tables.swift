import Airtable
import Database
import Domain

/// Whole tables: queueing and removing them.
extension RecordIndexer {
    /// Queues a backfill of `table` if `reason` needs one; tells scopes first what its units may show from now on.
    ///
    /// - Returns: whether it was queued.
    @discardableResult
    func enqueue(_ table: Table, because reason: BackfillReason, _ context: RequestContext) async throws -> Bool {
        let layout = try await reader.layout(of: table, context: context)
        let total = try await services.airtable.storedReads(by: .recordsRead).recordCount(
            in: table.id,
            context: context
        )
        let signature = layout.signature
        let (tenant, store) = (tenant, store)
        return try await services.database.write(of: .tenant(context.tenant)) { transaction in
            _ = try store.ensurePartitions([], layout: layout, tenant: tenant, in: transaction)
            let old = try store.signature(of: table.id, tenant: tenant, in: transaction)
            if signature != old {
                try store.setSignature(signature, of: table.id, tenant: tenant, in: transaction)
            }
            if case .schemaChanged = reason, let old, signature.onlyAdds(to: old) { return false }
            try store.enqueue(
                table.id,
                base: table.base,
                isForced: reason == .vectorsLost,
                sweeps: reason == .resynchronise || reason == .vectorsLost,
                total: total,
                tenant: tenant,
                in: transaction
            )
            return true
        }
    }

    /// Makes a table unfindable; the backfill lane clears away what it leaves.
    func removeTable(_ table: TableID) async throws {
        let (tenant, store, database) = (tenant, store, services.database)
        try await gate.run {
            try await database.write(of: .tenant(tenant)) { try store.removeTable(table, tenant: tenant, in: $0) }
        }
    }
}
