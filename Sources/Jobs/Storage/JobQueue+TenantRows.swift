public import Database

extension JobQueue {
    /// Where a tenant's jobs lie.
    public static let tenantRows = [TenantRows("jobs", key: "tenant", "id")]
}
