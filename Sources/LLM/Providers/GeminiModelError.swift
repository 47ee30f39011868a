import Domain
import Gemini

enum GeminiModelError {
    /// Runs `body`, with its error in the words of `ModelError`.
    static func translated<Value>(_ body: () throws(GeminiError) -> Value) throws(ModelError) -> Value {
        do throws(GeminiError) {
            return try body()
        } catch {
            throw ModelError(error)
        }
    }
}

extension ModelError {
    init(_ error: GeminiError) {
        self.init(
            Self.code(error.code),
            error.message,
            hint: error.hint,
            detail: error.detail,
            retryAfter: error.retryAfter,
            usage: TokenUsage(error.usage)
        )
    }

    private static func code(_ code: GeminiError.Code) -> Code {
        switch code {
        case .invalidName, .modelNotFound: .modelNotFound
        case .invalidRequest, .requestRefused, .textsRefused: .requestRefused
        case .inputTooLong: .inputTooLong
        case .historyAltered: .historyAltered
        case .keyRefused, .preconditionFailed: .keyRefused
        case .quotaOfMinute, .overloaded: .overloaded
        case .quotaOfDay: .quotaOfDay
        case .cannotConnect: .cannotConnect
        case .cut: .cut
        case .timedOut: .timedOut
        case .replyTooLarge: .replyTooLarge
        case .malformedReply, .wrongEmbeddings: .malformedReply
        case .emptyReply: .emptyReply
        }
    }
}
