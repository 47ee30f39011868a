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
