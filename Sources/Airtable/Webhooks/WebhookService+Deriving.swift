import Access
import Database
package import Domain

/// Payloads out of the change log.
extension WebhookService {
    /// Makes payloads until everything committed before the call is told.
    func deriveAll(tenant: TenantID) async throws {
        let target = try await airtable.changes.latestSequence(tenant: tenant)
        var names = ActorNames(store: AccessStore(database: database))
        while try await derive(tenant: tenant, upTo: target, &names) { try Task.checkCancellation() }
    }

    /// Makes the payloads of a run of transactions.
    ///
    /// In two steps, so that the tenant's writers do not wait while payloads are written out: all is made from one
    /// snapshot, then stored together with the new checkpoint, unless another process was faster.
    ///
    /// - Returns: whether there may be more; also when somebody else was faster, who may have gone less far.
    private func derive(tenant: TenantID, upTo target: Int64, _ names: inout ActorNames) async throws -> Bool {
        let time = now()
        guard let run = try await nextRun(tenant: tenant, upTo: target, now: time) else { return false }
        for actor in Set(run.groups.flatMap { $0.map(\.actor) }) { try await names.learn(actor, tenant: tenant) }
        let known = names
        // A step of its own, since names are another store's; links are called as they are by then.
        let drafts = try await database.read(of: .tenant(tenant)) { [airtable] transaction in
            let schema = try airtable.cache.schema(tenant, in: transaction)
            return try run.drafts(
                schema: schema,
                names: known,
                filters: airtable.filters,
                now: time,
                tenant: tenant,
                in: transaction
            )
        }
        let isStored = try await database.write(of: .tenant(tenant)) { [airtable, store] transaction in
            try store.lock(tenant: tenant, in: transaction)
            let checkpoint = try airtable.log.checkpoint(of: WebhookStore.consumer, tenant: tenant, in: transaction)
            guard checkpoint == run.start else { return false }
            for (webhook, draft) in drafts {
                try store.append(draft, to: webhook, time: time, tenant: tenant, in: transaction)
            }
            try airtable.log.setCheckpoint(
                run.end,
                of: WebhookStore.consumer,
                time: time,
                tenant: tenant,
                in: transaction
            )
            return true
        }
        return !isStored || run.end < target
    }

    /// Whole transactions after the checkpoint; nil when there is nothing to do.
    private func nextRun(tenant: TenantID, upTo target: Int64, now: Instant) async throws -> WebhookRun? {
        try await database.read(of: .tenant(tenant)) { [airtable, store] transaction in
            let checkpoint = try airtable.log.checkpoint(of: WebhookStore.consumer, tenant: tenant, in: transaction)
            guard let start = checkpoint, start < target else { return nil }
            let webhooks = try store.webhooks(base: nil, tenant: tenant, in: transaction)
                .filter { $0.isEnabled(at: now) }
            let extent = try airtable.log.extent(tenant: tenant, in: transaction)
            // Nobody is there to be told: the log need not be read.
            if webhooks.isEmpty { return WebhookRun(webhooks: [], start: start, end: extent.latest) }
            guard start >= extent.oldest - 1 else {
                return WebhookRun(webhooks: webhooks, start: start, end: extent.latest, gap: (now, extent.latest))
            }
            let schema = try airtable.cache.schema(tenant, in: transaction)
            var changes: [RecordChange] = []
            while true {
                let last = changes.last?.sequence ?? start
                guard last < extent.latest else { break }
                changes += try airtable.log.changes(
                    after: last,
                    limit: Limits.changePageEntries,
                    schema: schema,
                    in: transaction
                )
                // A transaction that the page cuts is left for the next run, unless it is the only one.
                if changes.last?.transaction != changes.first?.transaction { break }
            }
            if let end = changes.last, end.sequence < extent.latest, end.transaction != changes.first?.transaction {
                changes.removeAll { $0.transaction == end.transaction }
            }
            return WebhookRun(
                webhooks: webhooks,
                start: start,
                end: changes.last?.sequence ?? start,
                groups: changes.chunked { $0.transaction == $1.transaction }
            )
        }
    }

