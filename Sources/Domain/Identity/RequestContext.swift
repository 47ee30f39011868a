public import Logging

/// Who is asking.
public struct Principal: Sendable, Hashable {
    /// The user whose rights these are.
    public let user: UserID
    /// The key they came with; nil for who signed in, and for the command line and stdio, which act as the data
    /// directory's owner.
    public let key: KeyID?
    /// The session that they signed in to; nil for all others.
    public let session: SessionID?
    /// What a token was made for at most; nil for all who came without one of a single resource.
    public let scopes: Set<Permission>?
    /// What this request may do: a key's or token's scopes and its owner's present rights, already intersected.
    public let permissions: Set<Permission>
    /// What the user may do and the token was not made for: to be had by asking for another token.
    public let withheld: Set<Permission>

    /// - Parameter permissions: what the key or user may do, whatever the `scopes`.
    package init(
        user: UserID,
        key: KeyID?,
        session: SessionID? = nil,
        scopes: Set<Permission>? = nil,
        permissions: Set<Permission>
    ) {
        self.user = user
        self.key = key
        self.session = session
        self.scopes = scopes
        self.permissions = scopes.map { permissions.intersection($0) } ?? permissions
        self.withheld = scopes.map { permissions.subtracting($0) } ?? []
    }

    /// The session of who signed in and acts by themselves, not through a token that was made for something else.
    public var ownSession: SessionID? { scopes == nil ? session : nil }
}

/// Through which door a request came.
public enum Origin: String, Sendable, Hashable, CaseIterable {
    case commandLine
    case http
    case mcpStdio
    case mcpHTTP
    /// Work the server does on its own, such as indexing.
    case system
}

/// Proof of authentication, and what every service call needs to know of its request.
///
/// The last parameter of every service call: never optional, never task-local. Only `Access` makes one.
public struct RequestContext: Sendable {
    /// Unique among requests, and in every log line, error and response of this one.
    public let id: String
    public let principal: Principal
    public let tenant: TenantID
    /// When nobody waits for the answer any more.
    public let deadline: ContinuousClock.Instant
    public let origin: Origin
    /// The network address of the caller, for the audit log; nil at the machine itself.
    public package(set) var clientAddress: String?
    /// Carries `request_id`, `tenant` and `origin`.
    public private(set) var logger: Logger

    /// Called in `Access` only; holding a context is the proof of authentication.
    package init(
        id: String,
        principal: Principal,
        tenant: TenantID,
        deadline: ContinuousClock.Instant,
        origin: Origin,
        logger: Logger
    ) {
        self.id = id
        self.principal = principal
        self.tenant = tenant
        self.deadline = deadline
        self.origin = origin
        self.logger = logger
    }

    /// The same, with log lines that are found by the caller's trace.
    package func joined(to trace: TraceParent) -> Self {
        var context = self
        context.logger[metadataKey: "trace_id"] = .string(trace.traceID)
        context.logger[metadataKey: "parent_span_id"] = .string(trace.parentID)
        return context
    }
}
