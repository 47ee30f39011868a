import Access
import Database
import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("The token ledger")
struct TokenLedgerTests {
    private func reserve(_ input: Int, _ output: Int, _ world: LLMFixture, attempts: Int = 1) async throws
        -> TokenReservation
    {
        try await world.ledger.reserve(
            TokenDemand(input: input, output: output, attempts: attempts),
            run: .random(),
            expiry: .seconds(600),
            context: world.context
        )
    }

    @Test("counts what was used, on the day it was reserved", arguments: DatabaseKind.allCases)
    func settles(_ kind: DatabaseKind) async throws {
        try await withLLM(kind) { world in
            let reservation = try await reserve(100, 50, world)
            #expect(reservation.tokens == 150)
            #expect(reservation.outputTokensMax == 50)
            #expect(try await world.used() == TokenDay(usage: TokenUsage(), reserved: 150, lost: 0))
            let usage = TokenUsage(input: 90, cachedInput: 10, output: 20, thoughts: 5)
            let day = world.clock.now
            world.clock.advance(seconds: 86_400)
            await world.ledger.settle(reservation, usage: usage)
            #expect(try await world.used().total == 0)
            #expect(try await world.ledger.used(on: day, context: world.context) == TokenDay(usage: usage))
            // Once only.
            await world.ledger.settle(reservation, usage: usage)
            #expect(try await world.ledger.used(on: day, context: world.context) == TokenDay(usage: usage))
            #expect(try await world.ledger.used(on: day, wholeTenant: true, context: world.stranger).total == 0)
        }
    }

    @Test("LLM-08: lowers the output to what a cap leaves, then refuses", arguments: DatabaseKind.allCases)
    func caps(_ kind: DatabaseKind) async throws {
        try await withLLM(kind, caps: TokenCaps(perUser: 1_000)) { world in
            let first = try await reserve(300, 400, world)
            let second = try await reserve(100, 400, world)
            #expect(second.outputTokensMax == 200)
            do {
                _ = try await reserve(1, 100, world)
                Issue.record("a cap was passed")
            } catch let error as ModelError {
                #expect(error.code == .capReached)
                #expect(error.message.contains("your tokens of today") && error.message.contains("1000"))
                #expect(try #require(error.retryAfter) <= .seconds(86_400))
            }
            // What is given back can be reserved again, what was used cannot.
            await world.ledger.settle(first, usage: TokenUsage(input: 300, output: 10))
            await world.ledger.settle(second, usage: TokenUsage())
            #expect(try await reserve(190, 1_000, world).outputTokensMax == 500)
        }
    }

    @Test("reserves as often as a provider may bill")
    func attempts() async throws {
        try await withLLM(caps: TokenCaps(perUser: 1_000)) { world in
            #expect(try await reserve(100, 100, world, attempts: 2).tokens == 400)
            let lowered = try await reserve(100, 400, world, attempts: 2)
            #expect(lowered.outputTokensMax == 200)
            #expect(lowered.tokens == 600)
        }
    }

