/// The other side of a tool that runs: who can be told how far it is, and be asked.
///
/// One form for all doors. A program with a session is asked while the tool waits. One without gets the question as the
/// answer, and the call comes again with what was said: `ask` then throws `InputRequired`, which the tool lets through, and
/// the second time returns. So a tool may run several times for one call: what it does before its last question changes nothing,
/// and it asks the same questions in the same order.
public protocol ToolCaller: Sendable {
    /// What the program on the other side said it can be asked for.
    var abilities: Set<CallerAbility> { get }

    /// Tells how far the work is. Dropped where nobody wants to know, and what does not go on from the last report.
    func report(_ progress: ToolProgress) async

    /// Tells something that the program may show or keep. Never a secret, nor somebody else's data.
    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async

    /// Asks everything at once.
    ///
    /// - Parameters:
    ///   - questions: by keys that stay the same when the tool runs again.
    ///   - kept: what the tool wants to find again with the answers, such as the hash of what is to be confirmed. The program
    ///     may read it, and cannot change it.
    /// - Returns: an answer for each question, of the form that was asked for.
    /// - Throws: `InputRequired`, to be let through; `CallerError` when nobody can be asked, or nobody answered.
    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply

    /// Lets go of the connection that waits for the answer, where the program can come back for it: for work that takes long.
    func releaseConnection() async
}

extension ToolCaller {
    public func releaseConnection() async {}
}

/// How far a piece of work is.
public struct ToolProgress: Sendable, Hashable {
    /// Grows from one report to the next.
    public var done: Double
    /// Nil when nobody knows.
    public var total: Double?
    public var message: String?

    public init(done: Double, total: Double? = nil, message: String? = nil) {
        self.done = done
        self.total = total
        self.message = message
    }
}

/// How much a log entry matters, after RFC 5424; least first.
public enum CallerLogLevel: String, Sendable, Hashable, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What a program can be asked for.
public enum CallerAbility: String, Sendable, Hashable, CaseIterable {
    /// Its user fills in a form.
    case form
    /// Its user is shown an address to go to.
    case url
    /// Its language model completes a text.
    case sampling
    /// Which folders it works in.
    case roots
}

/// One question to the program on the other side.
public struct CallerQuestion: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        /// For its user: a flat object of simple values, as MCP's elicitation has it. Never for secrets.
        case form(message: String, schema: JSONSchema)
        /// Parameters of `sampling/createMessage`.
        case sampling(JSONObject)
        case roots
    }

    /// Unique among the questions of one `ask`.
    public let key: String
    public let content: Content

    public init(_ key: String, _ content: Content) {
        self.key = key
        self.content = content
    }

    public var ability: CallerAbility {
        switch content {
        case .form: .form
        case .sampling: .sampling
        case .roots: .roots
        }
    }
}

/// What was said to one question.
public enum CallerAnswer: Sendable, Hashable {
    /// The form, filled in; it fits the schema that was asked with.
    case accepted(JSONObject)
    /// The user said no.
    case declined
    /// The user said nothing. To be treated as no.
    case cancelled
    /// The result of a question that is no form.
    case result(JSONObject)
}

/// What came of `ToolCaller.ask`.
public struct CallerReply: Sendable, Hashable {
    /// By key; one for each question.
    public let answers: [String: CallerAnswer]
    /// As it was given when the questions were asked.
    public let kept: JSONValue

    public init(answers: [String: CallerAnswer], kept: JSONValue) {
        self.answers = answers
        self.kept = kept
    }
}

/// Thrown by `ToolCaller.ask` where questions are answers: the call comes again with what was said. Not a failure.
public struct InputRequired: Error, Sendable, Hashable {
    public let questions: [CallerQuestion]
    public let kept: JSONValue

    public init(questions: [CallerQuestion], kept: JSONValue) {
        self.questions = questions
        self.kept = kept
    }
}

/// Why nobody could be asked.
public struct CallerError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// The program did not say that it can be asked for this.
        case missingAbility
        /// It did not answer in time, or with an error.
        case unanswered
    }

    public let code: Code
    public let message: String
    public let hint: String?
    /// What was missing.
    public let ability: CallerAbility?

    public var kind: FailureKind {
        switch code {
        case .missingAbility: .notConfigured
        case .unanswered: .timedOut
        }
    }

    public static func missing(_ ability: CallerAbility) -> Self {
        Self(
            code: .missingAbility,
            message: "The client cannot be asked for input: it does not declare '\(ability.rawValue)'",
            hint: "use a client that does",
            ability: ability
        )
    }

    public static func unanswered(_ message: String) -> Self {
        Self(code: .unanswered, message: message, hint: "ask again", ability: nil)
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

/// A caller that hears nothing and cannot be asked: REST, chat and the command line.
public struct SilentCaller: ToolCaller {
    public init() {}

    public var abilities: Set<CallerAbility> { [] }
    public func report(_ progress: ToolProgress) async {}
    public func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async {}

    public func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        throw CallerError.missing(questions.first?.ability ?? .form)
    }
}