    /// Removes what is kept no longer: payloads after seven days, webhooks seven days after they expired.
    package func sweep(tenant: TenantID) async throws {
        let time = now()
        let payloads = Instant(microseconds: time.microseconds - Limits.webhookPayloadSeconds * 1_000_000)
        let expiry = Instant(microseconds: time.microseconds - Limits.webhookSeconds * 1_000_000)
        while try await database.write(
            of: .tenant(tenant),
            { [store] transaction in
                try store.lock(tenant: tenant, in: transaction)
                return try store.sweep(
                    payloads: payloads,
                    expiry: expiry,
                    limit: Limits.sweepRows,
                    tenant: tenant,
                    in: transaction
                )
            }
        ) { try Task.checkCancellation() }
    }
}

/// Some transactions of the log, and who may want to be told.
private struct WebhookRun: Sendable {
    let webhooks: [Webhook]
    /// The checkpoint before and after.
    let start: Int64
    let end: Int64
    /// Set when the log no longer has what lies between.
    var gap: (time: Instant, transaction: Int64)?
    /// The changes of one transaction each.
    var groups: [[RecordChange]] = []

    /// The payloads, in order.
    func drafts(
        schema: TenantSchema,
        names: ActorNames,
        filters: any FilterCompiler,
        now: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [(webhook: WebhookID, body: String)] {
        if let gap {
            let body = WebhookPayload.gap(time: gap.time, transaction: gap.transaction).text
            return webhooks.map { ($0.id, body) }
        }
        let linked = try linkedNames(schema, tenant, in: transaction)
        let views = try WebhookView.load(
            Set(webhooks.compactMap(\.specification.view)),
            schema: schema,
            filters: filters,
            links: linked,
            now: now,
            in: transaction
        )
        var drafts: [(webhook: WebhookID, body: String)] = []
        for group in groups {
            guard let first = group.first else { continue }
            for webhook in webhooks where webhook.starts < first.sequence {
                let changes = group.filter { $0.base == webhook.base }
                let payload = WebhookPayload(
                    specification: webhook.specification,
                    schema: schema,
                    view: webhook.specification.view.flatMap { views[$0] }
                ) { linked[$0] }
                guard let json = payload.json(of: changes, actor: names.actor(first.actor)) else { continue }
                drafts.append((webhook.id, json.text))
            }
        }
        return drafts
    }

    /// The primary values of all records that these changes link to.
    private func linkedNames(
        _ schema: TenantSchema,
        _ tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [RecordID: String] {
        var wanted: [TableID: Set<RecordID>] = [:]
        for change in groups.joined() {
            guard let model = schema.table(change.table) else { continue }
            for record in change.records {
                for field in model.linkFields {
                    guard let table = field.options.linkedTable, case .links(let ids) = record.cells[field.id] else {
                        continue
                    }
                    wanted[table, default: []].formUnion(ids)
                }
            }
        }
        var names: [RecordID: String] = [:]
        for (table, ids) in wanted {
            guard let model = schema.table(table), let primary = model.field(id: model.table.primaryField) else {
                continue
            }
            for row in try RecordStore().rows(ids, of: model, tenant: tenant, in: transaction) {
                guard let value = try row.record(model).cells[primary.id] else { continue }
                names[row.id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
            }
        }
        return names
    }
}

/// What users are called; each is looked up once.
private struct ActorNames: Sendable {
    let store: AccessStore
    /// Nil for who is gone.
    private var users: [UserID: User?] = [:]

    init(store: AccessStore) { self.store = store }

    mutating func learn(_ user: UserID, tenant: TenantID) async throws {
        if users[user] == nil { users[user] = .some(try await store.user(user, tenant: tenant)) }
    }

    func actor(_ id: UserID) -> WebhookActor {
        let user = users[id] ?? nil
        return WebhookActor(id: id, name: user?.name, email: user?.email)
    }
}

extension RecordChange {
    /// The record before and after, as far as there is one.
    fileprivate var records: [Record] {
        switch event {
        case .created(let record), .deleted(let record): [record]
        case .updated(let before, let after): [before, after]
        case .schemaChanged, .imported, .tableDeleted: []
        }
    }
}

extension Array {
    /// Runs of neighbours that belong together.
    fileprivate func chunked(_ belong: (Element, Element) -> Bool) -> [[Element]] {
        var runs: [[Element]] = []
        for element in self {
            if let last = runs.last?.last, belong(last, element) {
                runs[runs.count - 1].append(element)
            } else {
                runs.append([element])
            }
        }
        return runs
    }
}
