public import Database

extension EmbeddingCache {
    /// Where the vectors of a tenant's texts lie.
    public static let tenantRows = [TenantRows("embedding_cache", key: "tenant", "identity", "hash")]
}
