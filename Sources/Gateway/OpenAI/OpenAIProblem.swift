import Domain
import HTTPTypes
import LLM
import OpenAIDialect

/// Failures on the paths of the OpenAI dialect, in its shape: its clients know no problem documents.
enum OpenAIProblem {
    /// Whether a path speaks the dialect.
    static func covers(_ path: String) -> Bool { path.hasPrefix("/v1/") }

    static func status(of failure: any Failure) -> HTTPResponse.Status {
        guard let failure = failure as? ModelError else { return ProblemStatus.status(of: failure) }
        switch failure.code {
        case .modelNotFound: return .notFound
        case .inputTooLong: return .badRequest
        case .quotaOfDay, .capReached: return .tooManyRequests
        case .requestRefused, .historyAltered, .cut, .malformedReply, .emptyReply, .replyTooLarge: return .badGateway
        case .timedOut: return .gatewayTimeout
        case .overloaded, .cannotConnect, .keyRefused, .notConfigured: return .serviceUnavailable
        }
    }

    static func body(of failure: any Failure, requestID: String) -> OpenAIErrorBody {
        let status = status(of: failure)
        if let failure = failure as? OpenAIRefusal {
            return OpenAIErrorBody(
                message: failure.message,
                type: "invalid_request_error",
                parameter: failure.parameter,
                code: failure.code == .invalid ? nil : "model_not_found"
            )
        }
        if let failure = failure as? ModelError { return body(of: failure) }
        if (failure as? GatewayError)?.code == .tooManyRequests {
            return OpenAIErrorBody(message: failure.description, type: "rate_limit_error", code: "rate_limit_exceeded")
        }
        let text = ProblemStatus.cover(for: failure.kind) ?? failure.description
        return OpenAIErrorBody(
            message: "\(text) (request \(requestID))",
            type: type(of: status),
            code: failure.kind == .unauthenticated ? "invalid_api_key" : failure.codeText
        )
    }

    /// A language model's failures, told without what stands in its provider's answer.
    private static func body(of failure: ModelError) -> OpenAIErrorBody {
        let (message, code): (String, String) =
            switch failure.code {
            case .modelNotFound: (failure.description, "model_not_found")
            case .inputTooLong: ("The conversation is longer than the model takes.", "context_length_exceeded")
            case .capReached: (failure.description, "insufficient_quota")
            case .quotaOfDay: ("The model's quota is used up.", "insufficient_quota")
            case .overloaded: ("The model is busy. Try again in a moment.", "server_busy")
            case .timedOut: ("The model did not answer in time.", "timeout")
            case .cut: ("The model's answer broke off.", "upstream_cut")
            case .keyRefused, .notConfigured, .cannotConnect:
                ("The model cannot be reached. The server's log has the cause.", "upstream_unavailable")
            case .requestRefused, .historyAltered, .malformedReply, .emptyReply, .replyTooLarge:
                ("The model gave no usable answer. The server's log has the cause.", "upstream_failed")
            }
        return OpenAIErrorBody(message: message, type: type(of: status(of: failure)), code: code)
    }

    /// The shape of an error, for the API document.
    static let schema = JSONSchema(json: [
        "type": "object", "required": ["error"],
        "properties": [
            "error": [
                "type": "object", "required": ["message", "type", "param", "code"],
                "properties": [
                    "message": ["type": "string"], "type": ["type": "string"], "param": ["type": ["string", "null"]],
                    "code": ["type": ["string", "null"]],
                ],
            ]
        ],
    ])

    private static func type(of status: HTTPResponse.Status) -> String {
        switch status.code {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404, 400, 405, 413, 415, 422: "invalid_request_error"
        case 429: "insufficient_quota"
        default: "server_error"
        }
    }

    /// The whole answer.
    static func reply(_ failure: any Failure, requestID: String, headers: HTTPFields) -> Reply {
        var headers = headers
        if let failure = failure as? ModelError, let wait = failure.retryAfter {
            headers[.retryAfter] = "\(max(1, wait.components.seconds))"
        }
        return Reply(
            status: status(of: failure),
            contentType: "application/json",
            headers: headers,
            body: body(of: failure, requestID: requestID).json.encoded()
        )
    }
}

/// A request of the dialect that is wrong, or asks for a model that is not here.
struct OpenAIRefusal: Failure {
    enum Code: String, Sendable { case invalid = "invalid_request", modelNotFound = "model_not_found" }

    let code: Code
    let message: String
    let parameter: String?

    var kind: FailureKind { code == .invalid ? .invalid : .notFound }

    /// What `read` gives; its refusal as one of ours.
    static func reading<Value>(_ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let error as OpenAIRequestError {
            throw OpenAIRefusal(.invalid, error.message, parameter: error.parameter)
        }
    }

    init(_ code: Code, _ message: String, parameter: String?) {
        self.code = code
        self.message = message
        self.parameter = parameter
    }
}
