import Domain
public import Logging
public import Outbound
import Synchronization

/// A model whose provider can be asked what it takes.
public protocol LimitsLearning: LanguageModel {
    /// Asks the provider for the model's own limits; until it has said them, careful ones are assumed. Once they are
    /// known this does nothing.
    ///
    /// - Throws: `ModelError`; `CancellationError`.
    func learnLimits() async throws
}

/// Learns the limits of a catalogue's models in the background: those of the model that answers by default after the
/// start, those of any other as soon as somebody has named it.
///
/// Nobody waits for it and nothing fails with it: a provider that can't be reached is asked again, ever more rarely; one
/// that knows no such model, or refuses the key, is not. Only a long-running process has one.
public struct LimitsLearner: Sendable {
    private let catalog: ModelCatalog
    private let policy: RetryPolicy
    private let clock: OutboundClock
    private let random: @Sendable () -> Double
    private let logger: Logger

    /// As long as the process lives, but for ever more rarely: a machine whose network comes back is told within
    /// minutes.
    public static let standardPolicy = RetryPolicy(
        attemptsMax: .max,
        delayBase: .seconds(2),
        delayMax: .seconds(600),
        hintMax: .seconds(86_400)
    )

    /// - Parameter random: in `0..<1`.
    public init(
        catalog: ModelCatalog,
        policy: RetryPolicy = LimitsLearner.standardPolicy,
        clock: OutboundClock = .continuous,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        logger: Logger
    ) {
        self.catalog = catalog
        self.policy = policy
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Ends only by cancellation. One at a time for each catalogue.
    public func run() async throws {
        // Makes the models of the chain that answers when nobody names one, where there is any.
        _ = try? catalog.models(for: nil)
        let places = LearningPlaces()
        try await withThrowingDiscardingTaskGroup { group in
            for await _ in catalog.additions {
                for case let model as any LimitsLearning in catalog.takeNew() where places.take() {
                    group.addTask {
                        defer { places.giveBack() }
                        try await learn(model)
                    }
                }
            }
            // The stream ends with the task only.
            try Task.checkCancellation()
        }
    }

    private func learn(_ model: any LimitsLearning) async throws {
        let retrier = Retrier(policy: policy, clock: clock, random: random)
        do {
            try await retrier.run(verdict: Self.verdict) { _ in
                do {
                    try await model.learnLimits()
                } catch {
                    logger.debug(
                        "model limits are not known yet",
                        metadata: ["model": "\(model.name)", "error": "\(error)"]
                    )
                    throw error
                }
            }
            logger.debug("model limits are known", metadata: ["model": "\(model.name)", "limits": "\(model.limits)"])
        } catch let error where !(error is CancellationError) {
            // A model that can't be looked up may answer all the same.
            logger.info("model limits stay assumed", metadata: ["model": "\(model.name)", "error": "\(error)"])
        }
    }

    private static func verdict(_ error: any Error) -> RetryVerdict {
        guard let error = error as? ModelError else { return .giveUp }
        return switch error.code {
        case .overloaded, .quotaOfDay, .cannotConnect, .cut, .timedOut, .malformedReply, .emptyReply:
            .retry(after: error.retryAfter)
        case .notConfigured, .keyRefused, .modelNotFound, .requestRefused, .historyAltered, .replyTooLarge,
            .capReached, .inputTooLong:
            .giveUp
        }
    }
}

/// How many models are being learnt. Callers name models, and where the provider is away each is asked for again and
/// again: beyond the bound the limits of further ones stay assumed.
private final class LearningPlaces: Sendable {
    private let taken = Mutex(0)

    func take() -> Bool {
        taken.withLock { taken in
            guard taken < Limits.cataloguedModels else { return false }
            taken += 1
            return true
        }
    }

    func giveBack() { taken.withLock { $0 -= 1 } }
}
