public import Domain

/// Tenants as a whole. One's own for `admin`; all of them for operators of the server, who see what a tenant is and
/// never what is in it.
extension AccessService {
    // MARK: One's own

    /// The caller's tenant.
    public func ownTenant(context: RequestContext) async throws -> TenantRecord {
        guard let record = try await store.record(of: context.tenant, deadline: context.deadline) else {
            throw AccessError.notFound("tenant")
        }
        return record
    }

    /// Renames the caller's tenant. Needs `admin`.
    public func renameTenant(_ name: String, context: RequestContext) async throws {
        try context.require(.admin)
        let old = try await ownTenant(context: context)
        var record = old
        record.tenant.name = try Self.displayName(name, of: "tenant")
        try await change(old, to: record, .tenantChanged, context)
    }

    // MARK: Operators

    /// Passes for who works for the server as a whole: at the machine itself, or as a user who was made an operator. A
    /// key of theirs passes when it has the scope `admin` and is not limited to bases.
    ///
    /// - Throws: `forbidden`. It reads, so a right that was taken away is gone at once.
    public func requireOperator(context: RequestContext) async throws {
        if context.origin == .commandLine { return }
        var isOperator = try await store.isOperator(
            context.principal.user,
            tenant: context.tenant,
            deadline: context.deadline
        )
        if isOperator, let id = context.principal.key {
            let key = try await storedKey(id, deadline: context.deadline)?.key
            isOperator = key.map { $0.scopes.contains(.admin) && $0.places == .everything } ?? false
        }
        guard isOperator else {
            throw AccessError(
                .forbidden,
                "Only an operator of the server may do this.",
                hint: "make one at the machine with `pyairtable-ai user operator`"
            )
        }
    }

    /// Makes a user an operator of the server, or takes it away. Only at the machine itself.
    ///
    /// - Throws: `forbidden`, `notFound`.
    public func setOperator(_ user: UserID, _ isOperator: Bool, context: RequestContext) async throws {
        guard context.origin == .commandLine else { throw AccessError.forbidden(.admin) }
        let isFound = try await store.setOperator(
            isOperator,
            user: user,
            tenant: context.tenant,
            audit: AuditEvent(
                .userRoleChanged,
                at: now(),
                by: context,
                object: AuditObject(.user, user),
                details: [.role: isOperator ? "operator" : "no operator"]
            ),
            deadline: context.deadline
        )
        guard isFound else { throw AccessError.notFound("user") }
    }

    /// All tenants, oldest first.
    public func tenants(context: RequestContext) async throws -> [TenantRecord] {
        try await requireOperator(context: context)
        return try await store.tenants(deadline: context.deadline)
    }

    /// Makes a tenant with a workspace and an owner, whose first key is in the answer and nowhere else.
    ///
    /// - Throws: `invalid` for names, `limitReached`, `forbidden`.
    public func createTenant(
        name: String,
        ownerName: String,
        ownerEmail: String? = nil,
        context: RequestContext
    ) async throws -> (tenant: TenantRecord, key: IssuedKey) {
        try await requireOperator(context: context)
        let time = now()
        let owner = User(
            id: .random(),
            name: try Self.displayName(ownerName, of: "user"),
            email: try ownerEmail.map(Self.emailAddress),
            role: .owner,
            isDisabled: false,
            createdTime: time
        )
        let tenant = Tenant(
            id: .random(),
            name: try Self.displayName(name, of: "tenant"),
            owner: owner.id,
            createdTime: time
        )
        let isMade = try await store.insert(
            tenant,
            workspace: Workspace(id: .random(), name: "default", createdTime: time),
            owner: owner,
            limit: Limits.tenants,
            audit: AuditEvent(.tenantCreated, at: time, user: owner.id, object: AuditObject(.tenant, tenant.id)),
            deadline: context.deadline
        )
        guard isMade else {
            throw AccessError(.limitReached, "This server has at most \(Limits.tenants) tenants.")
        }
        audit.note(.tenantCreated, by: context, object: AuditObject(.tenant, tenant.id))
        var generator = SystemRandomNumberGenerator()
        let text = KeyText(id: .random(), using: &generator)
        let draft = APIKeyDraft(name: "first key", scopes: owner.role.permissions)
        let key = APIKey(draft, text: text, owner: owner.id, time: time)
        let issued = try await store.insert(
            key,
            digest: text.digest,
            tenant: tenant.id,
            limit: 1,
            audit: AuditEvent(.keyCreated, at: time, user: owner.id, object: AuditObject(.key, key.id)),
            deadline: context.deadline
        )
        precondition(issued == .inserted, "a new tenant has room for one key")
        let record = TenantRecord(
            tenant: tenant,
            state: .active,
            stateTime: nil,
            limits: TenantLimits(),
            isFirst: false
        )
        return (record, IssuedKey(key: key, secret: text.secret))
    }

