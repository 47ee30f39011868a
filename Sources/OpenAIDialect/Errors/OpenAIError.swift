public import Domain

/// Why a server of the dialect gave no answer, or why a request in it cannot be read. Equality is by code.
public struct OpenAIError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The key is missing, wrong, or may not.
        case keyRefused
        case modelNotFound
        /// The server calls the request wrong.
        case requestRefused
        /// More tokens than the model takes.
        case inputTooLong
        /// Later it works: too many requests, or the server is busy.
        case overloaded
        /// What was paid for is used up; waiting does not help.
        case quotaUsedUp
        /// The server failed inside.
        case serverFailed
        /// The stream ended before the answer did.
        case cut
        /// What came is not of the dialect.
        case malformedReply
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?
    /// When to come back, if the server said so.
    public let retryAfter: Duration?

    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        detail: String? = nil,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.retryAfter = retryAfter
    }

    public var kind: FailureKind {
        switch code {
        case .keyRefused, .modelNotFound: .notConfigured
        case .requestRefused: .internal
        case .inputTooLong: .tooLarge
        case .overloaded, .quotaUsedUp, .serverFailed, .cut, .malformedReply: .busy
        }
    }

    /// Whether the same request may well be answered later.
    public var isTransient: Bool {
        switch code {
        case .overloaded, .serverFailed, .cut, .malformedReply: true
        case .keyRefused, .modelNotFound, .requestRefused, .inputTooLong, .quotaUsedUp: false
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

/// A request that is not of the dialect, or asks for what is not offered; `message` names the member.
public struct OpenAIRequestError: Error, Sendable, Hashable {
    public let message: String
    /// The member at fault, such as `messages[2].content`.
    public let parameter: String?

    public init(_ message: String, parameter: String? = nil) {
        self.message = message
        self.parameter = parameter
    }
}
