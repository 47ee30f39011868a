/// Why a turn is over, in the API's own word, and what follows from it.
public struct GeminiFinish: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case stop
        /// The bound of output was reached.
        case maxTokens
        /// There is more, to be asked for with a token.
        case continuation
        /// Declined: the same will be declined again.
        case refused
        /// Stopped in a way that may not happen again.
        case stopped
        /// The model wrote a call that can't be read or that is not offered.
        case malformed
        /// We sent calls without their signatures.
        case missingSignature
        /// Anything else, words of tomorrow included.
        case abnormal
    }

    public let reason: String
    public let kind: Kind

    /// - Parameter reason: a candidate's `finishReason`.
    public init(reason: String) {
        self.init(reason: reason, kind: Self.kind(of: reason))
    }

    /// The question itself was declined, whatever the word.
    public static func blocked(_ reason: String) -> Self { Self(reason: reason, kind: .refused) }

    init(reason: String, kind: Kind) {
        self.reason = reason
        self.kind = kind
    }

    private static func kind(of reason: String) -> Kind {
        switch reason {
        case "STOP": .stop
        case "MAX_TOKENS": .maxTokens
        case "CONTINUATION": .continuation
        case "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT":
            .refused
        case "RECITATION", "LANGUAGE", "OTHER": .stopped
        case "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL": .malformed
        case "MISSING_THOUGHT_SIGNATURE": .missingSignature
        default: .abnormal
        }
    }
}
