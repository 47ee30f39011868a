import Airtable
import Domain
import Logging

/// Keeps cells that change with time, such as those of formulas with TODAY(), as old as a minute at most.
struct ComputedRefresher {
    static let interval = Duration.seconds(60)
    /// How much of its time it may take: a round of three seconds is followed by a minute of rest, a longer one by a
    /// longer one, so that writers hardly notice.
    static let restFactor = 20
    /// A round that takes longer stops where it is.
    static let roundTime = Duration.seconds(600)

    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Ends only by cancellation; what fails is logged and tried again.
    func run() async throws {
        while true {
            let start = ContinuousClock.now
            do {
                let context = try await services.ownerContext(.system, timeout: Self.roundTime)
                _ = try await services.airtable.refreshComputed(context: context)
            } catch let error where !(error is CancellationError) {
                services.logger.warning("refreshing computed cells failed", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: max(Self.interval, (ContinuousClock.now - start) * Self.restFactor))
        }
    }
}
