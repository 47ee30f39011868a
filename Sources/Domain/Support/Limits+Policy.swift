/// Bounds of permission.
extension Limits {
    /// Grants of a tenant: all of them are read together when one changes, some 20 ms.
    public static let grantsPerTenant = 10_000
    /// Roles of a tenant's own: more than people can tell apart.
    public static let rolesPerTenant = 100
    /// Groups of a tenant, and members of one: every user may be in it.
    public static let groupsPerTenant = 500
    public static let membersPerGroup = 1_000
    /// Bytes of a grant's condition, which is a formula that people write.
    public static let conditionBytes = 2_000
    /// Grants of one page of a list.
    public static let grantsPage = 1_000
    /// Questions of one call: a screen full of buttons.
    public static let permissionQuestions = 100
    /// Rows (grants, users, members, bases) of tenants whose policies one process keeps: some 300 bytes each.
    public static let cachedPolicyRows = 100_000
    /// Grants arranged by who they are about, and bases, tables, fields and rules of compiled scopes, that one process
    /// keeps: some 300 bytes each.
    public static let cachedStandingRows = 100_000
    public static let cachedScopeRows = 100_000
}
