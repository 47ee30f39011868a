import Access
import Airtable
import Domain
import Logging

/// The bases of a token, for a data directory that nobody set up: made known at once, and mirrored beside.
///
/// What is known from an earlier start is there at once; the first start waits until the service has listed the bases and their
/// schemas. Records are asked for at the service until the mirror has them all.
public actor HostedBases {
    /// How often bases that have come at the service are looked for.
    private static let look = Duration.seconds(600)
    /// After a failure.
    private static let pause = Duration.seconds(15)
    private static let patience = Duration.seconds(60)
    /// How often, and after what time, bases are looked for that do not show yet. A token may have none.
    private static let looksMax = 5
    private static let lookAgain = Duration.milliseconds(200)

    private let services: Services
    private var isKnown: Bool
    /// Shared by all who wait for it.
    private var attempt: Task<Void, any Error>?

    public init(_ services: Services) async throws {
        self.services = services
        let context = try await services.ownerContext(.system, timeout: Self.patience)
        isKnown = try await !services.airtable.hostedBases(context: context).isEmpty
    }

    /// Returns when bases are known.
    ///
    /// - Throws: what the service says, such as of a token that is none.
    public func ready() async throws {
        guard !isKnown else { return }
        try await attach()
    }

    /// Looks for new bases, and keeps all in step, until it is cancelled.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [services] in try await services.mirrorKeeper.run() }
            group.addTask {
                while true {
                    var pause = Self.look
                    do { try await self.attach() } catch let error where !(error is CancellationError) {
                        pause = Self.pause
                        await self.warn(error)
                    }
                    try await Task.sleep(for: pause)
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func warn(_ error: any Error) {
        services.logger.warning("the bases of the token could not be listed", metadata: ["error": "\(error)"])
    }

    private func attach() async throws {
        let task =
            attempt
            ?? Task { [services] in
                for look in 1...Self.looksMax {
                    let context = try await services.ownerContext(.system, timeout: Self.patience)
                    let found = try await services.airtable.attachAll(home: .mirrored, context: context)
                    for (base, problem) in found.problems {
                        services.logger.warning(
                            "a base was left out",
                            metadata: ["base": "\(base)", "error": "\(problem)"]
                        )
                    }
                    // Whoever is told that bases are known must see them. At a first start they now and then did not show at
                    // once, for a reason that is not found.
                    if try await !services.airtable.bases(context: context).isEmpty { return }
                    if look < Self.looksMax { try await Task.sleep(for: Self.lookAgain) }
                }
            }
        attempt = task
        defer { attempt = nil }
        try await task.value
        isKnown = true
    }
}
