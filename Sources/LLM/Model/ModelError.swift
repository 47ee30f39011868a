public import Domain

/// Why a model gave no turn. Equality is by code.
public struct ModelError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No key, or no address, is configured.
        case notConfigured
        /// The provider does not accept the key.
        case keyRefused
        case modelNotFound
        /// The provider calls our request wrong.
        case requestRefused
        /// The history was altered: our own fault.
        case historyAltered
        /// Busy: the quota of the minute, or overload; later it works.
        case overloaded
        /// The quota of the day is used up.
        case quotaOfDay
        case cannotConnect
        /// The stream ended before the turn did.
        case cut
        case timedOut
        case replyTooLarge
        case malformedReply
        /// The turn stayed empty, or kept failing, after one more try.
        case emptyReply
        /// A cap of this installation, for the user or the tenant.
        case capReached
        /// The request cannot be made to fit the model.
        case inputTooLong
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?
    /// When to come back, if known.
    public let retryAfter: Duration?
    /// Tokens that were used all the same.
    public let usage: TokenUsage

    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        detail: String? = nil,
        retryAfter: Duration? = nil,
        usage: TokenUsage = TokenUsage()
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.retryAfter = retryAfter
        self.usage = usage
    }

    public var kind: FailureKind {
        switch code {
        case .notConfigured, .keyRefused, .modelNotFound: .notConfigured
        case .requestRefused, .historyAltered: .internal
        case .overloaded, .quotaOfDay, .cannotConnect, .cut, .malformedReply, .emptyReply, .capReached: .busy
        case .timedOut: .timedOut
        case .replyTooLarge, .inputTooLong: .tooLarge
        }
    }

    /// Whether another model may well answer what this one did not.
    public var mayFallBack: Bool {
        switch code {
        case .keyRefused, .modelNotFound, .overloaded, .quotaOfDay, .cannotConnect, .timedOut, .emptyReply, .cut,
            .malformedReply, .notConfigured:
            true
        case .requestRefused, .historyAltered, .replyTooLarge, .capReached, .inputTooLong: false
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
