import Database
import Domain

/// The view that a webhook is about: which records are in it.
///
/// Judged by the cells as they were before and after a change, and by today's filter, schema and names of linked records.
struct WebhookView: Sendable {
    let id: ViewID
    let table: TableID
    /// Nil lets every record in.
    private let predicate: (any RecordPredicate)?
    private let links: LinkTexts

    init(id: ViewID, table: TableID, predicate: (any RecordPredicate)? = nil, links: LinkTexts = LinkTexts()) {
        self.id = id
        self.table = table
        self.predicate = predicate
        self.links = links
    }

    func has(_ record: Record) -> Bool { predicate?.holds(for: record, links: links) ?? true }

    /// The views among `ids` that are still there and whose filter still holds good; of others nobody is told.
    static func load(
        _ ids: Set<ViewID>,
        schema: TenantSchema,
        filters: any FilterCompiler,
        links: [RecordID: String],
        now: Instant,
        in transaction: any Transaction
    ) throws -> [ViewID: WebhookView] {
        if ids.isEmpty { return [:] }
        let models = schema.bases.flatMap { schema.tables(in: $0.id) }
        let stored = try ViewStore().views(of: models, tenant: schema.tenant, in: transaction)
        var views: [ViewID: WebhookView] = [:]
        for model in models {
            for view in stored[model.table.id] ?? [] where ids.contains(view.id) {
                var predicate: (any RecordPredicate)?
                if let filter = view.filter, !filter.isEmpty {
                    do {
                        predicate = try filters.predicate(
                            filter,
                            table: model.table,
                            environment: FilterEnvironment(now: now)
                        )
                    } catch { continue }
                }
                views[view.id] = WebhookView(
                    id: view.id,
                    table: view.table,
                    predicate: predicate,
                    links: LinkTexts(links)
                )
            }
        }
        return views
    }
}
