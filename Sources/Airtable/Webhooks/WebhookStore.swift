import Access
import Database
import Domain

/// Webhooks and their payloads in SQL. Every method works inside the caller's transaction.
struct WebhookStore: Sendable {
    /// The reader of the change log that payloads are made by.
    static let consumer = "webhooks"

    static let migration = Migration(
        id: "airtable/0011-webhooks",
        [
            // `notified` is the newest payload that the receiver has been told of; `leased` keeps a second process
            // from telling it at the same time.
            """
            CREATE TABLE webhooks (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                base {text} NOT NULL,
                url {text},
                specification {text} NOT NULL,
                data_key {int} NOT NULL,
                secret {bytes} NOT NULL,
                created {int} NOT NULL,
                starts {int} NOT NULL,
                expires {int} NOT NULL,
                notifies {int} NOT NULL,
                next_payload {int} NOT NULL,
                notified {int} NOT NULL,
                attempts {int} NOT NULL,
                due {int} NOT NULL,
                leased {int} NOT NULL,
                last_success {int},
                last_result {text},
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE INDEX webhooks_by_base ON webhooks (tenant, base, created)",
            """
            CREATE TABLE webhook_payloads (
                tenant {text} NOT NULL,
                webhook {text} NOT NULL,
                number {int} NOT NULL,
                time {int} NOT NULL,
                body {text} NOT NULL,
                PRIMARY KEY (tenant, webhook, number)
            ) {strict}
            """,
        ]
    )

    func lock(tenant: TenantID, in transaction: any Transaction) throws { try transaction.lock("webhooks:\(tenant)") }

    // MARK: Webhooks

    func insert(
        _ webhook: Webhook,
        secret: SealedSecret,
        created: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO webhooks (tenant, id, base, url, specification, data_key, secret, created, starts, expires,
                notifies, next_payload, notified, attempts, due, leased)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 1, 0, 0, 0, 0)
            """,
            [
                tenant.sql, webhook.id.sql, webhook.base.sql, SQLValue(webhook.notificationURL),
                .text(webhook.specification.json.text), SQLValue(secret.dataKey), .bytes(secret.bytes),
                SQLValue(created.microseconds), SQLValue(webhook.starts), SQLValue(webhook.expires.microseconds),
            ]
        )
    }

    private static let columns =
        "id, base, url, specification, expires, notifies, next_payload, last_success, last_result, starts"

    /// Oldest first.
    ///
    /// - Parameter base: nil for those of all bases.
    func webhooks(base: BaseID?, tenant: TenantID, in transaction: any Transaction) throws -> [Webhook] {
        try transaction.rows(
            """
            SELECT \(Self.columns) FROM webhooks WHERE tenant = $1 AND ($2 = '' OR base = $2) ORDER BY created, id
            """,
            [tenant.sql, .text(base?.description ?? "")]
        ).map(Self.webhook)
    }

    /// - Throws: `.notFound`, also for one of another base.
    func webhook(
        _ id: WebhookID,
        base: BaseID,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Webhook {
        let row = try transaction.firstRow(
            "SELECT \(Self.columns) FROM webhooks WHERE tenant = $1 AND id = $2 AND base = $3",
            [tenant.sql, id.sql, base.sql]
        )
        guard let row else { throw AirtableError(.notFound, "There is no such webhook, or you may not see it.") }
        return try Self.webhook(row)
    }

    func setExpiry(_ expires: Instant, of id: WebhookID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE webhooks SET expires = $3 WHERE tenant = $1 AND id = $2",
            [tenant.sql, id.sql, SQLValue(expires.microseconds)]
        )
    }

