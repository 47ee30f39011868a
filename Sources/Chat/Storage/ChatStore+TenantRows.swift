public import Database

extension ChatStore {
    /// Where a tenant's conversations lie.
    public static let tenantRows: [TenantRows] = [
        TenantRows("chat_events", key: "tenant", "run", "sequence"),
        TenantRows("chat_steps", key: "tenant", "run", "ordinal"),
        TenantRows("chat_messages", key: "tenant", "conversation", "position"),
        TenantRows("chat_runs", key: "tenant", "id"),
        TenantRows("chat_conversations", key: "tenant", "id"),
    ]
}
