public import Domain

/// What went wrong with the database. Equal when the codes are.
///
/// `message` and `hint` never hold SQL arguments, cell contents or passwords; `detail` (for the log) holds the
/// engine's code and the SQL text with its placeholders, never the arguments.
public struct DatabaseError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        /// Somebody else holds the lock, or the queue is full: try again later.
        case busy
        /// The deadline passed while waiting or running.
        case timedOut
        /// The task was cancelled.
        case cancelled
        /// A unique or primary key exists already.
        case uniqueViolation
        /// A row that is referred to is missing, or still referred to.
        case foreignKeyViolation
        /// A value that must be there is null.
        case notNullViolation
        /// A CHECK was not met, or a value is too long or out of the column's range or type.
        case checkViolation
        /// The SQL is wrong: our fault.
        case syntax
        /// An argument that the engines can't store alike: NaN, text with U+0000.
        case invalidArgument
        /// A column holds another type than the code reads: our fault.
        case unexpectedType
        /// The server can't be reached, or hung up before anything could be committed.
        case connection
        /// The connection was lost during COMMIT: the change may or may not be stored.
        case outcomeUnknown
        /// The URL is wrong, the server refuses the login, the file can't be opened.
        case configuration
        /// The stored data is damaged, or is no database.
        case corrupt
        /// A newer program has migrated this database.
        case newerSchema
        /// A migration that was applied has been edited, reordered or is incomplete.
        case damagedMigration
        /// The database, its disk or the transaction refuses writes.
        case readOnly
        /// The disk is full.
        case full
        /// `close()` was called.
        case closed
        case `internal`
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .busy, .connection: .busy
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        case .uniqueViolation, .foreignKeyViolation: .conflict
        case .invalidArgument: .invalid
        case .configuration, .readOnly, .full: .notConfigured
        case .corrupt, .newerSchema, .damagedMigration: .corrupt
        case .notNullViolation, .checkViolation, .syntax, .unexpectedType, .outcomeUnknown, .closed, .internal:
            .internal
        }
    }

    /// Whether a constraint of the schema refused the change.
    public var isConstraintViolation: Bool {
        switch code {
        case .uniqueViolation, .foreignKeyViolation, .notNullViolation, .checkViolation: true
        default: false
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension DatabaseError {
    static func invalidArgument(_ message: String) -> Self { Self(.invalidArgument, message) }

    static func unexpectedType(_ message: String) -> Self { Self(.unexpectedType, message) }

    static func internalError(_ message: String, detail: String? = nil) -> Self {
        Self(.internal, message, detail: detail)
    }

    static let cancelled = Self(.cancelled, "the caller gave up before the database had answered")

    static let closed = Self(.closed, "the database is closed")

    static func timedOut(_ doing: String) -> Self { Self(.timedOut, "the deadline passed while \(doing)") }

    static func wrongArgumentCount(expected: Int, received: Int, sql: String) -> Self {
        Self(
            .syntax,
            "a statement takes \(expected) arguments and was given \(received)",
            detail: "in: \(sql.prefix(500))"
        )
    }

    static let nestedStatement = Self(
        .internal,
        "a statement was run inside forEachRow: gather the rows first, then run it"
    )

    static let endedByBody = Self(.internal, "a body ended the transaction it was given")

    static func queueFull(_ waiting: Int) -> Self {
        Self(.busy, "the database is busy: \(waiting) calls are waiting already", hint: "try again in a moment")
    }
}
