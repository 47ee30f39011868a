import ConformanceFixtures
import Domain
import Logging
import Synchronization

/// A program on the other side, with its answers ready.
///
/// It answers while the tool waits, as one with a session does; or, with `isStateless`, it hands each question
/// back and comes again with what was said, as one without does.
final class ScriptedCaller: ToolCaller {
    enum Event: Sendable, Hashable {
        case progress(Double, Double?)
        case log(CallerLogLevel, JSONValue)
        case asked([String], kept: JSONValue)
        case released
    }

    let abilities: Set<CallerAbility>
    private let answers: [String: CallerAnswer]
    private let isStateless: Bool
    private let state = Mutex(State())

    private struct State {
        var events: [Event] = []
        var questions: [CallerQuestion] = []
        /// How many questions of this run were asked, and how many of all runs were answered.
        var askedNow = 0
        var answered = 0
    }

    init(
        _ abilities: Set<CallerAbility> = [.form, .sampling, .roots],
        isStateless: Bool = false,
        answers: [String: CallerAnswer] = [:]
    ) {
        self.abilities = abilities
        self.isStateless = isStateless
        self.answers = answers
    }

    var events: [Event] { state.withLock { $0.events } }
    var questions: [CallerQuestion] { state.withLock { $0.questions } }

    func report(_ progress: ToolProgress) async { note(.progress(progress.done, progress.total)) }
    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async { note(.log(level, data)) }
    func releaseConnection() async { note(.released) }

    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        if let missing = questions.map(\.ability).first(where: { !abilities.contains($0) }) {
            throw CallerError.missing(missing)
        }
        let isNew = state.withLock { state in
            state.askedNow += 1
            guard state.askedNow > state.answered else { return false }
            state.answered = state.askedNow
            state.events.append(.asked(questions.map(\.key), kept: kept))
            state.questions += questions
            return true
        }
        if isNew && isStateless { throw InputRequired(questions: questions, kept: kept) }
        let found = questions.map { ($0.key, answers[$0.key] ?? .cancelled) }
        return CallerReply(answers: Dictionary(uniqueKeysWithValues: found), kept: kept)
    }

    /// Runs something as often as it needs input.
    func rounds<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        while true {
            state.withLock { $0.askedNow = 0 }
            do {
                return try await body()
            } catch is InputRequired {
                continue
            }
        }
    }

    private func note(_ event: Event) { state.withLock { $0.events.append(event) } }
}

/// Somebody who was let in.
func somebody() -> RequestContext {
    RequestContext(
        id: "test",
        principal: Principal(user: .random(), key: nil, permissions: []),
        tenant: .random(),
        deadline: .now + .seconds(60),
        origin: .mcpStdio,
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
}

extension Fixtures {
    func call(
        _ name: String,
        _ arguments: JSONObject = [:],
        of caller: ScriptedCaller = ScriptedCaller()
    ) async throws -> ToolResult {
        try await caller.rounds {
            try await tools.call(ToolCall(name: name, arguments: arguments), caller: caller, context: somebody())
        }
    }
}
