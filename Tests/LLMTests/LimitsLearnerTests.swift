import Domain
import Logging
import Outbound
import Synchronization
import TestSupport
import Testing

@testable import LLM

/// Looks the limits up as its script says; counts how often.
private final class LearningModel: LimitsLearning {
    let name: ModelName
    let lookups = Guarded(0)
    private let state = Mutex(ModelLimits(inputTokens: 1, outputTokens: 1))
    private let script: @Sendable (Int) throws -> ModelLimits

    init(_ name: ModelName, _ script: @escaping @Sendable (Int) throws -> ModelLimits) {
        self.name = name
        self.script = script
    }

    var limits: ModelLimits { state.withLock { $0 } }

    func learnLimits() async throws {
        var number = 0
        lookups.update {
            $0 += 1
            number = $0
        }
        let limits = try script(number)
        state.withLock { $0 = limits }
    }

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        throw ModelError(.notConfigured, "only limits")
    }
}

@Suite("Learning the limits of models")
struct LimitsLearnerTests {
    private static let learnt = ModelLimits(inputTokens: 1_048_576, outputTokens: 32_768)

    /// A catalogue whose models look themselves up by `script`, and its learner at work.
    private func withLearner(
        preferred: String? = nil,
        waits: Guarded<[Duration]> = Guarded([]),
        script: @escaping @Sendable (String, Int) throws -> ModelLimits,
        _ body: (ModelCatalog, Guarded<[LearningModel]>) async throws -> Void
    ) async throws {
        let made = Guarded<[LearningModel]>([])
        let provider = ModelProvider("gemini", defaultModel: "first", claims: { _ in true }) { name in
            let model = LearningModel(ModelName(provider: "gemini", model: name)) { try script(name, $0) }
            made.update { $0.append(model) }
            return model
        }
        let catalog = ModelCatalog(preferred: preferred, providers: [provider])
        let clock = OutboundClock(now: { .now }) { duration in
            try Task.checkCancellation()
            waits.update { $0.append(duration) }
        }
        let learner = LimitsLearner(catalog: catalog, clock: clock, random: { 0.5 }, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await learner.run() }
            try await body(catalog, made)
            group.cancelAll()
            await #expect(throws: CancellationError.self, "it ends by cancellation only") { try await group.next() }
        }
    }

    @Test("nothing is asked before it runs, and then the model that answers by default is, though nobody named it")
    func byDefault() async throws {
        try await withLearner(script: { _, _ in Self.learnt }) { _, made in
            try await eventually { made.value.first?.limits == Self.learnt }
            #expect(made.value.map(\.name.model) == ["first"])
            #expect(made.value.map(\.lookups.value) == [1])
        }
    }

    @Test("a model is asked about when it is first named, and once")
    func named() async throws {
        try await withLearner(script: { _, _ in Self.learnt }) { catalog, made in
            try await eventually { made.value.first?.limits == Self.learnt }
            for name in ["second", "second", "third", "first"] {
                let model = try #require(try catalog.models(for: name).first)
                try await eventually { model.limits == Self.learnt }
            }
            #expect(made.value.map(\.name.model) == ["first", "second", "third"])
            #expect(made.value.map(\.lookups.value) == [1, 1, 1])
        }
    }

    @Test("a provider that is away is asked again, ever more rarely, until it answers")
    func away() async throws {
        let waits = Guarded<[Duration]>([])
        try await withLearner(waits: waits) { _, number in
            guard number > 12 else { throw ModelError(.cannotConnect, "away") }
            return Self.learnt
        } _: { _, made in
            try await eventually { made.value.first?.limits == Self.learnt }
            #expect(made.value[0].lookups.value == 13)
            #expect(Array(waits.value.prefix(4)) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
            #expect(zip(waits.value, waits.value.dropFirst()).allSatisfy { $0 <= $1 })
            #expect(waits.value.last == .seconds(300), "the ceiling, of which half by the random number")
        }
    }

    @Test("one that is away keeps no other waiting, and no run from its careful limits")
    func independent() async throws {
        try await withLearner { name, _ in
            if name == "first" { throw ModelError(.overloaded, "busy", retryAfter: .seconds(60)) }
            return Self.learnt
        } _: { catalog, made in
            let first = try #require(try catalog.models(for: "first").first)
            let second = try #require(try catalog.models(for: "second").first)
            try await eventually { second.limits == Self.learnt }
            #expect(first.limits == ModelLimits(inputTokens: 1, outputTokens: 1))
            try await eventually { made.value.first { $0.name.model == "first" }.map { $0.lookups.value > 3 } ?? false }
        }
    }

    @Test(
        "what no waiting mends is asked once",
        arguments: [ModelError.Code.modelNotFound, .keyRefused, .requestRefused, .notConfigured]
    )
    func givesUp(_ code: ModelError.Code) async throws {
        let waits = Guarded<[Duration]>([])
        try await withLearner(waits: waits) { name, _ in
            if name != "last" { throw ModelError(code, "no") }
            return Self.learnt
        } _: { catalog, made in
            // More than there are places: each is given back.
            for number in 0...Limits.cataloguedModels {
                _ = try catalog.models(for: "m\(number)")
                try await eventually { made.value.last?.lookups.value == 1 }
            }
            let last = try #require(try catalog.models(for: "last").first)
            try await eventually { last.limits == Self.learnt }
            #expect(made.value.allSatisfy { $0.lookups.value == 1 })
            #expect(waits.value.isEmpty)
        }
    }

    @Test("where nothing is configured, or no model can learn, there is nothing to do but wait for the end")
    func nothing() async throws {
        let script = ModelScript(name: "x", turns: [])
        for catalog in [ModelCatalog(providers: []), ModelCatalog(providers: [.scripted(script)])] {
            let learner = LimitsLearner(catalog: catalog, logger: Logger(label: "test"))
            let running = Task { try await learner.run() }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
        }
    }
}
