public import Database

extension AirtableService {
    /// Where a tenant's bases, records and all that hangs on them lie.
    public static let tenantRows: [TenantRows] = [
        TenantRows(
            "cell_keys",
            key: "field",
            "cell_key",
            "position",
            selecting: """
                SELECT k.field, k.cell_key, k.position FROM field_indexes i
                JOIN cell_keys k ON k.field = i.table_number * \(1 << FieldIndex.ordinalBits) + i.ordinal
                WHERE i.tenant = $1
                """
        ),
        TenantRows("field_indexes", key: "table_number", "ordinal"),
        TenantRows("comments", key: "tenant", "id"),
        TenantRows("comment_log", key: "tenant", "sequence"),
        TenantRows("views", key: "tenant", "id"),
        TenantRows("imports", key: "tenant", "id"),
        TenantRows("change_log", key: "tenant", "sequence"),
        TenantRows("change_checkpoints", key: "tenant", "consumer"),
        TenantRows("hosted_bases", key: "tenant", "base"),
        // By their tables, which have an index; there is none by tenant.
        TenantRows(
            "records",
            key: "position",
            selecting: """
                SELECT r.position FROM tables t JOIN records r ON r.table_number = t.number WHERE t.tenant = $1
                """
        ),
        // Whatever lies in no table.
        TenantRows("records", key: "position"),
        TenantRows("table_counters", key: "table_number"),
        TenantRows("fields", key: "table_number", "ordinal"),
        TenantRows("tables", key: "number"),
        TenantRows("bases", key: "tenant", "id"),
        TenantRows("store_tenants", key: "tenant"),
    ]
}

extension AttachmentService {
    public static let tenantRows = [TenantRows("attachments", key: "tenant", "id")]
}

extension WebhookService {
    public static let tenantRows = [
        TenantRows("webhook_payloads", key: "tenant", "webhook", "number"), TenantRows("webhooks", key: "tenant", "id"),
    ]
}
