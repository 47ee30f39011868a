public import Domain

/// Whose rows a transaction is about. There is no transaction without one.
///
/// Queries name their tenant themselves; this is the second lock. PostgreSQL is told the scope as the transaction begins
/// and shows and takes no other rows of the tables that belong to tenants, whatever the SQL says (`RowSecurity`). SQLite
/// has nothing of the kind and ignores it.
///
/// Tables that belong to no tenant, such as accounts and mails, are open to all four.
public enum RowScope: Sendable, Hashable {
    /// One tenant's rows.
    case tenant(TenantID)
    /// No tenant's rows: for what belongs to the server alone.
    case server
    /// The rows of all tenants: to find whose something is, and for work that goes across them. A test keeps the list of
    /// those who say so, with their reasons.
    case everyTenant
    /// As `everyTenant`, with the rights of the user whom the database's URL names: migrations and backups.
    case owner

    /// What the row security policies compare with. No identifier looks like the last two.
    var setting: String {
        switch self {
        case .tenant(let tenant): tenant.description
        case .server: Self.serverSetting
        case .everyTenant, .owner: Self.everySetting
        }
    }

    /// The name of the server's own audit chain, which is in its scope therefore.
    static let serverSetting = "server"
    static let everySetting = "*"
}
