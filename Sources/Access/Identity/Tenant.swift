public import Domain

/// An organisation whose data nobody else ever sees.
public struct Tenant: Sendable, Hashable, Identifiable {
    public let id: TenantID
    public var name: String
    /// The user that the server's own work and the command line act as.
    public let owner: UserID
    public let createdTime: Instant

    package init(id: TenantID, name: String, owner: UserID, createdTime: Instant) {
        self.id = id
        self.name = name
        self.owner = owner
        self.createdTime = createdTime
    }
}

/// A named set of bases inside a tenant.
public struct Workspace: Sendable, Hashable, Identifiable {
    public let id: WorkspaceID
    public var name: String
    public let createdTime: Instant

    package init(id: WorkspaceID, name: String, createdTime: Instant) {
        self.id = id
        self.name = name
        self.createdTime = createdTime
    }
}

/// Somebody, or some program, that acts inside one tenant.
public struct User: Sendable, Hashable, Identifiable {
    public let id: UserID
    public var name: String
    /// In lower case; no two users of a tenant share one.
    public var email: String?
    public var role: Role
    /// A disabled user's keys are dead.
    public var isDisabled: Bool
    public let createdTime: Instant

    package init(
        id: UserID,
        name: String,
        email: String? = nil,
        role: Role,
        isDisabled: Bool,
        createdTime: Instant
    ) {
        self.id = id
        self.name = name
        self.email = email
        self.role = role
        self.isDisabled = isDisabled
        self.createdTime = createdTime
    }
}

/// What a database knows of its owner, from its first start on.
public struct Bootstrap: Sendable, Hashable {
    public let tenant: TenantID
    public let workspace: WorkspaceID
    public let owner: UserID
    /// When the first key was issued, and so shown; nil until then.
    public let firstKeyTime: Instant?

    package init(tenant: TenantID, workspace: WorkspaceID, owner: UserID, firstKeyTime: Instant? = nil) {
        self.tenant = tenant
        self.workspace = workspace
        self.owner = owner
        self.firstKeyTime = firstKeyTime
    }
}
