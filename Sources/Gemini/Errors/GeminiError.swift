public import Domain

/// Why Gemini gave no answer. Equality is by code.
public struct GeminiError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Not a model's name; nothing was sent.
        case invalidName
        /// A request that the API is known to refuse; nothing was sent.
        case invalidRequest
        /// 400: the API calls the request wrong.
        case requestRefused
        /// 400: more tokens than the model reads.
        case inputTooLong
        /// Calls, responses or signatures are not as the model gave them.
        case historyAltered
        /// The key is wrong, of the wrong kind, or may not do this.
        case keyRefused
        /// 400 FAILED_PRECONDITION: not in this region, or not without billing.
        case preconditionFailed
        case modelNotFound
        /// 429 that passes within minutes.
        case quotaOfMinute
        case quotaOfDay
        /// 5xx and 408: nobody's fault.
        case overloaded
        case cannotConnect
        /// The reply ended before the turn did.
        case cut
        case timedOut
        case replyTooLarge
        /// Not what the API answers: a page of a proxy, broken JSON.
        case malformedReply
        /// No content, or a broken call, once more after one more try.
        case emptyReply
        /// Texts that the API does not embed; `positions` says which.
        case textsRefused
        /// Vectors that do not fit what was asked.
        case wrongEmbeddings
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?
    /// Of HTTP, if a head came.
    public let status: Int?
    /// When to come back, as the API says.
    public let retryAfter: Duration?
    /// Whether the same request may well succeed in a moment.
    public let isTransient: Bool
    /// Of the refused ones among the texts to embed.
    public let positions: [Int]
    /// Of attempts that were billed all the same.
    public var usage: GeminiUsage

    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        detail: String? = nil,
        status: Int? = nil,
        retryAfter: Duration? = nil,
        isTransient: Bool? = nil,
        positions: [Int] = [],
        usage: GeminiUsage = GeminiUsage()
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.status = status
        self.retryAfter = retryAfter
        self.isTransient = isTransient ?? Self.isUsuallyTransient(code)
        self.positions = positions
        self.usage = usage
    }

    public var kind: FailureKind {
        switch code {
        case .invalidName, .textsRefused: .invalid
        case .keyRefused, .preconditionFailed, .modelNotFound: .notConfigured
        case .quotaOfMinute, .quotaOfDay, .overloaded, .cannotConnect, .cut, .malformedReply, .emptyReply: .busy
        case .timedOut: .timedOut
        case .replyTooLarge, .inputTooLong: .tooLarge
        case .invalidRequest, .requestRefused, .historyAltered, .wrongEmbeddings: .internal
        }
    }

    private static func isUsuallyTransient(_ code: Code) -> Bool {
        switch code {
        case .quotaOfMinute, .overloaded, .cannotConnect, .cut, .timedOut, .malformedReply: true
        default: false
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
