import Access
import Airtable
import Domain
import Jobs
import Logging

/// What a server does now and then: removes what interrupted imports left, and trims the change log.
struct Housekeeping {
    static let interval = Duration.seconds(60)
    /// How long a job that is over can be asked for.
    static let jobsKept = Duration.seconds(30 * 86_400)

    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Ends only by cancellation; what fails is logged and tried again.
    func run() async throws {
        while true {
            do { try await once() } catch let error where !(error is CancellationError) {
                services.logger.warning("housekeeping failed", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func once() async throws {
        let context = try await services.ownerContext(.system, timeout: Self.interval)
        try await Importer(service: services.airtable, context: context).clearInterrupted()
        let configuration = services.configuration
        let retention = ChangeRetention(
            age: .seconds(configuration.changeLogDays * 86_400),
            bytes: configuration.changeLogBytes
        )
        try await JobQueue(database: services.database)
            .removeFinished(olderThan: Self.jobsKept, tenant: services.first.tenant)
        _ = try await services.airtable.changes.trim(to: retention, now: .now(), tenant: services.first.tenant)
    }
}