    /// Suspends a tenant or lets it in again, and sets its limits; nil leaves them. Suspending acts at once on every key
    /// and session.
    ///
    /// - Throws: `notFound`; `invalid` for the data directory's own, and for one that is being erased; `forbidden`.
    @discardableResult
    public func changeTenant(
        _ id: TenantID,
        isSuspended: Bool? = nil,
        limits: TenantLimits? = nil,
        context: RequestContext
    ) async throws -> TenantRecord {
        let old = try await changeable(id, isNamed: isSuspended == true, context)
        var record = old
        if let limits { record.limits = limits }
        if let isSuspended, isSuspended != (old.state == .suspended) {
            record.state = isSuspended ? .suspended : .active
            record.stateTime = now()
        }
        let action: AuditAction =
            record.state == old.state ? .tenantChanged : isSuspended == true ? .tenantSuspended : .tenantResumed
        try await change(old, to: record, action, context)
        return record
    }

    /// Begins to erase a tenant with all its data, which nothing brings back. From this moment nobody of it is let in; what
    /// deletes it goes on by itself, also after a crash.
    ///
    /// - Throws: as `changeTenant`.
    @discardableResult
    public func eraseTenant(_ id: TenantID, context: RequestContext) async throws -> TenantRecord {
        let old = try await changeable(id, isNamed: true, context)
        var record = old
        record.state = .erasing
        record.stateTime = now()
        // Its name may be somebody's, and the row stays for a while.
        record.tenant.name = "erased"
        try await change(old, to: record, .tenantDeleted, context)
        return record
    }

    // MARK: The server's own work

    /// Those whose data are worked on: indexed, mirrored, tidied.
    package func activeTenants() async throws -> [TenantID] { try await store.tenants(in: .active).map(\.id) }

    /// Those that are being erased, and since when.
    package func erasingTenants() async throws -> [TenantRecord] { try await store.tenants(in: .erasing) }

    /// See `AccessStore.erase` and `finishErasure`.
    package var erasures: AccessStore { store }

    // MARK: Rules

    private func changeable(_ id: TenantID, isNamed forbidsFirst: Bool, _ context: RequestContext) async throws
        -> TenantRecord
    {
        try await requireOperator(context: context)
        guard let record = try await store.record(of: id, deadline: context.deadline) else {
            throw AccessError.notFound("tenant")
        }
        guard record.state != .erasing else {
            throw AccessError(.invalid, "This tenant is being erased.")
        }
        guard !forbidsFirst || !record.isFirst else {
            throw AccessError(
                .invalid,
                "The data directory's own tenant can be neither suspended nor erased.",
                hint: "stop the server and remove its data directory and database"
            )
        }
        return record
    }

    private func change(
        _ old: TenantRecord,
        to record: TenantRecord,
        _ action: AuditAction,
        _ context: RequestContext
    ) async throws {
        let isChanged = try await store.change(
            old,
            to: record,
            audit: AuditEvent(action, at: now(), by: context, object: AuditObject(.tenant, old.id)),
            deadline: context.deadline
        )
        cache.clear()
        guard isChanged else {
            throw AccessError(.limitReached, "Somebody else changed this tenant at the same moment.", hint: "try again")
        }
    }
}
