import Domain
import Outbound

extension AirtableError {
    /// Reads an error reply of the hosted service, of which there are three shapes, and pages of whatever stands in
    /// between: `{"error":{"type","message"}}`, `{"error":"TYPE"}`, `{"errors":[{"error","message"}]}`.
    ///
    /// Type and message are the service's own where we know the type; an unknown type is told by its status, and kept
    /// in the detail.
    static func hosted(status: Int, body: [UInt8], token: OutboundSecret) -> Self {
        let parts = HostedErrorBody(body)
        let code = parts.type.flatMap { Self.code(of: $0, status: status) } ?? Self.code(of: status)
        let message = parts.message.map { token.redacted(in: $0) }
        let type = parts.type.map { token.redacted(in: $0).cut(to: 100) }
        return Self(
            code,
            message?.cut(to: 1_000) ?? standardMessage(code, status),
            hint: hint(code),
            detail: "HTTP \(status)\(type.map { ", \($0)" } ?? ", not an error of the API")"
        )
    }

    /// A call that got no whole answer.
    static func hosted(_ error: OutboundError) -> Self {
        Self(
            .upstreamFailed,
            "The hosted service could not be asked: \(error.message)",
            hint: error.hint,
            detail: error.detail
        )
    }

    /// A write of which nobody knows whether it happened.
    static func uncertain(_ cause: AirtableError) -> Self {
        Self(
            .writeUncertain,
            "The hosted service gave no answer to a write: it may have happened, or not.",
            hint: "read the records before writing them again",
            detail: [cause.message, cause.detail].compactMap(\.self).joined(separator: "; ")
        )
    }

    static func malformedHosted(_ what: String) -> Self {
        Self(
            .upstreamFailed,
            "What the hosted service answered is not as its API says: \(what)",
            hint: "check AIRTABLE_ENDPOINT_URL, and what stands between here and there"
        )
    }

    /// - Parameter restSeconds: until the service may take calls again, when it said so.
    static func queuedTooLong(limit: Int, restSeconds: Int64? = nil) -> Self {
        Self(
            .busy,
            "The hosted service takes \(limit) calls a second for a base, and this one found no place in time.",
            hint: restSeconds.map { "try again in \($0) s" } ?? "try again, or give the call more time"
        )
    }

    static func queueFull() -> Self {
        Self(.busy, "Too many calls to the hosted service wait for this base already.", hint: "try again later")
    }

    /// A type of the service's that says the same here. Codes of our own are not taken from outside.
    private static func code(of type: String, status: Int) -> Code? {
        if ["RATE_LIMIT_REACHED", "TOO_MANY_REQUESTS"].contains(type) { return .busy }
        guard (400..<500).contains(status), let code = Code(rawValue: type) else { return nil }
        switch code {
        case .corrupt, .resynchronise, .importGone, .writeUncertain: return nil
        default: return code
        }
    }

    private static func code(of status: Int) -> Code {
        switch status {
        case 401: .authenticationRequired
        case 402: .billingLimit
        case 403: .invalidPermissions
        case 404: .notFound
        case 413: .tooLarge
        case 429: .busy
        case 400..<500: .invalidRequest
        default: .upstreamFailed
        }
    }

    private static func standardMessage(_ code: Code, _ status: Int) -> String {
        switch code {
        case .authenticationRequired: "The hosted service does not accept the token."
        case .billingLimit: "The calls that the hosted service's plan allows are used up."
        case .invalidPermissions: "The token may not do this."
        case .modelNotFound: "There is no such base or table, or the token may not see it."
        case .notFound: "There is no such record, or no such thing at this address."
        case .tooLarge: "The request is too large for the hosted service."
        case .busy: "The hosted service refuses calls for its limit a second."
        case .upstreamFailed: "The hosted service failed with status \(status)."
        default: "The hosted service refused the request with status \(status)."
        }
    }

    private static func hint(_ code: Code) -> String? {
        switch code {
        case .authenticationRequired: "check AIRTABLE_API_KEY, or store a new token for the workspace"
        case .invalidPermissions: "give the token the scope and its owner the right"
        case .upstreamFailed: "try again later"
        default: nil
        }
    }
}

/// Type and message of an error reply, as far as it has them.
private struct HostedErrorBody {
    var type: String?
    var message: String?

    init(_ body: [UInt8]) {
        // What is no JSON has neither.
        guard let json = try? JSONValue(parsing: body) else { return }
        let error = json["error"] ?? json["errors"]?[0]
        type = error?.stringValue ?? error?["type"]?.stringValue ?? error?["error"]?.stringValue
        message = error?["message"]?.stringValue ?? json["message"]?.stringValue
    }
}
