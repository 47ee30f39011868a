import Access
import Database
package import Domain
public import Logging
import Outbound

/// Tells the receivers of webhooks that there is something to read, over and over until they have heard it.
///
/// A notification holds no data: base, webhook and time, signed in `X-Airtable-Content-MAC`. One that is not answered
/// by a status of the 200s is tried again after 10 s, 20 s and so on up to two hours; after `Limits.webhookAttempts`
/// the webhook's notifications are turned off, and only somebody can turn them on. What happens while a notification
/// waits is told by the same one. Several processes may run one each: a notice is taken by one at a time.
public struct WebhookNotifier: Sendable {
    private let service: WebhookService
    private let logger: Logger
    /// How long a change of another process may go unnoticed.
    private let pollInterval: Duration

    /// Changes that come together are told together.
    private static let gathering = Duration.milliseconds(20)
    private static let delayBaseSeconds: Int64 = 10
    private static let delayMaxSeconds: Int64 = 7_200
    /// Longer than a notification may take, with its two transactions.
    private static let leaseSeconds: Int64 = 120

    public init(_ service: WebhookService, logger: Logger, pollInterval: Duration = .seconds(1)) {
        self.service = service
        self.logger = logger
        self.pollInterval = pollInterval
    }

    /// Ends only by cancellation; what fails is logged and tried again.
    public func run() async throws {
        while true {
            let generation = service.airtable.signal.generation
            var rest = pollInterval
            do {
                let tenants = try await tenants()
                // With nobody to tell, no commit is a reason to wake up.
                if tenants.isEmpty {
                    try await Task.sleep(for: pollInterval)
                    continue
                }
                if let due = try await once(tenants) {
                    rest = min(rest, .microseconds(max(0, due.microseconds - service.now().microseconds)))
                }
            } catch let error where !(error is CancellationError) {
                logger.warning("webhooks failed", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.gathering)
            await service.airtable.signal.wait(beyond: generation, atMost: rest)
            try Task.checkCancellation()
        }
    }

    /// Makes the payloads there are to make, and sends every notification that is due.
    ///
    /// - Returns: when the next one is due; nil when none waits.
    package func once() async throws -> Instant? { try await once(try await tenants()) }

    /// Who has webhooks.
    private func tenants() async throws -> [TenantID] {
        try await service.database.read(of: .everyTenant) { [store = service.store] in try store.tenants(in: $0) }
    }

    private func once(_ tenants: [TenantID]) async throws -> Instant? {
        var next: Instant?
        for tenant in tenants {
            try await service.deriveAll(tenant: tenant)
            while true {
                let notices = try await take(tenant)
                if notices.isEmpty { break }
                await withTaskGroup { group in
                    for notice in notices { group.addTask { await send(notice, tenant) } }
                }
                try Task.checkCancellation()
            }
            let now = service.now()
            let due = try await service.database.read(of: .tenant(tenant)) { [store = service.store] in
                try store.nextDue(now: now, tenant: tenant, in: $0)
            }
            if let due { next = min(next ?? due, due) }
        }
        return next
    }

    private func take(_ tenant: TenantID) async throws -> [WebhookStore.Notice] {
        let now = service.now()
        let lease = Instant(microseconds: now.microseconds + Self.leaseSeconds * 1_000_000)
        return try await service.database.write(of: .tenant(tenant)) { [store = service.store] transaction in
            try store.lock(tenant: tenant, in: transaction)
            return try store.takeDue(
                Limits.webhookPingsAtOnce,
                now: now,
                lease: lease,
                tenant: tenant,
                in: transaction
            )
        }
    }

    /// Sends one notification and notes how it went. Cancelled, it notes nothing: the lease runs out.
    private func send(_ notice: WebhookStore.Notice, _ tenant: TenantID) async {
        let began = (service.now(), ContinuousClock.now)
        do {
            let error = try await failure(notice, tenant, time: began.0)
            let took = began.1.duration(to: .now).microseconds / 1_000
            let isLast = notice.attempts + 1 >= Limits.webhookAttempts
            let result = NotificationResult(
                success: error == nil,
                completed: service.now(),
                durationMilliseconds: Int(took),
                retry: notice.attempts,
                willBeRetried: error == nil ? nil : !isLast,
                error: error
            )
            let retry = Instant(microseconds: result.completed.microseconds + Self.delay(after: notice.attempts + 1))
            try await service.database.write(of: .tenant(tenant)) { [store = service.store] transaction in
                try store.lock(tenant: tenant, in: transaction)
                try store.settle(
                    notice,
                    result,
                    retry: error == nil || isLast ? nil : retry,
                    tenant: tenant,
                    in: transaction
                )
            }
            if error != nil, isLast {
                logger.notice("notifications of a webhook stopped", metadata: ["webhook": "\(notice.webhook)"])
            }
        } catch {
            logger.debug("a notification was not settled", metadata: ["error": "\(error)"])
        }
    }

    /// Microseconds to wait after the attempt of this number, from 1, has failed.
    static func delay(after attempt: Int) -> Int64 {
        min(delayMaxSeconds, delayBaseSeconds << Int64(min(attempt - 1, 20))) * 1_000_000
    }

    /// What went wrong; nil when the receiver has taken it.
    ///
    /// - Throws: `CancellationError`, and when the secret cannot be read, which no receiver can mend.
    private func failure(_ notice: WebhookStore.Notice, _ tenant: TenantID, time: Instant) async throws -> String? {
        let key = try await service.secret(notice, tenant: tenant)
        let content: JSONValue = [
            "base": ["id": .string(notice.base.description)],
            "webhook": ["id": .string(notice.webhook.description)],
            "timestamp": .string(CellCodec.timestamp(time)),
        ]
        let body = content.encoded()
        let mac = key.signature(of: body).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let request = OutboundRequest(
            .post,
            notice.url,
            headers: [
                ("content-type", "application/json"), ("x-airtable-content-mac", "hmac-sha256=\(mac)"),
            ],
            body: body,
            deadlines: OutboundDeadlines(
                firstByte: Limits.webhookPingTime,
                stall: .seconds(5),
                total: Limits.webhookPingTime
            ),
            replyBytesMax: Limits.outboundErrorBytes
        )
        do {
            let reply = try await service.transport.send(request)
            // Read, so that the connection may be used again; what it says is nobody's business.
            _ = try await reply.body.beginning(bytesMax: 1_024)
            return (200..<300).contains(reply.status) ? nil : "The receiver answered \(reply.status)."
        } catch let error as OutboundError {
            return error.message
        }
    }
}
