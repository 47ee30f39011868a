import Domain
import Synchronization

/// A program on the other side that can be asked, as a user with a rule would answer.
final class AskedCaller: ToolCaller {
    let abilities: Set<CallerAbility>
    private let rule: @Sendable (CallerQuestion) async throws -> CallerAnswer
    private let heard = Mutex<(questions: [CallerQuestion], progress: [ToolProgress])>(([], []))
    private let logged = Mutex<[LogEntry]>([])

    struct LogEntry: Sendable, Equatable {
        var level: CallerLogLevel
        var logger: String
        var data: JSONValue
    }

    init(
        abilities: Set<CallerAbility> = [.form],
        _ rule: @escaping @Sendable (CallerQuestion) async throws -> CallerAnswer
    ) {
        self.abilities = abilities
        self.rule = rule
    }

    /// Agrees to everything.
    static var agreeing: AskedCaller { AskedCaller { _ in .accepted(["confirm": true]) } }
    static var declining: AskedCaller { AskedCaller { _ in .declined } }

    var questions: [CallerQuestion] { heard.withLock { $0.questions } }
    var progress: [ToolProgress] { heard.withLock { $0.progress } }
    var logs: [LogEntry] { logged.withLock { $0 } }
    var messages: [String] {
        questions.map { question in
            guard case .form(let message, _) = question.content else { return "" }
            return message
        }
    }

    func report(_ progress: ToolProgress) async { heard.withLock { $0.progress.append(progress) } }
    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async {
        logged.withLock { $0.append(LogEntry(level: level, logger: logger, data: data)) }
    }

    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        heard.withLock { $0.questions += questions }
        var answers: [String: CallerAnswer] = [:]
        for question in questions {
            guard abilities.contains(question.ability) else { throw CallerError.missing(question.ability) }
            answers[question.key] = try await rule(question)
        }
        return CallerReply(answers: answers, kept: kept)
    }
}

/// A program without a session: a question is the answer, and the call comes again with what was said.
final class ReturningCaller: ToolCaller {
    let abilities: Set<CallerAbility> = [.form]
    private let answers: [String: CallerAnswer]
    private let kept: JSONValue

    init(_ answers: [String: CallerAnswer] = [:], kept: JSONValue = .null) {
        self.answers = answers
        self.kept = kept
    }

    func report(_ progress: ToolProgress) async {}
    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async {}

    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        guard questions.allSatisfy({ answers[$0.key] != nil }) else {
            throw InputRequired(questions: questions, kept: kept)
        }
        return CallerReply(answers: answers, kept: self.kept)
    }
}
