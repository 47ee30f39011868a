public import Domain

/// What can go wrong with identity, permission and stored credentials.
///
/// Equal when the codes are equal. Nothing in `message` or `hint` tells whether a key, a user or a tenant exists.
public struct AccessError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No key or token, or one that is malformed, unknown, expired, disabled, or whose owner is.
        case unauthenticated
        /// A known caller without the permission.
        case forbidden
        /// A key, where only somebody who signed in will do.
        case sessionRequired
        /// No such user, key, workspace or credential in this tenant.
        case notFound
        /// A name, purpose or expiry that can never be accepted.
        case invalid
        /// A resource that no token is made for here. Named as OAuth has it (RFC 8707).
        case invalidTarget = "invalid_target"
        /// A scope that there is not, or that the caller has nothing of. Named as OAuth has it (RFC 6749).
        case invalidScope = "invalid_scope"
        /// No such account, another password, or an account without a user to be: told apart by nothing.
        case signInRefused
        /// The right password, which was given by somebody else and has to be changed.
        case passwordExpired
        /// Not the password of whoever is signed in.
        case wrongPassword
        /// Accounts are not for everybody here.
        case registrationClosed
        /// An address that has an account, or that another user of the tenant has.
        case addressTaken
        /// What came by mail is used up, too old, or never came.
        case tokenRefused
        /// A password that may not be chosen.
        case weakPassword
        /// As many keys or users as a tenant may have.
        case limitReached
        /// Something else needs it.
        case inUse
        /// The last owner would lose the data directory.
        case lastOwner
        /// Nobody owns this database yet.
        case notBootstrapped
        /// The master key's file cannot be read, or has the wrong form.
        case masterKeyUnusable
        /// Others on the machine may read the master key.
        case masterKeyExposed
        /// The credentials were sealed with another master key.
        case masterKeyMismatch
        /// A stored row does not decrypt or decode.
        case corrupt
        /// Too much of this is being done at once; in a moment there is room again.
        case busy
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .unauthenticated, .signInRefused: .unauthenticated
        case .forbidden, .sessionRequired, .passwordExpired, .wrongPassword, .registrationClosed: .forbidden
        case .notFound: .notFound
        case .invalid, .invalidTarget, .invalidScope, .weakPassword, .tokenRefused: .invalid
        case .limitReached, .lastOwner, .addressTaken, .inUse: .conflict
        case .notBootstrapped, .masterKeyUnusable, .masterKeyExposed, .masterKeyMismatch: .notConfigured
        case .corrupt: .corrupt
        case .busy: .busy
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension AccessError {
    /// The same words whatever was wrong, so that a guesser learns nothing; the reason is for the log.
    public static func unauthenticated(_ reason: String) -> Self {
        Self(
            .unauthenticated,
            "A valid API key or access token is required.",
            hint: "send it as `Authorization: Bearer …`; make a key with `pyairtable-ai key create`",
            detail: reason
        )
    }

    /// The same words whatever is wrong with a refresh token.
    static func refreshRefused(_ reason: String) -> Self {
        Self(
            .unauthenticated,
            "This refresh token is not good, or not any more.",
            hint: "sign in again",
            detail: reason
        )
    }

    public static func forbidden(_ permission: Permission) -> Self {
        Self(
            .forbidden,
            "This needs the permission \(permission.rawValue).",
            hint: "use a key whose scopes include \(permission.rawValue)"
        )
    }

    /// For who has the permission in a part only.
    ///
    /// - Parameter place: what is to be written without looking at its parts, with its name; one that the caller sees.
    package static func forbidden(_ permission: Permission, forWhole place: String) -> Self {
        Self(
            .forbidden,
            "This needs the permission \(permission.rawValue) for the whole of \(place); you have it for a part.",
            hint: "write single records instead, or ask an owner for the permission in all of it"
        )
    }

    /// For an `AccessService` that was given no vault.
    public static let noMasterKey = Self(.masterKeyUnusable, "This process has no master key to sign tokens with.")

    package static let sessionRequired = Self(
        .sessionRequired,
        "This needs somebody who signed in; an API key will not do.",
        hint: "send an access token as `Authorization: Bearer …`"
    )

    static func busy(_ detail: String) -> Self {
        Self(.busy, "Too many sign-ins are under way.", hint: "try again in a moment", detail: detail)
    }

    static func notFound(_ what: String) -> Self { Self(.notFound, "No such \(what).") }

    static func corrupt(_ table: String, _ detail: String) -> Self {
        Self(
            .corrupt,
            "A stored row of \(table) is damaged.",
            hint: "restore the database from a backup",
            detail: detail
        )
    }
}