    @Test("holds the tenant's cap over its users, and is full until midnight", arguments: DatabaseKind.allCases)
    func tenantCap(_ kind: DatabaseKind) async throws {
        try await withLLM(kind, caps: TokenCaps(perUser: 800, perTenant: 1_000)) { world in
            let access = AccessStore(database: world.database)
            let user = User(id: .random(), name: "ada", role: .owner, isDisabled: false, createdTime: world.clock.now)
            #expect(try await access.insert(user, tenant: world.context.tenant, limit: 9) == .inserted)
            let store = TokenStore(database: world.database)
            let other = try await store.reserve(
                TokenDemand(input: 0, output: 700),
                caps: world.ledger.caps,
                run: nil,
                user: user.id,
                time: world.clock.now,
                expires: Instant(microseconds: .max),
                tenant: world.context.tenant,
                deadline: nil
            )
            #expect({ if case .reserved = other { true } else { false } }())
            #expect(try await reserve(0, 500, world).outputTokensMax == 300)
            await #expect(throws: ModelError(.capReached, "")) { try await reserve(0, 100, world) }
            #expect(
                try await world.ledger.used(on: world.clock.now, wholeTenant: true, context: world.context).total
                    == 1_000
            )
            world.clock.advance(seconds: 86_400)
            #expect(try await reserve(0, 500, world).outputTokensMax == 500)
        }
    }

    @Test("counts what a dead process had reserved, at its maximum", arguments: DatabaseKind.allCases)
    func orphans(_ kind: DatabaseKind) async throws {
        try await withLLM(kind, caps: TokenCaps(perUser: 1_000)) { world in
            let orphan = try await reserve(100, 300, world)
            #expect(try await world.ledger.settleExpired(tenant: world.context.tenant) == 0)
            world.clock.advance(seconds: 661)
            #expect(try await world.ledger.settleExpired(tenant: world.stranger.tenant) == 0)
            #expect(try await world.ledger.settleExpired(tenant: world.context.tenant) == 1)
            #expect(try await world.used() == TokenDay(usage: TokenUsage(), reserved: 0, lost: 400))
            // Still alive after all: it counts at its maximum already.
            await world.ledger.settle(orphan, usage: TokenUsage(input: 1))
            #expect(try await world.used().total == 400)
            #expect(try await reserve(0, 1_000, world).outputTokensMax == 600)
        }
    }

    @Test("LLM-08: lets no two reservations take the same room", arguments: DatabaseKind.allCases)
    func concurrency(_ kind: DatabaseKind) async throws {
        try await withLLM(kind, caps: TokenCaps(perUser: 1_000)) { world in
            let granted = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<24 {
                    group.addTask { (try? await reserve(20, 80, world))?.tokens ?? 0 }
                }
                return await group.reduce(0, +)
            }
            #expect(granted == 1_000)
            let used = try await world.used()
            #expect(used.reserved == 1_000)
        }
    }

    @Test("LLM-08: equals what the provider counted, whatever becomes of the calls", arguments: 0..<12 as Range<UInt64>)
    func equality(seed: UInt64) async throws {
        let cap = seed % 3 == 0 ? 4_000 : 1_000_000
        try await withLLM(seed == 1 ? .postgres : .sqlite, caps: TokenCaps(perUser: cap)) { world in
            var generator = SeededGenerator(seed: seed)
            let models = try (0..<3).map { _ in try RandomScript.model(&generator) }
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    let chain = models.shuffled(using: &generator)
                    let patience =
                        Int.random(in: 0..<4, using: &generator) == 0
                        ? Int.random(in: 0..<12, using: &generator) : nil
                    group.addTask { await Self.run(world, chain, "question \(number)", cancelAfter: patience) }
                }
            }
            let counted = models.reduce(TokenUsage()) { $0 + $1.counted }
            let used = try await world.used()
            #expect(used == TokenDay(usage: counted), "seed \(seed)")
            #expect(used.total <= cap, "seed \(seed)")
        }
    }

    /// - Parameter cancelAfter: after so many events; nil to let the run end by itself.
    private static func run(
        _ world: LLMFixture,
        _ models: [any LanguageModel],
        _ question: String,
        cancelAfter: Int?
    ) async {
        let run = OrchestratorRun(id: .random(), models: models, system: "Answer.", messages: [.user(question)])
        let seen = Guarded(0)
        let signal = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let sum = Guarded(TokenUsage())
                let end = await world.orchestrator.run(run, context: world.context) { event in
                    if case .usage(let usage) = event { sum.value = usage }
                    seen.update { $0 += 1 }
                    if seen.value == cancelAfter { signal.continuation.finish() }
                }
                #expect(end.usage == sum.value)
            }
            if cancelAfter != nil {
                group.addTask { for await _ in signal.stream {} }
                await group.next()
                group.cancelAll()
            }
            await group.waitForAll()
        }
    }
}

extension JSONObject {
    fileprivate func merging(_ more: JSONObject) -> JSONObject {
        more.reduce(into: self) { $0[$1.key] = $1.value }
    }
}

/// Models that do anything a provider may do.
enum RandomScript {
    static func model(_ generator: inout SeededGenerator) throws -> ScriptedModel {
        var turns: [JSONValue] = []
        for _ in 0..<8 {
            var turn: JSONObject = [
                "text": .string(String(repeating: "word ", count: .random(in: 0...12, using: &generator)))
            ]
            switch Int.random(in: 0..<7, using: &generator) {
            case 0:
                let codes = ["overloaded", "cut", "requestRefused", "timedOut"]
                turn["failure"] = [
                    "code": .string(codes.randomElement(using: &generator) ?? "cut"),
                    "afterPieces": .number(JSONNumber(Int.random(in: 0...5, using: &generator))),
                    "times": .number(JSONNumber(Int.random(in: 1...4, using: &generator))),
                ]
            case 1: turn["restartAfter"] = 1
            case 2: turn["outcome"] = "refused"
            case 3: turn["usage"] = ["input": 17, "cachedInput": 3, "output": 40, "thoughts": 8]
            case 4, 5: turn["calls"] = [["name": "lookup", "arguments": ["q": "{{user}}"]], ["name": "nothing"]]
            default: break
            }
            turn["when"] = [
                "user": .string("\(Int.random(in: 0..<10, using: &generator))"),
                "step": .number(JSONNumber(Int.random(in: 1...3, using: &generator))),
            ]
            turns.append(.object(turn))
        }
        turns.append(["text": "That is all."])
        // Some speak slowly enough to be cancelled in the midst of a word.
        let pace: JSONObject = Bool.random(using: &generator) ? ["tokensPerSecond": 500] : [:]
        return try .saying(.array(turns), pace.merging(["outputTokens": 200]))
    }
}
