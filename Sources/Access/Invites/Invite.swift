public import Domain

/// A way into a tenant that waits for one person.
public struct Invite: Sendable, Hashable, Identifiable {
    public let id: InviteID
    public let email: EmailAddress
    /// In the whole tenant; `guest` for who has no more than `places` give.
    public let role: Role
    /// What comes with it in parts of the tenant.
    public let places: [InvitedPlace]
    public let invitedBy: UserID
    /// Whether it is the inviter's own: a user that only keys act as begins to sign in.
    public let isOwn: Bool
    /// Whether its token went to the address and to nobody else, so that it proves whose the address is.
    public let isMailed: Bool
    public let createdTime: Instant
    /// Dead from then on.
    public let expires: Instant

    package init(
        id: InviteID,
        email: EmailAddress,
        role: Role,
        places: [InvitedPlace] = [],
        invitedBy: UserID,
        isOwn: Bool = false,
        isMailed: Bool = false,
        createdTime: Instant,
        expires: Instant
    ) {
        self.id = id
        self.email = email
        self.role = role
        self.places = places
        self.invitedBy = invitedBy
        self.isOwn = isOwn
        self.isMailed = isMailed
        self.createdTime = createdTime
        self.expires = expires
    }
}

/// A role in one workspace or one base.
public struct InvitedPlace: Sendable, Hashable {
    /// Owners and guests are so in the whole tenant.
    public static let roles: [Role] = [.admin, .editor, .commenter, .viewer]

    public let role: Role
    /// A workspace or a base.
    public let resource: Resource

    public init(_ role: Role, in workspace: WorkspaceID) {
        self.role = role
        resource = .workspace(workspace)
    }

    public init(_ role: Role, in base: BaseID) {
        self.role = role
        resource = .base(base)
    }
}

extension InvitedPlace {
    /// `editor:app…`, as it is stored.
    var text: String { "\(role.rawValue):\(resource.identifier ?? "")" }

    /// Nil for what never was one: an unreadable limit must not become none.
    init?(text: Substring) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let role = Role(rawValue: parts[0]) else { return nil }
        if let workspace = WorkspaceID(parts[1]) {
            self.init(role, in: workspace)
        } else if let base = BaseID(parts[1]) {
            self.init(role, in: base)
        } else {
            return nil
        }
    }
}
