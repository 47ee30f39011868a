import Access
import Airtable
import Domain
import HTTPTypes

/// The one translation of failures to the errors of Airtable's Web API, for every path under `/v0`.
///
/// Airtable has two shapes: an object with a type and a message, and the bare `{"error":"NOT_FOUND"}`. What is told
/// apart from what follows its documentation and what clients have seen; where nothing is known we decide:
/// - a method that an address does not take is not found there, as any other unknown route;
/// - a body of another media type is a bad request, as one that is no JSON is;
/// - what is our fault is a `SERVER_ERROR`; what passes (busy, out of time) a `SERVICE_UNAVAILABLE`;
/// - hints go into no message that Airtable has itself, so that texts compare equal.
enum AirtableProblem {
    /// Whether a path speaks Airtable's API.
    static func covers(_ path: String) -> Bool { path.hasPrefix("/v0/") || path == "/v0" }

    /// One row of the table: what a failure is answered with.
    struct Row: Sendable, Hashable {
        let status: HTTPResponse.Status
        let type: String
        /// Nil for the bare shape.
        let message: String?

        init(_ status: HTTPResponse.Status, _ type: String, _ message: String?) {
            self.status = status
            self.type = type
            self.message = message
        }

        static let notFound = Row(.notFound, "NOT_FOUND", nil)
        static let unavailable = Row(
            .serviceUnavailable,
            "SERVICE_UNAVAILABLE",
            "The service is temporarily unavailable. Please retry shortly."
        )
        static let serverError = Row(
            .internalServerError,
            "SERVER_ERROR",
            "Try again. If the problem persists, contact support."
        )
        static let noModel = Row(
            .forbidden,
            "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
            "Invalid permissions, or the requested model was not found. Check that both your user and your token "
                + "have the required permissions, and that the model names and/or ids are correct."
        )
        static let forbidden = Row(
            .forbidden,
            "INVALID_PERMISSIONS",
            "You are not permitted to perform this operation"
        )
        static let unauthenticated = Row(.unauthorized, "AUTHENTICATION_REQUIRED", "Authentication required")
        static let noJSON = Row(.badRequest, "INVALID_REQUEST_BODY", "Could not parse request body")

        var body: JSONValue {
            guard let message else { return ["error": .string(type)] }
            return ["error": ["type": .string(type), "message": .string(message)]]
        }
    }

    static func row(of failure: any Failure) -> Row {
        switch failure {
        case let failure as AirtableRefusal:
            let status: HTTPResponse.Status = failure.code == .rateLimited ? .tooManyRequests : .unprocessableContent
            return Row(status, failure.code.rawValue, failure.message)
        case let failure as AirtableError: return row(of: failure)
        case let failure as GatewayError: return row(of: failure)
        case let failure as JSONError:
            if failure.kind == .tooLarge { return tooLarge(nil) }
            return failure.kind == .invalid ? .noJSON : .serverError
        default: return row(of: failure.kind, failure.message)
        }
    }

    private static func row(of failure: AirtableError) -> Row {
        switch failure.code {
        case .notFound: .notFound
        case .modelNotFound: .noModel
        case .noSuchView: Row(.notFound, failure.code.rawValue, failure.message)
        case .tooLarge: tooLarge(failure.message)
        case .resynchronise, .importGone: row(of: failure.kind, failure.message)
        case .billingLimit: Row(.tooManyRequests, failure.code.rawValue, failure.message)
        default:
            // The store's codes are Airtable's own.
            failure.kind == .invalid || failure.kind == .conflict
                ? Row(.unprocessableContent, failure.code.rawValue, failure.message)
                : row(of: failure.kind, failure.message)
        }
    }

    private static func row(of failure: GatewayError) -> Row {
        switch failure.code {
        case .notFound, .upgradeRequired: .notFound
        // Airtable says 404; that a path is there for other methods is HTTP's own business, and its clients' (RFC 9110).
        case .methodNotAllowed: Row(.methodNotAllowed, "METHOD_NOT_ALLOWED", failure.message)
        case .unsupportedMediaType: Row(.badRequest, "BAD_REQUEST", failure.message)
        case .bodyInterrupted: .noJSON
        case .malformedRequest, .unsupportedVersion, .requestTooSlow, .unknownExpectation:
            Row(ProblemStatus.status(of: failure), "BAD_REQUEST", failure.message)
        case .headTooLarge: Row(ProblemStatus.status(of: failure), "REQUEST_TOO_LARGE", failure.message)
        case .tooManyConnections, .tooManyRequests: row(of: AirtableRefusal.rateLimited(retryAfterSeconds: 1))
        case .notAcceptable: Row(.notAcceptable, "NOT_ACCEPTABLE", failure.message)
        case .preconditionFailed: Row(.preconditionFailed, "PRECONDITION_FAILED", failure.message)
        case .idempotencyKeyInUse: Row(.conflict, "CONFLICT", failure.message)
        case .invalidBody, .invalidParameter, .idempotencyKeyReused, .invalidCursor:
            Row(.unprocessableContent, "INVALID_REQUEST_UNKNOWN", AirtableRefusal.invalid(failure.message).message)
        case .bodyTooLarge: tooLarge(nil)
        case .uriTooLong: Row(.contentTooLarge, "REQUEST_TOO_LARGE", failure.message)
        case .foreignOrigin: .forbidden
        case .tooManySockets, .timedOut, .clientGone, .overloaded: .unavailable
        }
    }

    /// Failures of modules that know nothing of Airtable, by whose fault they are.
    private static func row(of kind: FailureKind, _ message: String) -> Row {
        switch kind {
        case .unauthenticated: .unauthenticated
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .invalid, .conflict:
            Row(.unprocessableContent, "INVALID_REQUEST_UNKNOWN", AirtableRefusal.invalid(message).message)
        case .tooLarge: tooLarge(message)
        case .busy, .notConfigured, .timedOut, .cancelled: .unavailable
        case .corrupt, .internal: .serverError
        }
    }

    private static func tooLarge(_ message: String?) -> Row {
        Row(.contentTooLarge, "REQUEST_TOO_LARGE", message ?? "Request body is too large")
    }

    /// The whole answer.
    static func reply(_ failure: any Failure, headers: HTTPFields) -> Reply {
        let row = row(of: failure)
        var headers = headers
        if row.status != .methodNotAllowed { headers[.allow] = nil }
        let refusedFor =
            (failure as? AirtableRefusal)?.retryAfterSeconds ?? (failure as? GatewayError)?.retryAfterSeconds
        if let seconds = refusedFor { headers[.retryAfter] = "\(seconds)" }
        return Reply(
            status: row.status,
            contentType: AirtableReply.contentType,
            headers: headers,
            body: row.body.encoded()
        )
    }

    // MARK: In the API document

    static func statuses(of route: Route) -> [HTTPResponse.Status] {
        var statuses: [HTTPResponse.Status] = [
            .unauthorized, .forbidden, .notFound, .contentTooLarge, .unprocessableContent, .tooManyRequests,
            .internalServerError, .serviceUnavailable, .notAcceptable,
        ]
        if route.body != nil { statuses.append(.badRequest) }
        if route.takesIfMatch { statuses.append(.preconditionFailed) }
        return Array(Set(statuses + route.problems)).sorted { $0.code < $1.code }
    }

    static let schema = JSONSchema(json: [
        "type": "object", "required": ["error"],
        "properties": [
            "error": [
                "oneOf": [
                    ["type": "string"],
                    [
                        "type": "object", "required": ["type", "message"],
                        "properties": ["type": ["type": "string"], "message": ["type": "string"]],
                    ],
                ]
            ]
        ],
    ])
}
