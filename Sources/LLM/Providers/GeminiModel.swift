public import Gemini
public import Logging
import Synchronization

/// Gemini's models behind the product's own protocol.
///
/// What a model says is kept as the API gave it (`ProviderOriginal`) and goes back the same to models of that family.
/// The history of other providers and families is told in our own words, with Google's documented stand-in for
/// signatures that never were.
public final class GeminiModel: LimitsLearning {
    static let provider = "gemini"

    public let name: ModelName
    let client: GeminiClient
    private let logger: Logger
    /// Makes identifiers for calls that come without one.
    private let makeID: @Sendable () -> String
    private let known: Mutex<Known>

    private struct Known {
        var limits: ModelLimits
        var hasLimits = false
        /// Of a `-latest` name: as the last reply told it.
        var family: GeminiFamily?
        var hasWarned = false
    }

    /// - Parameter model: such as `gemini-flash-latest`, also with `models/` before it.
    /// - Throws: `ModelError.modelNotFound` for what is no name of a model.
    public convenience init(client: GeminiClient, model: String, logger: Logger) throws {
        try self.init(client: client, model: model, logger: logger) {
            "call_" + String(UInt64.random(in: .min ... .max), radix: 36)
        }
    }

    package init(
        client: GeminiClient,
        model: String,
        logger: Logger,
        makeID: @escaping @Sendable () -> String
    ) throws {
        let model = try GeminiModelError.translated { () throws(GeminiError) in try GeminiModelName(model) }
        self.client = client
        self.logger = logger
        self.makeID = makeID
        name = ModelName(provider: Self.provider, model: model.description)
        let family = GeminiFamily(model: model.description) ?? .newest
        known = Mutex(Known(limits: Self.assumedLimits(family)))
    }

    public var limits: ModelLimits { known.withLock { $0.limits } }

    /// Torn streams, broken calls and continued answers are billed too.
    public var billedAttemptsMax: Int { GeminiClient.billedAttemptsMax }

    public func learnLimits() async throws {
        guard !known.withLock({ $0.hasLimits }) else { return }
        let info: GeminiModelInfo
        do { info = try await client.model(name.model) } catch let error as GeminiError { throw ModelError(error) }
        known.withLock { known in
            known.hasLimits = true
            if let tokens = info.inputTokensMax, tokens > 0 { known.limits.inputTokens = tokens }
            if let tokens = info.outputTokensMax, tokens > 0 { known.limits.outputTokens = tokens }
        }
    }

    public func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let family = family(for: request)
        let composer = GeminiComposer(
            request: request,
            model: name.model,
            family: family,
            outputTokensMax: limits.outputTokens
        )
        let composed = try composer.compose()
        let meter = call.meter
        let geminiCall = GeminiCall(
            deadline: call.deadline,
            onExchange: recorder(call),
            onUsage: { meter?.report(TokenUsage($0)) }
        )
        let turn: GeminiTurn
        do {
            turn = try await client.turn(composed, model: name.model, call: geminiCall) { piece in
                switch piece {
                case .text(let text): try await onDelta(.text(text))
                case .thought(let text): try await onDelta(.thought(text))
                case .restarted: try await onDelta(.restarted)
                }
            }
        } catch let error as GeminiError {
            throw ModelError(error)
        }
        note(turn)
        let reader = GeminiTurnReader(
            turn: turn,
            family: replyFamily(turn) ?? family,
            names: composer.names,
            takenIDs: Set(request.messages.flatMap(\.toolCalls).map(\.id)),
            makeID: makeID
        )
        return reader.reply()
    }

    private func recorder(_ call: ModelCallContext) -> (@Sendable (GeminiExchange) async -> Void)? {
        guard let traffic = call.traffic else { return nil }
        return { [name] exchange in await traffic.record(exchange.exchange(of: name)) }
    }

    /// The family of the model as far as it is known. A `-latest` name that has not answered yet is taken for what the
    /// newest of its own turns says: most likely it is the one that wrote it.
    private func family(for request: ModelRequest) -> GeminiFamily {
        if let family = GeminiFamily(model: name.model) { return family }
        if let family = known.withLock({ $0.family }) { return family }
        let original = request.messages.reversed().lazy.compactMap(\.original).first { $0.provider == Self.provider }
        return original.flatMap { GeminiFamily(model: $0.family) } ?? .newest
    }

    /// The family that signed a turn.
    private func replyFamily(_ turn: GeminiTurn) -> GeminiFamily? {
        GeminiFamily(model: name.model) ?? turn.modelVersion.flatMap { GeminiFamily(model: $0) }
    }

    private func note(_ turn: GeminiTurn) {
        let warns = known.withLock { known in
            if let family = replyFamily(turn) { known.family = family }
            guard ["DEPRECATED", "RETIRED"].contains(turn.modelStage), !known.hasWarned else { return false }
            known.hasWarned = true
            return true
        }
        if warns { logger.warning("the model will be switched off; choose another", metadata: ["model": "\(name)"]) }
        if let message = turn.finishMessage {
            logger.debug("model finished with a message", metadata: ["model": "\(name)", "message": "\(message)"])
        }
    }

    /// What models of a family have taken ever since; nothing is assumed of others.
    private static func assumedLimits(_ family: GeminiFamily) -> ModelLimits {
        switch family.thinkingSetting {
        case .level, .budget: ModelLimits(inputTokens: 1_000_000, outputTokens: 65_536)
        case .none: ModelLimits(inputTokens: 30_000, outputTokens: 8_192)
        }
    }
}

extension TokenUsage {
    init(_ usage: GeminiUsage) {
        self.init(
            input: usage.prompt + usage.toolUsePrompt,
            cachedInput: usage.cached,
            output: usage.candidates,
            thoughts: usage.thoughts
        )
    }
}

extension GeminiExchange {
    fileprivate func exchange(of model: ModelName) -> ProviderExchange {
        ProviderExchange(
            model: model,
            path: path,
            request: request,
            status: status,
            reply: reply,
            failure: failure
        )
    }
}
