public import Domain

/// A fixed set of rights that a user has in their tenant.
///
/// There is one for now; more roles are more cases, and grants come beside them. Stored by name.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// Everything.
    case owner

    public var permissions: Set<Permission> {
        switch self {
        case .owner: Set(Permission.allCases)
        }
    }
}
