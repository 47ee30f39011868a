public import Domain

/// Says that somebody may, or may not, do something somewhere.
///
/// What no grant and no role allows is denied, and a refusal anywhere above a thing wins over every allowance.
public struct Grant: Sendable, Hashable, Identifiable {
    public let id: GrantID
    public let subject: Subject
    public let effect: Effect
    public let bundle: Bundle
    public let resource: Resource
    /// A formula that holds for the records it speaks of; only on a table.
    public let condition: String?
    public let createdBy: UserID
    public let createdTime: Instant

    /// Whom it is about.
    public enum Subject: Sendable, Hashable {
        case user(UserID)
        case group(GroupID)
        /// A key is never given anything: its own grants are the only places where it may do what its owner may.
        case key(KeyID)
        /// Every user of the tenant.
        case everybody
    }

    public enum Effect: String, Sendable, Hashable, CaseIterable, Codable {
        case allow, deny
    }

    /// What it allows or denies.
    public enum Bundle: Sendable, Hashable {
        case role(Role)
        case customRole(RoleID)
        case permissions(Set<Permission>)
    }

    package init(
        id: GrantID,
        subject: Subject,
        effect: Effect,
        bundle: Bundle,
        resource: Resource,
        condition: String? = nil,
        createdBy: UserID,
        createdTime: Instant
    ) {
        self.id = id
        self.subject = subject
        self.effect = effect
        self.bundle = bundle
        self.resource = resource
        self.condition = condition
        self.createdBy = createdBy
        self.createdTime = createdTime
    }
}

/// A set of permissions that a tenant has given a name.
public struct CustomRole: Sendable, Hashable, Identifiable {
    public let id: RoleID
    public var name: String
    public var permissions: Set<Permission>
    public let createdTime: Instant

    package init(id: RoleID, name: String, permissions: Set<Permission>, createdTime: Instant) {
        self.id = id
        self.name = name
        self.permissions = permissions
        self.createdTime = createdTime
    }
}

/// Users that a tenant has given a name together.
public struct Group: Sendable, Hashable, Identifiable {
    public let id: GroupID
    public var name: String
    public let createdTime: Instant

    package init(id: GroupID, name: String, createdTime: Instant) {
        self.id = id
        self.name = name
        self.createdTime = createdTime
    }
}
