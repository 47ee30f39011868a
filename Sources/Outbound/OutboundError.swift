public import Domain

/// Why an outgoing call failed. Equality is by code.
public struct OutboundError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The address cannot be read, has credentials in it, or another scheme than http and https.
        case invalidAddress
        /// The address leads where outgoing calls may not go.
        case addressRefused
        /// No connection: refused, no such host, TLS failed.
        case cannotConnect
        /// The connection ended before the reply did.
        case connectionLost
        /// No head of a reply in time.
        case noReply
        /// The reply stopped arriving.
        case stalled
        /// The call as a whole took too long.
        case timedOut
        case replyTooLarge
        /// What arrived is no HTTP, or no event stream.
        case malformedReply
        /// Too many failures lately: the circuit is open, nothing was sent.
        case circuitOpen
        /// The transport was shut down.
        case closed
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .invalidAddress, .addressRefused: .notConfigured
        case .cannotConnect, .connectionLost, .malformedReply, .circuitOpen, .replyTooLarge: .busy
        case .noReply, .stalled, .timedOut: .timedOut
        case .closed: .cancelled
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
