import Access
import Domain
import HTTPTypes

/// The one translation of failures to HTTP.
///
/// A module's failure is answered by its kind; what HTTP itself has a finer status for, by the gateway's own code.
enum ProblemStatus {
    static func status(of failure: any Failure) -> HTTPResponse.Status {
        if let failure = failure as? GatewayError, let status = status(of: failure.code) { return status }
        return status(of: failure.kind)
    }

    static func status(of kind: FailureKind) -> HTTPResponse.Status {
        switch kind {
        case .invalid: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .busy, .notConfigured, .cancelled: .serviceUnavailable
        case .timedOut: .gatewayTimeout
        case .corrupt, .internal: .internalServerError
        }
    }

    private static func status(of code: GatewayError.Code) -> HTTPResponse.Status? {
        switch code {
        case .methodNotAllowed: .methodNotAllowed
        case .unsupportedMediaType: .unsupportedMediaType
        case .uriTooLong: .uriTooLong
        case .invalidBody: .unprocessableContent
        case .upgradeRequired: .upgradeRequired
        case .headTooLarge: .requestHeaderFieldsTooLarge
        case .unsupportedVersion: unsupportedVersion
        case .requestTooSlow: .requestTimeout
        case .unknownExpectation: .expectationFailed
        case .tooManyConnections, .tooManyRequests: .tooManyRequests
        case .notAcceptable: .notAcceptable
        case .preconditionFailed: .preconditionFailed
        case .idempotencyKeyReused: .unprocessableContent
        case .notFound, .foreignOrigin, .tooManySockets, .bodyTooLarge, .invalidParameter, .timedOut, .bodyInterrupted,
            .clientGone, .malformedRequest, .overloaded, .idempotencyKeyInUse, .invalidCursor:
            nil
        }
    }

    static let unsupportedVersion = HTTPResponse.Status(code: 505, reasonPhrase: "HTTP Version Not Supported")

    /// One phrase a status, the same for every problem that has it.
    static func title(of status: HTTPResponse.Status) -> String {
        switch status {
        case .badRequest: "Bad request"
        case .unauthorized: "Not authenticated"
        case .forbidden: "Not permitted"
        case .notFound: "Not found"
        case .methodNotAllowed: "Method not allowed"
        case .notAcceptable: "Not acceptable"
        case .conflict: "Conflict"
        case .contentTooLarge: "Too large"
        case .uriTooLong: "Address too long"
        case .unsupportedMediaType: "Unsupported media type"
        case .upgradeRequired: "Upgrade required"
        case .unprocessableContent: "Invalid content"
        case .tooManyRequests: "Too many requests"
        case .preconditionFailed: "Precondition failed"
        case .requestHeaderFieldsTooLarge: "Header too large"
        case .requestTimeout: "Request too slow"
        case .expectationFailed: "Expectation failed"
        case unsupportedVersion: "Version not supported"
        case .badGateway: "Bad gateway"
        case .serviceUnavailable: "Unavailable"
        case .gatewayTimeout: "Timed out"
        default: "Server error"
        }
    }

    /// What is said in place of a message that may name files, tables or settings of this machine. The log has it.
    static func cover(for kind: FailureKind) -> String? {
        switch kind {
        case .corrupt, .internal: "The server could not answer. Its log has the cause under this request id."
        case .notConfigured: "The server is not set up for this. Its log has the cause under this request id."
        case .busy: "The server is busy. Try again in a moment."
        case .timedOut: "The answer took longer than the server allows."
        case .cancelled: "The request was given up."
        case .invalid, .unauthenticated, .forbidden, .notFound, .conflict, .tooLarge: nil
        }
    }

    /// Seconds after which trying again may help.
    static func retryAfterSeconds(_ kind: FailureKind) -> Int? { kind == .busy ? 1 : nil }
}
