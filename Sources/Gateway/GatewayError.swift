public import Domain

/// What the HTTP edge itself refuses, before or without asking a service. Equal when the codes are equal.
public struct GatewayError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No route has this path, or an identifier in it has the wrong form.
        case notFound
        case methodNotAllowed
        /// The body is not `application/json`.
        case unsupportedMediaType
        /// `Origin` or `Host` is not one that may call.
        case foreignOrigin
        /// The body is longer than the route takes.
        case bodyTooLarge
        case uriTooLong
        /// JSON that does not fit the route's schema.
        case invalidBody
        /// A query parameter that is unknown, repeated or out of range.
        case invalidParameter
        /// Bytes that are no request, or one that could be read in two ways.
        case malformedRequest
        case headTooLarge
        /// Another version of HTTP.
        case unsupportedVersion
        /// A head or a body that did not come in time.
        case requestTooSlow
        case unknownExpectation
        /// As many connections as one address may have.
        case tooManyConnections
        /// More requests than the caller may make; which limit is in the header `RateLimit`.
        case tooManyRequests
        /// More work than this server takes at once.
        case overloaded
        /// `Accept` names nothing that this address gives.
        case notAcceptable
        /// `If-Match` names another version than there is.
        case preconditionFailed
        /// An `Idempotency-Key` that was used for another request, or whose request is not done yet.
        case idempotencyKeyReused, idempotencyKeyInUse
        /// A cursor that this server did not give to this caller for this list.
        case invalidCursor
        /// A WebSocket's address, asked for something else.
        case upgradeRequired
        /// As many sockets as one user may have.
        case tooManySockets
        /// The request's deadline passed.
        case timedOut
        /// The client went away while it sent its body.
        case bodyInterrupted
        /// The client went away before its answer was made, on a route where nobody else wants it.
        case clientGone
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?
    /// The methods a path does have; only with `methodNotAllowed`.
    let allowedMethods: [String]
    /// Whole seconds after which trying again may help; nil when it will not.
    let retryAfterSeconds: Int?

    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        detail: String? = nil,
        allowedMethods: [String] = [],
        retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.allowedMethods = allowedMethods
        self.retryAfterSeconds = retryAfterSeconds
    }

    public var kind: FailureKind {
        switch code {
        case .notFound: .notFound
        case .methodNotAllowed, .unsupportedMediaType, .invalidBody, .invalidParameter, .bodyInterrupted,
            .upgradeRequired, .malformedRequest, .unsupportedVersion, .requestTooSlow, .unknownExpectation,
            .tooManyConnections, .tooManyRequests, .notAcceptable, .idempotencyKeyReused, .invalidCursor:
            .invalid
        case .tooManySockets, .preconditionFailed, .idempotencyKeyInUse: .conflict
        case .overloaded: .busy
        case .foreignOrigin: .forbidden
        case .bodyTooLarge, .uriTooLong, .headTooLarge: .tooLarge
        case .timedOut: .timedOut
        case .clientGone: .cancelled
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension GatewayError {
    static let notFound = GatewayError(.notFound, "There is nothing at this address.", hint: "see /openapi.json")

    /// - Throws: `uriTooLong`.
    static func checkLength(ofTarget target: String, path: String) throws(GatewayError) {
        let limit = AirtableProblem.covers(path) ? Limits.airtableURIBytes : Limits.uriBytes
        guard target.utf8.count > limit else { return }
        throw Self(.uriTooLong, "The address is longer than \(limit) bytes.")
    }

    static func bodyTooLarge(_ limit: Int) -> Self {
        Self(.bodyTooLarge, "The body is longer than the \(limit) bytes this route takes.")
    }
}
