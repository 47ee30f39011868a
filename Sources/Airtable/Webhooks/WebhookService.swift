public import Access
public import Database
public import Domain
public import Outbound

/// Webhooks of bases: who wants to know of changes, what they are told, and that they are told.
///
/// Payloads are made from the change log, by a checkpoint that moves in the same transaction that stores them: each
/// change is told once, whatever is interrupted. They are made by the service's loop (`WebhookNotifier`), and by
/// whoever reads payloads before it got there: a reader sees everything that was committed before the call.
public final class WebhookService: Sendable {
    public static let migrations: [Migration] = [WebhookStore.migration]

    let airtable: AirtableService
    let database: any SQLDatabase
    let store = WebhookStore()
    let now: InstantSource
    /// Bears notifications; guards the addresses that users give, see `ForeignCalls`.
    let transport: any HTTPTransport
    private let vault: @Sendable () throws -> CredentialVault

    /// - Parameter vault: asked when a secret is first needed; the master key may not exist before.
    public init(
        airtable: AirtableService,
        vault: @escaping @Sendable () throws -> CredentialVault,
        transport: any HTTPTransport
    ) {
        self.airtable = airtable
        self.database = airtable.database
        self.now = airtable.now
        self.vault = vault
        self.transport = transport
    }

    // MARK: Webhooks

