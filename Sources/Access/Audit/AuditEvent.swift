import Crypto
public import Domain

/// One thing that happened, as the audit log tells it: who did what to which object, and how it ended.
///
/// It holds identifiers and words of ours, never what a cell, a prompt or a secret says: there is no member that
/// takes a text of a user, and `details` come in closed kinds, cut to 200 characters.
public struct AuditEvent: Sendable, Hashable {
    public enum Result: String, Sendable, Hashable, CaseIterable {
        case done
        /// Not permitted, or not proved.
        case refused
        case failed
    }

    /// What an event may say beside its fixed members.
    public enum Detail: String, Sendable, Hashable, CaseIterable {
        case account, count, fields, format, kind, permission, purpose, reason, records, repeated, role, route, scopes
        case status, tables, tool, workspace
    }

    public var action: AuditAction
    public var result: Result
    public var time: Instant
    /// Whose rights were used; nil when nobody has proved who they are.
    public var user: UserID?
    public var key: KeyID?
    public var session: SessionID?
    /// The program that acted on the user's behalf, such as `chat` or `mcp`; nil when it was the user's own request.
    public var agent: String?
    public var origin: Origin?
    public var object: AuditObject?
    /// SHA-256 of what the object was, and of what it is now; see `digest(of:)`.
    public var before: String?
    public var after: String?
    public var requestID: String?
    /// The caller's network address.
    public var address: String?
    public var details: [Detail: String]

    public init(
        _ action: AuditAction,
        result: Result = .done,
        at time: Instant,
        user: UserID? = nil,
        key: KeyID? = nil,
        session: SessionID? = nil,
        object: AuditObject? = nil,
        requestID: String? = nil,
        address: String? = nil,
        details: [Detail: String] = [:]
    ) {
        self.action = action
        self.result = result
        self.time = time
        self.user = user
        self.key = key
        self.session = session
        self.object = object
        self.requestID = requestID
        self.address = address
        self.details = details
    }

    /// What the caller of `context` did.
    public init(
        _ action: AuditAction,
        result: Result = .done,
        at time: Instant,
        by context: RequestContext,
        object: AuditObject? = nil,
        details: [Detail: String] = [:]
    ) {
        self.init(
            action,
            result: result,
            at: time,
            user: context.principal.user,
            key: context.principal.key,
            session: context.principal.session,
            object: object,
            requestID: context.id,
            address: context.clientAddress,
            details: details
        )
        origin = context.origin
    }

    /// 64 hexadecimal digits that tell two states of an object apart and do not tell what they were.
    public static func digest(of state: JSONValue) -> String { hexadecimal(SHA256.hash(data: state.encoded())) }
}

/// What something was done to.
public struct AuditObject: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case account, user, key, session, invite, tenant, workspace, base, table, record, view, field, attachment
        case grant, role, group, credential, conversation, tool, route, log, backup, signingKey
    }

    public let kind: Kind
    /// An identifier of ours, or a name from our programs, such as a route or a tool.
    public let id: String

    public init(_ kind: Kind, _ id: some CustomStringConvertible) {
        self.kind = kind
        self.id = id.description
    }
}

/// Where events stand in a row, each with the hash of the one before it.
public enum AuditChain: Sendable, Hashable {
    case tenant(TenantID)
    /// What belongs to no tenant, such as a bearer that nobody knows.
    case server

    public init(_ tenant: TenantID?) { self = tenant.map { .tenant($0) } ?? .server }

    /// As it is stored and hashed.
    public var name: String {
        switch self {
        case .tenant(let id): id.description
        case .server: "server"
        }
    }

    init?(name: String) {
        if name == "server" {
            self = .server
        } else if let id = TenantID(name) {
            self = .tenant(id)
        } else {
            return nil
        }
    }
}

/// Lower-case digits, two a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
