import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("Metered models")
struct MeteredModelTests {
    private func respond(
        _ model: any LanguageModel,
        _ world: LLMFixture,
        outputTokensMax: Int = 200
    ) async throws -> ModelReply {
        let metered = MeteredModel(model, ledger: world.ledger, run: nil, context: world.context)
        #expect(metered.name == model.name && metered.limits == model.limits)
        return try await metered.respond(
            to: ModelRequest(messages: [.user("Hello")], outputTokensMax: outputTokensMax),
            call: ModelCallContext(deadline: .now + .seconds(60)),
            onDelta: { _ in }
        )
    }

    @Test("answer as they are, and settle what they cost")
    func answers() async throws {
        try await withLLM { world in
            let model = try ScriptedModel.saying([["text": "one two"]])
            #expect(try await respond(model, world).message.text == "one two")
            #expect(try await world.used() == TokenDay(usage: model.counted))
        }
    }

    @Test("are not asked when today's tokens are used up")
    func refused() async throws {
        try await withLLM(caps: TokenCaps(perUser: 50)) { world in
            let model = try ScriptedModel.saying([["text": "one two"]])
            await #expect(throws: ModelError(.capReached, "")) { try await respond(model, world) }
            #expect(model.callCount == 0)
            #expect(try await world.used().total == 0)
        }
    }

    @Test("whose provider counts nothing are counted here, so that a cap holds")
    func uncounted() async throws {
        try await withLLM(caps: TokenCaps(perUser: 600)) { world in
            _ = try await respond(UncountedModel(), world)
            let once = try await world.used()
            #expect(once.usage.output >= 7 && once.usage.input >= 2 && once.reserved == 0)
            await #expect(throws: ModelError(.capReached, "")) {
                for _ in 0..<100 { _ = try await respond(UncountedModel(), world) }
            }
            #expect(try await world.used().total <= 600)
        }
    }

    @Test("have no more set aside than they can write, however much is asked for")
    func bounded() async throws {
        try await withLLM(caps: TokenCaps(perTenant: 1_000_000)) { world in
            let seen = Guarded<[Int]>([])
            let model = ProbingModel { request in
                let reserved = try await world.used().reserved
                seen.update { $0 += [request.outputTokensMax, reserved] }
            }
            _ = try await respond(model, world, outputTokensMax: Int(Int32.max))
            #expect(seen.value.first == model.limits.outputTokens)
            #expect(try #require(seen.value.last) <= model.billedAttemptsMax * (model.limits.outputTokens + 100))
        }
    }

    @Test("that broke off without saying what it cost are guessed at, on the safe side, once text has come")
    func guessed() async throws {
        try await withLLM { world in
            await #expect(throws: ModelError(.cut, "")) { try await respond(TornModel(pieces: 0, meter: nil), world) }
            #expect(try await world.used().total == 0)
            await #expect(throws: ModelError(.cut, "")) { try await respond(TornModel(pieces: 4, meter: nil), world) }
            let guess = try await world.used()
            #expect(guess.usage.output == 8)
            #expect(guess.usage.input >= 5)
            #expect(guess.reserved == 0)
            let counted = TokenUsage(input: 3, output: 2)
            await #expect(throws: ModelError(.cut, "")) {
                try await respond(TornModel(pieces: 4, meter: counted), world)
            }
            let both = try await world.used()
            #expect(both.usage == guess.usage + counted)
        }
    }
}

/// As local servers that leave the usage out.
private struct UncountedModel: LanguageModel {
    let name = ModelName(provider: "uncounted", model: "one")
    let limits = ModelLimits(inputTokens: 10_000, outputTokens: 1_000)

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        let text = "some words that somebody has to count"
        try await onDelta(.text(text))
        return ModelReply(message: ModelMessage(.model, [.text(text)]), outcome: .complete, usage: TokenUsage())
    }
}

/// Shows what it was asked.
private struct ProbingModel: LanguageModel {
    let name = ModelName(provider: "probing", model: "one")
    let limits = ModelLimits(inputTokens: 10_000, outputTokens: 1_000)
    let probe: @Sendable (ModelRequest) async throws -> Void

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        try await probe(request)
        return ModelReply(message: ModelMessage(.model, [.text("a")]), outcome: .complete, usage: TokenUsage(output: 1))
    }
}

/// Says some pieces and is cut; counts only when it is told what.
private struct TornModel: LanguageModel {
    let pieces: Int
    let meter: TokenUsage?
    let name = ModelName(provider: "torn", model: "one")
    let limits = ModelLimits(inputTokens: 10_000, outputTokens: 1_000)

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        if let meter { call.meter?.report(meter) }
        for _ in 0..<pieces { try await onDelta(.text("abcd")) }
        throw ModelError(.cut, "the stream broke off")
    }
}