    /// Turns notifications on or off. Turned on, they begin with what happens next, and anew.
    func setNotifies(_ notifies: Bool, of id: WebhookID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE webhooks SET notifies = $3, attempts = 0, due = 0, leased = 0,
                notified = CASE WHEN notifies = 0 THEN next_payload - 1 ELSE notified END
            WHERE tenant = $1 AND id = $2
            """,
            [tenant.sql, id.sql, SQLValue(notifies)]
        )
    }

    func delete(_ id: WebhookID, tenant: TenantID, in transaction: any Transaction) throws {
        for statement in [
            "DELETE FROM webhook_payloads WHERE tenant = $1 AND webhook = $2",
            "DELETE FROM webhooks WHERE tenant = $1 AND id = $2",
        ] { try transaction.execute(statement, [tenant.sql, id.sql]) }
    }

    private static func webhook(_ row: Row) throws -> Webhook {
        let result = try row.optionalText("last_result").map { text in
            try JSONCoder.decode(NotificationResult.self, from: Array(text.utf8))
        }
        return Webhook(
            id: try row.identifier("id"),
            base: try row.identifier("base"),
            notificationURL: try row.optionalText("url"),
            specification: try WebhookSpecification(JSONValue(parsing: try row.text("specification"))),
            expires: Instant(microseconds: try row.integer("expires")),
            areNotificationsEnabled: try row.bool("notifies"),
            nextPayload: try row.integer("next_payload"),
            lastSuccess: try row.optionalInteger("last_success").map { Instant(microseconds: $0) },
            lastResult: result,
            starts: try row.integer("starts")
        )
    }

    // MARK: Payloads

    /// Adds a payload under the next number; nothing when the webhook is gone.
    func append(
        _ body: String,
        to id: WebhookID,
        time: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let row = try transaction.firstRow(
            """
            UPDATE webhooks SET next_payload = next_payload + 1 WHERE tenant = $1 AND id = $2
            RETURNING next_payload - 1
            """,
            [tenant.sql, id.sql]
        )
        guard let row else { return }
        try transaction.execute(
            "INSERT INTO webhook_payloads (tenant, webhook, number, time, body) VALUES ($1, $2, $3, $4, $5)",
            [tenant.sql, id.sql, row[0], SQLValue(time.microseconds), .text(body)]
        )
    }

    /// Up to `limit` payloads from `number` on, and no more than about `bytesMax`, but one at least.
    func payloads(
        of id: WebhookID,
        from number: Int64,
        limit: Int,
        bytesMax: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [(number: Int64, body: String)] {
        // One at a time: how large they are is not known before.
        var found: [(number: Int64, body: String)] = []
        var (bytes, next) = (0, number)
        while found.count < limit, bytes < bytesMax {
            let row = try transaction.firstRow(
                """
                SELECT number, body FROM webhook_payloads WHERE tenant = $1 AND webhook = $2 AND number >= $3
                ORDER BY number LIMIT 1
                """,
                [tenant.sql, id.sql, SQLValue(next)]
            )
            guard let row else { break }
            let (place, body) = (try row.integer(0), try row.text(1))
            bytes += body.utf8.count
            if bytes > bytesMax, !found.isEmpty { break }
            found.append((place, body))
            next = place + 1
        }
        return found
    }

    /// Removes payloads from before `payloads`, and webhooks that expired before `expiry`.
    ///
    /// - Returns: whether there was more to remove than one small transaction takes.
    func sweep(
        payloads: Instant,
        expiry: Instant,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Bool {
        for row in try transaction.rows(
            "SELECT id FROM webhooks WHERE tenant = $1 AND expires < $2",
            [tenant.sql, SQLValue(expiry.microseconds)]
        ) { try delete(row.identifier(0), tenant: tenant, in: transaction) }
        let old = try transaction.rows(
            "SELECT webhook, number FROM webhook_payloads WHERE tenant = $1 AND time < $2 LIMIT $3",
            [tenant.sql, SQLValue(payloads.microseconds), SQLValue(limit)]
        )
        try transaction.execute(
            "DELETE FROM webhook_payloads WHERE tenant = $1 AND webhook = $2 AND number = $3",
            each: old.map { [tenant.sql, $0[0], $0[1]] }
        )
        return old.count == limit
    }

    // MARK: Notifications

    /// The tenants that have webhooks. Takes no tenant, for the process that serves all.
    func tenants(in transaction: any Transaction) throws -> [TenantID] {
        try transaction.rows("SELECT DISTINCT tenant FROM webhooks ORDER BY tenant").map { try $0.identifier(0) }
    }

    /// Somebody to be told.
    struct Notice: Sendable {
        let webhook: WebhookID
        let base: BaseID
        let url: String
        let secret: SealedSecret
        /// The newest payload there is.
        let payload: Int64
        /// Attempts before this one that failed.
        let attempts: Int
    }

    /// Takes up to `limit` notices that are due, and holds them until `lease` has passed or `settle` is called.
    func takeDue(
        _ limit: Int,
        now: Instant,
        lease: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [Notice] {
        let rows = try transaction.rows(
            """
            SELECT id, base, url, data_key, secret, next_payload - 1, attempts FROM webhooks
            WHERE tenant = $1 AND notifies = 1 AND url IS NOT NULL AND notified < next_payload - 1
                AND due <= $2 AND leased <= $2 AND expires > $2
            ORDER BY due, id LIMIT $3
            """,
            [tenant.sql, SQLValue(now.microseconds), SQLValue(limit)]
        )
        return try rows.map { row in
            try transaction.execute(
                "UPDATE webhooks SET leased = $3 WHERE tenant = $1 AND id = $2",
                [tenant.sql, row[0], SQLValue(lease.microseconds)]
            )
            return Notice(
                webhook: try row.identifier(0),
                base: try row.identifier(1),
                url: try row.text(2),
                secret: SealedSecret(dataKey: try row.integer(3), bytes: try row.bytes(4)),
                payload: try row.integer(5),
                attempts: Int(try row.integer(6))
            )
        }
    }

    /// When the next notice is due; nil when none waits.
    func nextDue(now: Instant, tenant: TenantID, in transaction: any Transaction) throws -> Instant? {
        let row = try transaction.firstRow(
            """
            SELECT MIN(CASE WHEN leased > due THEN leased ELSE due END) FROM webhooks
            WHERE tenant = $1 AND notifies = 1 AND url IS NOT NULL AND notified < next_payload - 1 AND expires > $2
            """,
            [tenant.sql, SQLValue(now.microseconds)]
        )
        return try row?.optionalInteger(0).map { Instant(microseconds: $0) }
    }

    /// Notes how a notice went.
    ///
    /// - Parameter retry: when to try again; nil after success, and when notifications are to stop.
    func settle(
        _ notice: Notice,
        _ result: NotificationResult,
        retry: Instant?,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let text = String(decoding: try JSONCoder.encode(result), as: UTF8.self)
        let common: [SQLValue] = [tenant.sql, notice.webhook.sql, .text(text)]
        if result.success {
            try transaction.execute(
                """
                UPDATE webhooks SET leased = 0, attempts = 0, due = 0, last_result = $3, last_success = $4,
                    notified = CASE WHEN notified < $5 THEN $5 ELSE notified END
                WHERE tenant = $1 AND id = $2
                """,
                common + [SQLValue(result.completed.microseconds), SQLValue(notice.payload)]
            )
        } else {
            // Turned off and on meanwhile, it begins anew: then `leased` is zero.
            try transaction.execute(
                """
                UPDATE webhooks SET last_result = $3, attempts = $4, due = $5, notifies = $6, leased = 0
                WHERE tenant = $1 AND id = $2 AND leased > 0
                """,
                common + [
                    SQLValue(notice.attempts + 1), SQLValue(retry?.microseconds ?? 0), SQLValue(retry != nil),
                ]
            )
        }
    }
}
