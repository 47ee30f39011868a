public import Domain

/// At which door a bearer was shown, which decides what tokens it takes. Keys are taken at all of them.
public enum TokenAudience: Sendable, Hashable {
    /// Everywhere but at MCP: the tokens of sessions, which say no scopes.
    case api
    /// At MCP, whose address this is for the caller: tokens that were made for exactly this address (RFC 8707). Nil when
    /// nobody knows the address: then for no token.
    case resource(String?)

    /// - Parameter api: the name of the API as an audience.
    func takes(_ claims: AccessClaims, api: String) -> Bool {
        switch self {
        case .api: claims.audience == api && claims.scopes == nil
        case .resource(let resource): claims.audience == resource && claims.scopes != nil
        }
    }
}

/// Scopes of tokens, as OAuth writes them: words with a space between (RFC 6749, section 3.3). Each word is a permission, and
/// none stands for another one.
public enum TokenScopes {
    /// What a token for a single resource may be made for: all but what is done to the tenant itself.
    public static let supported = Set(Permission.allCases).subtracting(Rights.administrative.permissions)

    /// In alphabetical order.
    public static func text(_ permissions: Set<Permission>) -> String {
        permissions.map(\.rawValue).sorted().joined(separator: " ")
    }

    /// Nil when there are no words, or others than permissions.
    package static func permissions(_ text: String) -> Set<Permission>? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let permissions = words.compactMap { Permission(rawValue: String($0)) }
        return permissions.count == words.count ? Set(permissions) : nil
    }
}
