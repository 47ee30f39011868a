package import Domain

extension AccessService {
    /// Who may work in the tenant's bases, oldest first, and the owner, who let them in. Disabled users are not among them.
    ///
    /// For who has checked that the caller may read records, whose cells name the same people.
    package func members(
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> (owner: UserID, users: [User]) {
        guard let owner = try await store.tenant(tenant, deadline: deadline)?.owner else {
            throw AccessError.notFound("tenant")
        }
        let users = try await store.users(tenant: tenant, deadline: deadline)
        return (owner, users.filter { !$0.isDisabled })
    }
}
