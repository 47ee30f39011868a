public import Domain

/// A model whose every call is reserved, settled and recorded: the one path by which tokens are spent.
///
/// The orchestrator asks through it, and so does everybody else who asks a model.
public struct MeteredModel: LanguageModel {
    private let base: any LanguageModel
    private let ledger: TokenLedger
    private let run: RunID?
    private let context: RequestContext

    public init(_ base: any LanguageModel, ledger: TokenLedger, run: RunID?, context: RequestContext) {
        self.base = base
        self.ledger = ledger
        self.run = run
        self.context = context
    }

    public var name: ModelName { base.name }
    public var limits: ModelLimits { base.limits }
    public var billedAttemptsMax: Int { base.billedAttemptsMax }

    /// - Throws: also `ModelError` `capReached`, when today's tokens are used up.
    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let input = TokenEstimate(of: request).upperBound
        let turn = await answer(request, inputTokensMax: input, call: call, onDelta: onDelta)
        return try turn.result.get()
    }

    /// How a call went, and what it cost.
    struct Turn: Sendable {
        var result: Result<ModelReply, any Error>
        /// As it was settled.
        var usage: TokenUsage
        /// The caps had room for fewer output tokens than were asked for.
        var isCapped: Bool
    }

    func answer(
        _ request: ModelRequest,
        inputTokensMax: Int,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async -> Turn {
        var request = request
        // Whoever asks for more than the model can write must not have that much set aside: it is others' cap too.
        request.outputTokensMax = min(request.outputTokensMax, base.limits.outputTokens)
        let reservation: TokenReservation
        do {
            reservation = try await ledger.reserve(
                TokenDemand(
                    input: inputTokensMax,
                    output: request.outputTokensMax,
                    attempts: base.billedAttemptsMax
                ),
                run: run,
                expiry: max(call.deadline - .now, .zero),
                context: context
            )
        } catch {
            return Turn(result: .failure(error), usage: TokenUsage(), isCapped: false)
        }
        let isCapped = reservation.outputTokensMax < request.outputTokensMax
        request.outputTokensMax = reservation.outputTokensMax
        var call = call
        let meter = call.meter ?? UsageMeter()
        call.meter = meter
        let written = UsageMeter()
        var turn = Turn(result: .failure(CancellationError()), usage: TokenUsage(), isCapped: isCapped)
        // A call that was cancelled before it began costs nothing; one that began may have been billed.
        if !Task.isCancelled {
            do {
                let reply = try await base.respond(to: request, call: call) { delta in
                    if case .text(let text) = delta { written.add(text) }
                    try await onDelta(delta)
                }
                turn.result = .success(reply)
                turn.usage = Self.usage(of: reply, inputTokensMax, request.outputTokensMax)
            } catch {
                turn.result = .failure(error)
                turn.usage = Self.usage(of: error, meter, written, inputTokensMax)
            }
        }
        await ledger.settle(reservation, usage: turn.usage)
        return turn
    }

    /// What a reply cost: as the provider counts. Some local servers count nothing; then what was said is counted here,
    /// on the safe side, or a cap would hold nobody who asks them.
    private static func usage(of reply: ModelReply, _ inputTokensMax: Int, _ outputTokensMax: Int) -> TokenUsage {
        if reply.usage != TokenUsage() { return reply.usage }
        let output = TokenEstimate(of: reply.message).likely
        return TokenUsage(input: inputTokensMax, output: min(output, outputTokensMax))
    }

    /// What a call cost that gave no reply: what the provider said, or else a guess on the safe side once text came.
    private static func usage(
        of error: any Error,
        _ meter: UsageMeter,
        _ written: UsageMeter,
        _ inputTokensMax: Int
    ) -> TokenUsage {
        if let error = error as? ModelError, error.usage != TokenUsage() { return error.usage }
        if let reported = meter.reported { return reported }
        guard let written = written.reported else { return TokenUsage() }
        return TokenUsage(input: inputTokensMax, output: written.output)
    }
}

extension UsageMeter {
    fileprivate func add(_ text: String) {
        var usage = reported ?? TokenUsage()
        usage.output += TokenEstimate(of: text).likely
        report(usage)
    }
}
