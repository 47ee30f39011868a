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

    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        detail: String? = nil,
        allowedMethods: [String] = []
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.allowedMethods = allowedMethods
    }

    public var kind: FailureKind {
        switch code {
        case .notFound: .notFound
        case .methodNotAllowed, .unsupportedMediaType, .invalidBody, .invalidParameter, .bodyInterrupted,
            .upgradeRequired:
            .invalid
        case .tooManySockets: .conflict
        case .foreignOrigin: .forbidden
        case .bodyTooLarge, .uriTooLong: .tooLarge
        case .timedOut: .timedOut
        case .clientGone: .cancelled
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension GatewayError {
    static let notFound = GatewayError(.notFound, "There is nothing at this address.", hint: "see /openapi.json")

    static func bodyTooLarge(_ limit: Int) -> Self {
        Self(.bodyTooLarge, "The body is longer than the \(limit) bytes this route takes.")
    }
}
