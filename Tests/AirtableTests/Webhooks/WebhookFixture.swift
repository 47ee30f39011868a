import Access
import Airtable
import Database
import Domain
import Logging
import Outbound
import TestSupport

/// A store with webhooks, which may call this machine.
struct WebhookFixture: Sendable {
    let store: StoreFixture
    let service: WebhookService
    let notifier: WebhookNotifier

    var context: RequestContext { store.context }

    static let everything: JSONValue = [
        "options": ["filters": ["dataTypes": ["tableData", "tableFields", "tableMetadata"]]]
    ]

    func create(
        _ base: BaseID,
        filters: JSONValue = ["dataTypes": ["tableData"]],
        includes: JSONValue = .null,
        url: String? = nil
    ) async throws -> CreatedWebhook {
        try await service.create(
            WebhookSpecification(["options": ["filters": filters, "includes": includes]]),
            notificationURL: url,
            in: base,
            context: context
        )
    }

    /// Every payload there is, read a page at a time.
    func payloads(_ webhook: Webhook) async throws -> [JSONValue] {
        var (all, cursor): ([JSONValue], Int64) = ([], 1)
        while true {
            let page = try await service.payloads(of: webhook.id, in: webhook.base, cursor: cursor, context: context)
            all += page.payloads
            cursor = page.cursor
            if !page.mightHaveMore { return all }
        }
    }

    func webhook(_ webhook: Webhook) async throws -> Webhook? {
        try await service.webhooks(in: webhook.base, context: context).first { $0.id == webhook.id }
    }
}

let webhookMigrations = storeMigrations + [CredentialStore.migration] + WebhookService.migrations

func withWebhooks(
    _ kind: DatabaseKind,
    _ body: @escaping @Sendable (WebhookFixture) async throws -> Void
) async throws {
    var ids: Set<String> = []
    let migrations = webhookMigrations.filter { ids.insert($0.id).inserted }
    try await withDatabase(kind, migrations: migrations) { database in
        let store = try await storeFixture(database)
        let calls = ForeignCalls(allowing: [AllowedHost("127.0.0.1/32")!])
        let service = WebhookService(
            airtable: store.service,
            vault: {
                CredentialVault(database: database, master: try MasterKey(text: attachmentKey, source: "the test"))
            },
            transport: calls.transport
        )
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        try await body(
            WebhookFixture(store: store, service: service, notifier: WebhookNotifier(service, logger: logger))
        )
        await calls.shutdown()
    }
}
