public import Domain

/// What should be different about a user. Nil leaves a thing as it is.
public struct UserChange: Sendable, Hashable {
    public var name: String?
    public var role: Role?
    public var isDisabled: Bool?

    public init(name: String? = nil, role: Role? = nil, isDisabled: Bool? = nil) {
        self.name = name
        self.role = role
        self.isDisabled = isDisabled
    }

    func applied(to user: User) -> User {
        var user = user
        if let name { user.name = name }
        if let role { user.role = role }
        if let isDisabled { user.isDisabled = isDisabled }
        return user
    }
}

/// Which users of a tenant are asked for. Nil for all.
public struct UserFilter: Sendable, Hashable {
    /// In whatever case.
    public var email: String?
    public var role: Role?
    public var isDisabled: Bool?

    public init(email: String? = nil, role: Role? = nil, isDisabled: Bool? = nil) {
        self.email = email
        self.role = role
        self.isDisabled = isDisabled
    }
}

/// Some users of a tenant, oldest first.
public struct UserPage: Sendable, Hashable {
    public let users: [User]
    /// Whom the tenant belongs to.
    public let owner: UserID
    /// Where the next page begins: behind this user. Nil on the last one.
    public let next: UserID?
}
