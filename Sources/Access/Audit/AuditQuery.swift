public import Domain

/// Which entries of a log somebody wants to read; a member that is nil asks for nothing.
public struct AuditQuery: Sendable, Hashable {
    /// Only entries older than this place: what the page before gave as `next`.
    public var before: Int64?
    /// From this moment on, and before that one.
    public var from: Instant?
    public var until: Instant?
    public var user: UserID?
    public var key: KeyID?
    public var action: AuditAction?
    public var result: AuditEvent.Result?
    /// The identifier of the object.
    public var object: String?
    public var limit: Int

    public init(limit: Int = Limits.auditPage) {
        self.limit = max(1, min(limit, Limits.auditPage))
    }
}

/// Entries, newest first.
public struct AuditPage: Sendable {
    public let entries: [AuditEntry]
    /// What to ask for as `before` to go on; nil at the end.
    public let next: Int64?
}
