public import Domain

/// A fixed set of rights that a user has in their whole tenant, or, by a grant, in a part of it.
///
/// Tenants may define roles of their own beside these. Stored by name.
public enum Role: String, Sendable, Hashable, CaseIterable, Codable {
    /// Everything in the tenant. A tenant always has one.
    case owner
    /// Everything but the tenant's own secrets and life, and making owners.
    case admin
    case editor
    case commenter
    case viewer
    /// Nothing but what grants give.
    case guest

    public var permissions: Set<Permission> {
        switch self {
        case .owner: Set(Permission.allCases)
        case .admin: Set(Permission.allCases).subtracting([.admin])
        case .editor: Role.commenter.permissions.union([.recordsWrite, .recordsDelete])
        case .commenter: Role.viewer.permissions.union([.commentsWrite])
        case .viewer: [.basesRead, .schemaRead, .recordsRead, .commentsRead, .search, .chat]
        case .guest: []
        }
    }
}
