import Access
import Airtable
import Chat
import Database
import Embeddings
import Jobs
import LLM
import Search

extension Services {
    /// Every store's migrations, in dependency order.
    static let migrations: [Migration] =
        AccessStore.migrations + AirtableService.migrations + AttachmentService.migrations
        + WebhookService.migrations + EmbeddingCache.migrations + SearchStore.migrations
        + JobQueue.migrations + KeptReplies.migrations + TokenLedger.migrations + RunTrafficStore.migrations
        + ChatStore.migrations

    /// What of tenants' rows PostgreSQL doesn't keep apart by itself; nil when it keeps them all, and with SQLite.
    static func rowSecurityGap(_ database: any SQLDatabase) async throws -> (message: String, hint: String)? {
        let tables = try await RowSecurity.gaps(database)
        guard let first = tables.first else { return nil }
        return (
            "PostgreSQL does not keep tenants' rows apart in \(tables.count) tables, such as \(first)",
            "give the URL of a user who owns the tables, is no superuser and has not BYPASSRLS (docs/operations.md)"
        )
    }

    /// Brings the database's schema up to this program's.
    ///
    /// - Returns: the ids of the migrations that were pending.
    public static func migrate(_ configuration: AppConfiguration, isDryRun: Bool) async throws -> [String] {
        let database = try await DatabaseOpener.open(url: configuration.databaseURL)
        do {
            let pending = try await Migrator.pending(database, migrations)
            if !isDryRun { try await Migrator.migrate(database, migrations) }
            await database.close()
            return pending
        } catch {
            await database.close()
            throw error
        }
    }
}
