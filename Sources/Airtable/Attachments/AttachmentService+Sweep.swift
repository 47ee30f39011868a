import Database
package import Domain

/// What one sweep did.
package struct AttachmentSweep: Sendable, Hashable {
    /// Attachments that no cell names: they go when that has lasted.
    package var unnamed = 0
    package var deleted = 0
    /// Contents whose bytes were removed.
    package var filesRemoved = 0
}

extension AttachmentService {
    /// Removes attachments that no cell has named for `grace`, and bytes that no attachment has.
    ///
    /// `grace` must be longer than the change log is kept, since an entry of it may bring a cell back, and longer than
    /// a write takes, since a file is stored before the cell that names it. Two sweeps are needed at least: one finds
    /// that nothing names an attachment, a later one that nothing has since. Safe beside writers, of other processes
    /// too: whoever names a stored file notes it first (`AttachmentStore.noteNamed`), and bytes go in a transaction
    /// that sees who still has them.
    ///
    /// - Parameter named: every attachment that a cell of the tenant names now.
    package func sweep(named: Set<AttachmentID>, grace: Duration, tenant: TenantID) async throws -> AttachmentSweep {
        let time = now()
        var sweep = AttachmentSweep()
        var last: AttachmentID?
        while true {
            let ids = try await database.read(of: .tenant(tenant)) { [store, last] transaction in
                try store.ids(after: last, limit: Limits.sweepRows, tenant: tenant, in: transaction)
            }
            guard let end = ids.last else { break }
            let unnamed = ids.filter { !named.contains($0) }
            let again = ids.filter { named.contains($0) }
            sweep.unnamed += unnamed.count
            try await database.write(of: .tenant(tenant)) { [store] transaction in
                try store.lock(tenant: tenant, in: transaction)
                try store.noteUnnamed(unnamed, since: time, tenant: tenant, in: transaction)
                try store.noteNamed(again, tenant: tenant, in: transaction)
            }
            last = end
        }
        let cutoff = Instant(microseconds: time.microseconds - grace.microseconds)
        while true {
            let hashes = try await database.write(of: .tenant(tenant)) { [store] transaction in
                try store.lock(tenant: tenant, in: transaction)
                return try store.deleteUnnamed(
                    before: cutoff,
                    limit: Limits.pageRecords,
                    tenant: tenant,
                    in: transaction
                )
            }
            sweep.deleted += hashes.count
            for hash in Set(hashes) { sweep.filesRemoved += try await removeUnused(hash, tenant) ? 1 : 0 }
            if hashes.count < Limits.pageRecords { break }
            try Task.checkCancellation()
        }
        // What a crash between a file and its row left.
        let settled = try await Self.blocking { [files] in
            try files.removeAbandoned(now: time)
            return try files.settled(tenant: tenant, now: time)
        }
        for hash in settled { sweep.filesRemoved += try await removeUnused(hash, tenant) ? 1 : 0 }
        return sweep
    }

    /// Removes the bytes unless an attachment has them; in a transaction of its own, after the one that deleted the
    /// attachment is durable: rolled back then, it has removed only what nothing names.
    private func removeUnused(_ hash: ContentHash, _ tenant: TenantID) async throws -> Bool {
        let isUsed = try await database.read(of: .tenant(tenant)) { [store] in
            try store.hasContent(hash, tenant: tenant, in: $0)
        }
        if isUsed { return false }
        return try await database.write(of: .tenant(tenant)) { [files, store] transaction in
            try store.lock(tenant: tenant, in: transaction)
            if try store.hasContent(hash, tenant: tenant, in: transaction) { return false }
            try files.remove(hash, tenant: tenant)
            return true
        }
    }
}
