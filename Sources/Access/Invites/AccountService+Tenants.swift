public import Domain

/// The tenants that a person is a user of.
extension AccountService {
    /// Where the caller may sign in, the tenant they have been in longest first.
    ///
    /// - Throws: `sessionRequired` for who came with a key.
    package func tenants(context: RequestContext) async throws -> [Membership] {
        guard let account = try await signedIn(context) else { return [] }
        return try await store.memberships(of: account.id, deadline: context.deadline)
    }

    /// Begins a session in another tenant of the caller, beside the one they have.
    ///
    /// - Throws: `notFound` for a tenant that they are no user of, as for one that does not exist; `sessionRequired`.
    public func enter(_ tenant: TenantID, context: RequestContext, caller: AccountCaller) async throws -> SignIn {
        guard let account = try await signedIn(context) else { throw AccessError.notFound("tenant") }
        let memberships = try await store.memberships(of: account.id, deadline: context.deadline)
        guard let membership = memberships.first(where: { $0.tenant == tenant }) else {
            throw AccessError.notFound("tenant")
        }
        return try await begin(account, membership, caller)
    }

    /// The account of the session that the caller came with; nil for one without.
    ///
    /// - Throws: `sessionRequired`.
    func signedIn(_ context: RequestContext) async throws -> Account? {
        guard let id = context.principal.ownSession else { throw AccessError.sessionRequired }
        let session = try await access.liveSession(id, tenant: context.tenant, deadline: context.deadline).session
        guard let account = session.account else { return nil }
        return try await store.account(account, deadline: context.deadline)?.account
    }
}
