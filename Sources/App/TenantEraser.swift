import Access
import Airtable
import Chat
package import Database
public import Domain
import Embeddings
import Foundation
import Jobs
import LLM
import Search

extension Services {
    /// Where the rows of a tenant lie: every store's list, those that hang on others first.
    package static let tenantRows: [TenantRows] =
        ChatStore.tenantRows + RunTrafficStore.tenantRows + TokenLedger.tenantRows + JobQueue.tenantRows
        + KeptReplies.tenantRows
        + SearchStore.tenantRows + EmbeddingCache.tenantRows + WebhookService.tenantRows
        + AttachmentService.tenantRows + AirtableService.tenantRows + AccessStore.tenantRows
}

/// Deletes what is left of tenants that are to be erased: rows in short transactions, then files.
///
/// That a tenant is being erased is written before anything is deleted, and its own row goes last, in a transaction that
/// finds nothing else of it. So a crash anywhere leaves a tenant that the next round goes on with, and what a request
/// that was under way wrote meanwhile is found by a later one.
public struct TenantEraser: Sendable {
    private let services: Services
    private let grace: Duration
    private let closeIndexes: @Sendable (TenantID) throws -> Void

    /// - Parameters:
    ///   - grace: how long its row is kept at least, so that every process meets it and removes its own files, and no
    ///     request that began before is still at work.
    ///   - closeIndexes: closes what this process has open of a tenant's vector indexes.
    public init(
        _ services: Services,
        grace: Duration = .seconds(Limits.eraseGraceSeconds),
        closeIndexes: @escaping @Sendable (TenantID) throws -> Void = { _ in }
    ) {
        self.services = services
        self.grace = grace
        self.closeIndexes = closeIndexes
    }

    /// Goes on with all of them.
    ///
    /// - Returns: those of which nothing is left.
    @discardableResult
    public func round(now: Instant = .now()) async throws -> [TenantID] {
        var finished: [TenantID] = []
        for record in try await services.access.erasingTenants() {
            try await eraseRows(of: record.id)
            try removeFiles(of: record.id)
            let age = now.microseconds - (record.stateTime?.microseconds ?? 0)
            guard age >= grace.components.seconds * 1_000_000 else { continue }
            let isFinished = try await services.access.erasures.finishErasure(
                of: record.id,
                rows: Services.tenantRows,
                at: now
            )
            if isFinished { finished.append(record.id) }
        }
        return finished
    }

    private func eraseRows(of tenant: TenantID) async throws {
        for rows in Services.tenantRows {
            var deleted: Int?
            repeat {
                try Task.checkCancellation()
                deleted = try await services.access.erasures.erase(rows, limit: Limits.eraseRows, tenant: tenant)
            } while deleted == Limits.eraseRows
        }
    }

    /// Attachments and vector indexes lie in directories of the tenant's name, which has the form of an identifier.
    private func removeFiles(of tenant: TenantID) throws {
        try closeIndexes(tenant)
        let data = services.configuration.dataDirectory
        for path in ["\(data)/attachments/\(tenant)", services.configuration.indexDirectory + "/\(tenant)"]
        where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
