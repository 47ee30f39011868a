public import Domain

/// Why chat refuses. Equality is by code.
public struct ChatError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No such conversation, message or run of this user, or not to be seen with this key.
        case notFound
        /// Nothing was asked.
        case emptyMessage
        case messageTooLong
        /// The parent is no answer of this conversation.
        case invalidParent
        /// A setting out of its range.
        case invalidSettings
        /// The answer that would be gone on from is still being made.
        case answerUnfinished
        /// As many messages as a conversation may have.
        case conversationFull
        /// The user has as many runs as they may.
        case tooManyRunsOfUser
        /// This server has as many runs as it takes.
        case tooManyRuns
        /// The server is starting or ending.
        case notRunning
        /// A stored row does not decode.
        case corrupt
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
        case .notFound: .notFound
        case .emptyMessage, .invalidParent, .invalidSettings: .invalid
        case .messageTooLong: .tooLarge
        case .answerUnfinished, .conversationFull: .conflict
        case .tooManyRunsOfUser, .tooManyRuns, .notRunning: .busy
        case .corrupt: .corrupt
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension ChatError {
    static func notFound(_ what: String) -> Self { Self(.notFound, "No such \(what).") }

    static func corrupt(_ table: String, _ detail: String) -> Self {
        Self(
            .corrupt,
            "A stored row of \(table) is damaged.",
            hint: "restore the database from a backup",
            detail: detail
        )
    }

    static let notRunning = Self(
        .notRunning,
        "Chat is starting or ending on this server.",
        hint: "try again in a moment"
    )

    static let tooManyRuns = Self(
        .tooManyRuns,
        "This server is making \(Limits.chatRuns) answers already.",
        hint: "try again in a moment"
    )

    static let tooManyRunsOfUser = Self(
        .tooManyRunsOfUser,
        "\(Limits.chatRunsPerUser) answers are being made for you already.",
        hint: "wait for one to end, or cancel it"
    )
}
