import Access
import Database
import Domain
import Logging
import TestSupport

@testable import LLM

/// A database with identity, a ledger, recorded traffic and fake tools.
struct LLMFixture: Sendable {
    let database: any SQLDatabase
    let context: RequestContext
    /// Of another tenant.
    let stranger: RequestContext
    let clock: TestClock
    let tools: FakeTools
    let ledger: TokenLedger
    let traffic: RunTrafficStore
    let logger: Logger

    var orchestrator: Orchestrator {
        Orchestrator(tools: tools, ledger: ledger, traffic: traffic, logger: logger)
    }

    /// What the caller has used today.
    func used() async throws -> TokenDay { try await ledger.used(on: clock.now, context: context) }

    /// Runs a question and gathers everything.
    func ask(
        _ models: [any LanguageModel],
        _ text: String = "Which books are overdue?",
        settings: RunSettings = RunSettings(),
        limits: RunLimits = .standard,
        by tools: FakeTools? = nil
    ) async -> (events: [RunEvent], end: RunEnd) {
        let events = Guarded<[RunEvent]>([])
        let orchestrator = Orchestrator(tools: tools ?? self.tools, ledger: ledger, traffic: traffic, logger: logger)
        let run = OrchestratorRun(
            id: .random(),
            models: models,
            system: "Answer.",
            messages: [.user(text)],
            settings: settings,
            limits: limits
        )
        let end = await orchestrator.run(run, context: context) { event in events.update { $0.append(event) } }
        return (events.value, end)
    }
}

final class TestClock: Sendable {
    private let state = Guarded(Instant(milliseconds: 1_750_000_000_000))

    var now: Instant { state.value }
    var source: InstantSource { { self.now } }

    func advance(seconds: Int64) { state.update { $0.microseconds += seconds * 1_000_000 } }
}

func withLLM(
    _ kind: DatabaseKind = .sqlite,
    caps: TokenCaps = TokenCaps(),
    _ body: @escaping @Sendable (LLMFixture) async throws -> Void
) async throws {
    let migrations = AccessStore.migrations + TokenLedger.migrations + RunTrafficStore.migrations
    try await withDatabase(kind, migrations: migrations) { database in
        let access = AccessService(database: database)
        let first = try await access.bootstrap()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = try await access.ownerContext(origin: .commandLine, timeout: .seconds(120), logger: logger)
        let other = TenantID.random()
        _ = try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                "INSERT INTO access_tenants (id, name, owner, created_time) VALUES ($1, 'other', $2, 0)",
                [.text(other.description), .text(first.owner.description)]
            )
        }
        let clock = TestClock()
        try await body(
            LLMFixture(
                database: database,
                context: context,
                stranger: try await access.systemContext(tenant: other, timeout: .seconds(120), logger: logger),
                clock: clock,
                tools: FakeTools(),
                ledger: TokenLedger(database: database, caps: caps, now: clock.source, logger: logger),
                traffic: RunTrafficStore(database: database, now: clock.source),
                logger: logger
            )
        )
    }
}

extension ScriptedModel {
    /// From the JSON of its turns.
    static func saying(_ turns: JSONValue, name: String = "script", _ more: JSONObject = [:]) throws -> ScriptedModel {
        var script: JSONObject = ["name": .string(name), "turns": turns]
        for (key, value) in more { script[key] = value }
        return ScriptedModel(try ModelScript(json: JSONValue.object(script).encoded()))
    }
}

extension [RunEvent] {
    /// What a viewer sees in the end.
    var visibleText: String {
        var kept = ""
        var turn = ""
        for event in self {
            switch event {
            case .stepStarted:
                kept += turn
                turn = ""
            case .text(let text): turn += text
            case .textVoided: turn = ""
            default: break
            }
        }
        return kept + turn
    }

    var atoms: [[ModelMessage]] { compactMap { if case .atom(let atom) = $0 { atom } else { nil } } }

    var results: [ModelToolResult] {
        atoms.flatMap { $0 }.flatMap(\.parts).compactMap {
            if case .toolResult(let result) = $0 { result } else { nil }
        }
    }
}
