import Domain
public import OpenAIDialect
public import Outbound
import Synchronization

/// A model of any server that speaks the chat completions dialect: Ollama, llama.cpp, vLLM, LM Studio, OpenAI.
///
/// Retries what may pass, but never after text was shown; a turn that stays empty is asked for once more. Usage is
/// what the server counts: a server that counts nothing leaves it at 0.
public struct OpenAICompatibleModel: LanguageModel {
    /// The part of a model's name before the slash.
    public static let provider = "openai"

    public struct Options: Sendable, Hashable {
        /// To the head of the reply. Local servers load a model first.
        public var firstByte: Duration
        /// Between two pieces of the reply.
        public var stall: Duration
        /// What the bound of written tokens is called; OpenAI's own newer models take only the newer name.
        public var tokenLimitName: OpenAIChatRequest.TokenLimitName

        public init(
            firstByte: Duration = .seconds(120),
            stall: Duration = .seconds(60),
            tokenLimitName: OpenAIChatRequest.TokenLimitName = .maxTokens
        ) {
            self.firstByte = firstByte
            self.stall = stall
            self.tokenLimitName = tokenLimitName
        }
    }

    public let name: ModelName
    public let limits: ModelLimits
    private let client: OpenAIClient
    private let retrier: Retrier
    private let options: Options

    public init(
        client: OpenAIClient,
        model: String,
        limits: ModelLimits = ModelLimits(inputTokens: 32_768, outputTokens: 8_192),
        retrier: Retrier = Retrier(),
        options: Options = Options()
    ) {
        name = ModelName(provider: Self.provider, model: model)
        self.client = client
        self.limits = limits
        self.retrier = retrier
        self.options = options
    }

    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let mapping = OpenAIRequestMapping(request, model: name.model, limits: limits, options.tokenLimitName)
        let state = Mutex(Progress())
        do {
            let turn = try await retrier.run(deadline: call.deadline) { error in
                state.withLock { $0.verdict(on: error) }
            } _: { _ in
                try await attempt(mapping.wire, call: call, state: state, onDelta: onDelta)
            }
            return mapping.reply(turn, usage: state.withLock { $0.usage })
        } catch let error as ConsumerFailure {
            throw error.cause
        } catch let error as any Failure {
            throw ModelError(openAI: error, usage: state.withLock { $0.usage })
        }
    }

    /// One exchange, recorded however it ends.
    private func attempt(
        _ wire: OpenAIChatRequest,
        call: ModelCallContext,
        state: borrowing Mutex<Progress>,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> OpenAITurn {
        let left = call.deadline - .now
        guard left > .zero else { throw OutboundError(.timedOut, "no time is left for another call of the model") }
        if state.withLock({ $0.begin() }) { try await onDelta(.restarted) }
        let trace = OutboundTrace()
        let result = await exchange(wire, call: call, trace: trace, left: left, state: state, onDelta: onDelta)
        state.withLock { $0.settle() }
        await call.traffic?.record(exchange(trace.record, result))
        let turn = try result.get()
        if turn.content.isEmpty, turn.toolCalls.isEmpty, turn.refusal.isEmpty, OpenAIRequestMapping.isPlainEnd(turn) {
            throw ModelError(.emptyReply, "\(name) answered with nothing")
        }
        return turn
    }

    private func exchange(
        _ wire: OpenAIChatRequest,
        call: ModelCallContext,
        trace: OutboundTrace,
        left: Duration,
        state: borrowing Mutex<Progress>,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async -> Result<OpenAITurn, any Error> {
        let deadlines = OutboundDeadlines(firstByte: options.firstByte, stall: options.stall, total: left)
        let before = state.withLock { $0.usage }
        let counted = Mutex<OpenAIUsage?>(nil)
        let shown = Mutex((text: false, thought: false))
        defer {
            let (usage, marks) = (counted.withLock { $0 }, shown.withLock { $0 })
            state.withLock { $0.note(usage, marks) }
        }
        do {
            return .success(
                try await client.through { TracedTransport($0, trace: trace) }.stream(
                    wire,
                    deadlines: deadlines,
                    onUsage: { usage in
                        counted.withLock { $0 = usage }
                        call.meter?.report(before + TokenUsage(openAI: usage))
                    },
                    onDelta: { delta in
                        do {
                            switch delta {
                            case .content(let text):
                                shown.withLock { $0.text = true }
                                try await onDelta(.text(text))
                            case .reasoning(let text):
                                shown.withLock { $0.thought = true }
                                try await onDelta(.thought(text))
                            }
                        } catch {
                            throw ConsumerFailure(cause: error)
                        }
                    }
                )
            )
        } catch {
            return .failure(error)
        }
    }

    private func exchange(_ record: OutboundTrace.Record, _ result: Result<OpenAITurn, any Error>) -> ProviderExchange {
        var failure: String?
        if case .failure(let error) = result {
            failure = (error as? any Failure).map { "\($0)" } ?? (error is CancellationError ? "cancelled" : "failed")
        }
        return ProviderExchange(
            model: name,
            path: record.path,
            request: record.request,
            status: record.status,
            reply: record.reply,
            failure: failure
        )
    }

    /// The consumer of deltas threw: its error goes through untouched, and nothing is tried again.
    private struct ConsumerFailure: Error {
        let cause: any Error
    }

    /// What happened over all attempts.
    private struct Progress {
        private(set) var usage = TokenUsage()
        private var attemptCount = 0
        private var ofAttempt: OpenAIUsage?
        private var hasText = false
        private var hasThought = false
        private var isEmptyOnce = false
        /// Attempts that the server counted; `billedAttemptsMax` bounds them.
        private var billedCount = 0

        /// Begins an attempt; whether thoughts of the one before must be taken back.
        mutating func begin() -> Bool {
            attemptCount += 1
            defer { hasThought = false }
            return attemptCount > 1 && hasThought
        }

        mutating func note(_ usage: OpenAIUsage?, _ shown: (text: Bool, thought: Bool)) {
            ofAttempt = usage
            hasText = hasText || shown.text
            hasThought = hasThought || shown.thought
        }

        mutating func settle() {
            if let ofAttempt {
                usage += TokenUsage(openAI: ofAttempt)
                billedCount += 1
            }
            ofAttempt = nil
        }

        mutating func verdict(on error: any Error) -> RetryVerdict {
            if hasText || billedCount >= 2 { return .giveUp }
            switch error {
            case let error as OpenAIError: return error.isTransient ? .retry(after: error.retryAfter) : .giveUp
            case let error as OutboundError: return RetryHints.verdict(on: error)
            case let error as ModelError where error.code == .emptyReply:
                isEmptyOnce.toggle()
                return isEmptyOnce ? .retry(after: nil) : .giveUp
            default: return .giveUp
            }
        }
    }
}