    /// Makes a webhook that begins with what happens next. It expires after seven days, unless refreshed or read.
    ///
    /// - Parameter notificationURL: told of new payloads; nil for one that is only read.
    /// - Throws: `.invalidRequest`, also beyond `Limits.webhooksPerBase`.
    public func create(
        _ specification: WebhookSpecification,
        notificationURL: String?,
        in base: BaseID,
        context: RequestContext
    ) async throws -> CreatedWebhook {
        try context.require(.webhooksManage)
        try Self.check(notificationURL)
        let scope = try await airtable.access.visibleScope(for: context, doing: .webhooksManage)
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
        let id = WebhookID.random()
        let sealed = try await vault().seal(
            Secret(bytes: secret),
            for: Self.label(id),
            tenant: context.tenant,
            deadline: context.deadline
        )
        let created = now()
        let webhook = try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [airtable, store] transaction in
            // The tenant's writers wait: what the log says now is where the webhook begins.
            _ = try airtable.schemas.lock(tenant: context.tenant, in: transaction)
            try store.lock(tenant: context.tenant, in: transaction)
            let schema = try airtable.cache.schema(context.tenant, in: transaction, keeps: false)
            let scope = schema.widening(scope)
            _ = try schema.base(base, changing: scope, .webhooksManage)
            try Self.check(specification, against: schema, base, scope)
            if let view = specification.view {
                try self.check(view, against: schema, base, scope, in: transaction)
            }
            let others = try store.webhooks(base: nil, tenant: context.tenant, in: transaction)
            guard others.count(where: { $0.base == base }) < Limits.webhooksPerBase else {
                throw AirtableError(
                    .invalidRequest,
                    "A base has at most \(Limits.webhooksPerBase) webhooks.",
                    hint: "delete one that is no longer read"
                )
            }
            let latest = try airtable.log.extent(tenant: context.tenant, in: transaction).latest
            if others.isEmpty {
                try airtable.log.setCheckpoint(
                    latest,
                    of: WebhookStore.consumer,
                    time: created,
                    tenant: context.tenant,
                    in: transaction
                )
            }
            let webhook = Webhook(
                id: id,
                base: base,
                notificationURL: notificationURL,
                specification: specification,
                expires: Self.expiry(created),
                areNotificationsEnabled: true,
                nextPayload: 1,
                lastSuccess: nil,
                lastResult: nil,
                starts: latest
            )
            try store.insert(webhook, secret: sealed, created: created, tenant: context.tenant, in: transaction)
            return webhook
        }
        return CreatedWebhook(webhook: webhook, macSecretBase64: Base64.text(secret))
    }

    /// A base's webhooks, oldest first.
    public func webhooks(in base: BaseID, context: RequestContext) async throws -> [Webhook] {
        try context.require(.webhooksManage)
        let scope = try await airtable.access.visibleScope(for: context, doing: .webhooksManage)
        try await deriveAll(tenant: context.tenant)
        return try await airtable.read(context) { [store] transaction, schema in
            _ = try schema.base(base, changing: scope, .webhooksManage)
            let narrow = schema.widening(scope)
            return try store.webhooks(base: base, tenant: context.tenant, in: transaction).filter { webhook in
                // One that names what they do not see tells that it is there.
                (try? Self.check(webhook.specification, against: schema, base, narrow)) != nil
                    && webhook.specification.view.map { narrow.allows(view: $0) } ?? true
            }
        }
    }

    /// Whether its changes are noted: false once it has expired.
    public func isEnabled(_ webhook: Webhook) -> Bool { webhook.isEnabled(at: now()) }

    /// - Throws: `.notFound`.
    public func delete(_ id: WebhookID, in base: BaseID, context: RequestContext) async throws {
        try await change(id, in: base, context: context) { store, transaction in
            try store.delete(id, tenant: context.tenant, in: transaction)
        }
    }

    /// Turns notifications on or off; payloads are made either way.
    public func setNotifications(
        _ isEnabled: Bool,
        of id: WebhookID,
        in base: BaseID,
        context: RequestContext
    ) async throws {
        try await change(id, in: base, context: context) { store, transaction in
            try store.setNotifies(isEnabled, of: id, tenant: context.tenant, in: transaction)
        }
    }

    /// Gives a webhook another seven days.
    ///
    /// - Returns: when it expires now.
    public func refresh(_ id: WebhookID, in base: BaseID, context: RequestContext) async throws -> Instant {
        let expires = Self.expiry(now())
        try await change(id, in: base, context: context) { store, transaction in
            try store.setExpiry(expires, of: id, tenant: context.tenant, in: transaction)
        }
        return expires
    }

    private func change(
        _ id: WebhookID,
        in base: BaseID,
        context: RequestContext,
        _ body: @escaping @Sendable (WebhookStore, any Transaction) throws -> Void
    ) async throws {
        try context.require(.webhooksManage)
        let scope = try await airtable.access.visibleScope(for: context, doing: .webhooksManage)
        try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [airtable, store] transaction in
            try store.lock(tenant: context.tenant, in: transaction)
            _ = try airtable.cache.schema(context.tenant, in: transaction, keeps: false)
                .base(base, changing: scope, .webhooksManage)
            _ = try store.webhook(id, base: base, tenant: context.tenant, in: transaction)
            try body(store, transaction)
        }
        airtable.signal.notify()
    }

    // MARK: Payloads

    /// What happened, oldest first: everything committed before the call is there. Reading gives the webhook another
    /// seven days.
    ///
    /// - Parameters:
    ///   - cursor: the number of the first payload wanted, from 1; payloads that are no longer kept are passed over.
    ///   - limit: 1 to `Limits.webhookPayloadPage`.
    /// - Throws: `.notFound`, `.invalidRequest`.
    public func payloads(
        of id: WebhookID,
        in base: BaseID,
        cursor: Int64 = 1,
        limit: Int = Limits.webhookPayloadPage,
        context: RequestContext
    ) async throws -> WebhookPayloadPage {
        try context.require(.webhooksManage)
        guard cursor >= 1 else { throw AirtableError(.invalidRequest, "A cursor is at least 1, received \(cursor).") }
        guard (1...Limits.webhookPayloadPage).contains(limit) else {
            throw AirtableError(
                .invalidRequest,
                "A page has 1 to \(Limits.webhookPayloadPage) payloads, received \(limit)."
            )
        }
        let scope = try await airtable.access.visibleScope(for: context, doing: .webhooksManage)
        try await deriveAll(tenant: context.tenant)
        let expires = Self.expiry(now())
        return try await database.write(of: .tenant(context.tenant), deadline: context.deadline) {
            [airtable, store] transaction in
            try store.lock(tenant: context.tenant, in: transaction)
            let schema = try airtable.cache.schema(context.tenant, in: transaction, keeps: false)
            _ = try schema.base(base, changing: scope, .webhooksManage)
            let visibility = WebhookVisibility(scope: scope, schema: schema, base: base)
            let webhook = try store.webhook(id, base: base, tenant: context.tenant, in: transaction)
            let found = try store.payloads(
                of: id,
                from: cursor,
                limit: limit,
                bytesMax: Limits.webhookPageBytes,
                tenant: context.tenant,
                in: transaction
            )
            try store.setExpiry(expires, of: id, tenant: context.tenant, in: transaction)
            let next = found.last.map { $0.number + 1 } ?? webhook.nextPayload
            return WebhookPayloadPage(
                payloads: try found.compactMap { payload in
                    let json = try JSONValue(parsing: payload.body, limits: .trusted)
                    return visibility.visible(json)
                },
                cursor: next,
                mightHaveMore: next < webhook.nextPayload
            )
        }
    }

    // MARK: Shared

    func secret(_ notice: WebhookStore.Notice, tenant: TenantID) async throws -> SigningKey {
        SigningKey(try await vault().open(notice.secret, for: Self.label(notice.webhook), tenant: tenant))
    }

    private static func label(_ id: WebhookID) -> String { "webhook/\(id)" }

    private static func expiry(_ now: Instant) -> Instant {
        Instant(microseconds: now.microseconds + Limits.webhookSeconds * 1_000_000)
    }

    private static func check(_ url: String?) throws {
        guard let url else { return }
        guard url.utf8.count <= Limits.webhookURLCharacters, (try? OutboundAddress(url)) != nil else {
            throw AirtableError(
                .invalidRequest,
                "Invalid webhook: notificationUrl: expected an address of at most \(Limits.webhookURLCharacters) letters.",
                hint: "https://HOST[:PORT]/… without credentials or fragment"
            )
        }
    }

    /// A view that it names must be there for the caller.
    private func check(
        _ view: ViewID,
        against schema: TenantSchema,
        _ base: BaseID,
        _ scope: VisibleScope,
        in transaction: any Transaction
    ) throws {
        for model in schema.tables(in: base) where scope.allows(table: model.table.id, in: base) {
            let views = try VisibleViews(
                of: model,
                scope: scope,
                filters: airtable.filters,
                tenant: schema.tenant,
                in: transaction
            )
            if views.views.contains(where: { $0.id == view }) { return }
        }
        throw AirtableError(.invalidRequest, "Invalid webhook: recordChangeScope: there is no view \(view) here.")
    }

    /// Tables and fields that it names must be there for the caller, or a webhook would tell whether they exist.
    private static func check(
        _ specification: WebhookSpecification,
        against schema: TenantSchema,
        _ base: BaseID,
        _ scope: VisibleScope
    ) throws {
        // Of tables with rules nothing is told, see `WebhookVisibility`.
        let tables = schema.tables(in: base).filter { model in
            scope.allows(table: model.table.id, in: base) && scope.rule(table: model.table.id) == nil
        }
        if let table = specification.table, !tables.contains(where: { $0.table.id == table }) {
            throw AirtableError(.invalidRequest, "Invalid webhook: recordChangeScope: there is no table \(table) here.")
        }
        let fields = Set(tables.flatMap { scope.visible($0.table).fields.map(\.id) })
        if let field = specification.fieldsNamed.first(where: { !fields.contains($0) }) {
            throw AirtableError(.invalidRequest, "Invalid webhook: there is no field \(field) here.")
        }
    }
}
