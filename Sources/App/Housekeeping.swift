import Access
import Airtable
import Chat
import Domain
import Jobs
import Logging
import Search

/// What a server does now and then: removes what interrupted imports left, trims the change log, and clears away files
/// that no cell names, payloads that nobody fetched, sessions that are over, and what is known of failed sign-ins.
struct Housekeeping {
    static let interval = Duration.seconds(60)
    /// Looking for files that no cell names reads every cell of attachments: once in so many rounds.
    static let roundsBetweenSweeps = 60
    /// How long a job that is over can be asked for.
    static let jobsKept = Duration.seconds(30 * 86_400)

    private let services: Services

    private let eraser: TenantEraser
    private let chat: any ChatServing

    init(_ services: Services, models: SearchModels, chat: any ChatServing) {
        self.services = services
        self.chat = chat
        eraser = TenantEraser(services) { try models.removeIndexes(of: $0) }
    }

    /// Ends only by cancellation; what fails is logged and tried again.
    func run() async throws {
        for round in 1... {
            do {
                try await once()
                for tenant in try await eraser.round() {
                    services.logger.notice("a tenant is erased", metadata: ["erased": "\(tenant)"])
                }
                let tenants = try await services.access.activeTenants()
                for tenant in tenants { try await trim(tenant) }
                if round % Self.roundsBetweenSweeps == 0 {
                    for tenant in tenants { try await sweep(tenant) }
                }
            } catch let error where !(error is CancellationError) {
                services.logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Undoing may bring a cell back for as long as the change log knows of it.
    private func sweep(_ tenant: TenantID) async throws {
        let grace = Duration.seconds((services.configuration.changeLogDays + 1) * 86_400)
        let swept = try await services.airtable.sweepAttachments(
            of: services.attachments,
            grace: grace,
            tenant: tenant
        )
        if swept.deleted > 0 || swept.filesRemoved > 0 {
            services.logger.info(
                "attachments removed",
                metadata: ["attachments": "\(swept.deleted)", "files": "\(swept.filesRemoved)"]
            )
        }
        try await services.webhooks.sweep(tenant: tenant)
        try await forgetFormerUsers(of: tenant)
    }

    /// Deleting a user removes their conversations, unless the server stopped in between.
    private func forgetFormerUsers(of tenant: TenantID) async throws {
        let context = try await services.access.systemContext(
            tenant: tenant,
            timeout: Self.interval,
            logger: services.logger
        )
        for user in try await services.access.formerUsers(tenant: tenant) {
            try await chat.forget(user, context: context)
        }
    }

    private func once() async throws {
        _ = try await services.access.sweepSessions(deadline: .now + Self.interval)
        _ = try await services.accounts.sweep(deadline: .now + Self.interval)
        let context = try await services.ownerContext(.system, timeout: Self.interval)
        try await Importer(service: services.airtable, context: context).clearInterrupted()
    }

    private func trim(_ tenant: TenantID) async throws {
        let configuration = services.configuration
        let retention = ChangeRetention(
            age: .seconds(configuration.changeLogDays * 86_400),
            bytes: configuration.changeLogBytes
        )
        try await JobQueue(database: services.database)
            .removeFinished(olderThan: Self.jobsKept, tenant: tenant)
        _ = try await services.access.sweepNonces(tenant: tenant, deadline: .now + Self.interval)
        try await KeptReplies(database: services.database).sweep(
            before: Instant(microseconds: Instant.now().microseconds - 86_400_000_000),
            limit: Limits.keptReplies,
            tenant: tenant
        )
        _ = try await services.airtable.changes.trim(to: retention, now: .now(), tenant: tenant)
    }
}
