public import Domain

/// Whether anybody of a tenant is let in.
public enum TenantState: String, Sendable, Hashable, CaseIterable, Codable {
    case active
    /// Every key and session is refused; the data stays.
    case suspended
    /// Its data are being deleted, for good.
    case erasing
}

/// How much a tenant may have. Nil is what `Limits` says for every tenant; nobody gets more than that.
public struct TenantLimits: Sendable, Hashable, Codable {
    public var users: Int?
    public var keys: Int?
    public var workspaces: Int?
    /// These three are limited for no tenant unless it is said.
    public var bases: Int?
    public var records: Int?
    public var attachmentBytes: Int?

    public init(
        users: Int? = nil,
        keys: Int? = nil,
        workspaces: Int? = nil,
        bases: Int? = nil,
        records: Int? = nil,
        attachmentBytes: Int? = nil
    ) {
        self.users = users
        self.keys = keys
        self.workspaces = workspaces
        self.bases = bases
        self.records = records
        self.attachmentBytes = attachmentBytes
    }

    package var usersMax: Int { min(users ?? Limits.usersPerTenant, Limits.usersPerTenant) }
    package var keysMax: Int { min(keys ?? Limits.keysPerTenant, Limits.keysPerTenant) }
    package var workspacesMax: Int { min(workspaces ?? Limits.workspacesPerTenant, Limits.workspacesPerTenant) }
}

/// A tenant as its operators see it: what it is, never what is in it.
public struct TenantRecord: Sendable, Hashable, Identifiable {
    public var tenant: Tenant
    public var state: TenantState
    /// Since when; nil while it was never another one.
    public var stateTime: Instant?
    public var limits: TenantLimits
    /// Whether it is the data directory's own, which can be neither suspended nor deleted.
    public let isFirst: Bool

    public var id: TenantID { tenant.id }

    package init(tenant: Tenant, state: TenantState, stateTime: Instant?, limits: TenantLimits, isFirst: Bool) {
        self.tenant = tenant
        self.state = state
        self.stateTime = stateTime
        self.limits = limits
        self.isFirst = isFirst
    }
}
