public import Database

extension TokenLedger {
    /// Where a tenant's accounts of tokens lie.
    public static let tenantRows = [
        TenantRows("llm_token_reservations", key: "tenant", "id"),
        TenantRows("llm_token_days", key: "tenant", "day", "user_id"),
    ]
}

extension RunTrafficStore {
    public static let tenantRows = [TenantRows("llm_exchanges", key: "tenant", "run", "ordinal")]
}
