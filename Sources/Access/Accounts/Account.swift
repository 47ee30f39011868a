public import Domain

/// A person who signs in. What they are in a tenant, and may do there, is a `User`.
public struct Account: Sendable, Hashable, Identifiable {
    public let id: AccountID
    public var email: EmailAddress
    /// When the address was shown to be theirs; nil until then.
    public var verifiedTime: Instant?
    /// When the password was set; nil while there is none.
    public var passwordTime: Instant?
    /// Whether the password was given by somebody else, and signs in only to be changed.
    public var mustChangePassword: Bool
    public let createdTime: Instant

    package init(
        id: AccountID,
        email: EmailAddress,
        verifiedTime: Instant? = nil,
        passwordTime: Instant? = nil,
        mustChangePassword: Bool = false,
        createdTime: Instant
    ) {
        self.id = id
        self.email = email
        self.verifiedTime = verifiedTime
        self.passwordTime = passwordTime
        self.mustChangePassword = mustChangePassword
        self.createdTime = createdTime
    }
}

/// One tenant that an account may sign in to.
package struct Membership: Sendable, Hashable {
    package let tenant: TenantID
    package let tenantName: String
    package let user: User
}
