import Domain
import Foundation
import LLM
import Synchronization

/// A model that says the time, a token at a time, evenly.
final class ClockModel: LanguageModel {
    static let provider = "clock"
    static let model = "ticking"

    let name = ModelName(provider: provider, model: model)
    let limits = ModelLimits(inputTokens: 1_000_000, outputTokens: 100_000)
    let billedAttemptsMax = 1
    private let tokens: Int
    private let rate: Int
    private let late = Mutex(LatencyTally())

    init(tokens: Int, rate: Int) {
        self.tokens = tokens
        self.rate = rate
    }

    /// Milliseconds by which tokens were said after they were due.
    var lateness: LatencyTally { late.withLock { $0 } }

    /// Nanoseconds of a clock that both ends read.
    static func nanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        var text = ""
        var due = ContinuousClock.now
        for _ in 0..<tokens {
            due += .seconds(1) / rate
            try await Task.sleep(until: due, clock: .continuous)
            late.withLock { $0.add(due.duration(to: .now).inSeconds * 1_000) }
            // The sign at the end tells that no digit is missing.
            let token = "t\(Self.nanoseconds());"
            text += token
            try await onDelta(.text(token))
        }
        return ModelReply(
            message: ModelMessage(.model, [.text(text)]),
            outcome: .complete,
            usage: TokenUsage(input: 10, output: tokens)
        )
    }
}
