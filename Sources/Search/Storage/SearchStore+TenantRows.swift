package import Database

extension SearchStore {
    /// Where a tenant's units, their words and what is planned for them lie.
    package static let tenantRows: [TenantRows] = [
        TenantRows(
            "search_postings",
            key: "partition",
            "term",
            "block",
            selecting: """
                SELECT x.partition, x.term, x.block FROM (\(partitions)) p JOIN search_postings x ON x.partition = p.number
                """
        ),
        TenantRows(
            "search_units",
            key: "key",
            selecting: """
                SELECT u.key FROM (\(partitions)) p JOIN search_units u
                ON u.key >= p.number * \(1 << 32) AND u.key < (p.number + 1) * \(1 << 32)
                """
        ),
        TenantRows("search_build_keys", key: "tenant", "key"),
        TenantRows("search_builds", key: "tenant"),
        TenantRows("search_models", key: "tenant"),
        TenantRows("search_backfills", key: "tenant", "table_id"),
        TenantRows("search_removals", key: "partition"),
        TenantRows("search_tables", key: "tenant", "table_id"),
        TenantRows("search_partitions", key: "number"),
    ]

    private static let partitions = """
        SELECT number FROM search_partitions WHERE tenant = $1
        UNION SELECT partition FROM search_removals WHERE tenant = $1
        """
}
