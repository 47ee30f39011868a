import Domain
import Synchronization

/// The client of one request, as the work for it sees it.
final class SessionCaller: ToolCaller {
    let abilities: Set<CallerAbility>
    private let link: Link
    private let lastReport = Mutex<ContinuousClock.Instant?>(nil)

    /// The ways to the client.
    struct Link: Sendable {
        let emit: @Sendable (WorkEmission) async -> Void
        /// Asks and waits for what is said.
        let ask: @Sendable ([CallerQuestion]) async throws -> [String: CallerAnswer]
        /// Where a question is an answer: what the client brought. Nil where work waits.
        let rounds: AskRounds?
    }

    init(abilities: Set<CallerAbility>, _ link: Link) {
        self.abilities = abilities
        self.link = link
    }

    func report(_ progress: ToolProgress) async {
        let isDue = lastReport.withLock { last in
            let now = ContinuousClock.now
            let isLast = progress.total.map { progress.done >= $0 } ?? false
            if let last, !isLast, now - last < .milliseconds(Limits.mcpProgressMilliseconds) { return false }
            last = now
            return true
        }
        if isDue { await link.emit(.progress(progress)) }
    }

    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async {
        await link.emit(.log(level, logger: logger, data: data))
    }

    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        for question in questions where !abilities.contains(question.ability) {
            throw CallerError.missing(question.ability)
        }
        if let rounds = link.rounds { return try rounds.reply(to: questions, keeping: kept) }
        return CallerReply(answers: try await link.ask(questions), kept: kept)
    }

    func releaseConnection() async { await link.emit(.released) }
}
