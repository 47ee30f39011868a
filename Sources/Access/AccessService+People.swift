package import Domain

extension AccessService {
    /// Everybody of the tenant, disabled users too: what they wrote bears their names.
    ///
    /// For who has checked that the caller may read what people wrote, which is all that this tells.
    package func people(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> [User] {
        try await store.users(tenant: tenant, deadline: deadline)
    }
}
