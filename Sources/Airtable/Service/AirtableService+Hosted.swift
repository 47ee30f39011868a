import Access
import Database
public import Domain
import Logging

/// Bases of the hosted service: bringing them here, and keeping what is here in step.
extension AirtableService {
    // MARK: Which they are

    /// The hosted bases that may be seen, and how far what is here of each has come.
    public func hostedBases(context: RequestContext) async throws -> [HostedBaseStatus] {
        try context.require(.basesRead)
        let scope = try await access.visibleScope(for: context, doing: .basesRead)
        return try await hostedBases(tenant: context.tenant, deadline: context.deadline)
            .filter { scope.allows(base: $0.base) }
    }

    /// For the server's own work.
    func hostedBases(
        tenant: TenantID,
        deadline: ContinuousClock.Instant
    ) async throws -> [HostedBaseStatus] {
        let now = now()
        return try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try HostedBaseStore().entries(tenant: tenant, in: transaction).map { $0.status(at: now) }
        }
    }

    // MARK: Coming and going

    /// Makes a base of the hosted service known here: with its schema only, or as a mirror, whose records come with the
    /// next rounds. One that is known already gets its new home.
    ///
    /// - Throws: `.modelNotFound` when the token may not see it, or a base of this identifier is embedded here;
    ///   `.authenticationRequired` without a token.
    public func attach(
        _ id: BaseID,
        home: BaseHome,
        workspace: WorkspaceID? = nil,
        context: RequestContext
    ) async throws -> Base {
        try context.require(.schemaWrite)
        try context.require(.recordsWrite)
        precondition(home != .embedded, "an embedded base is made, not attached")
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let workspace = try await workspaceID(workspace, scope: scope, context: context)
        let upstream = try hostedService()
        let call = try await upstream.call(for: workspace, wantsFresh: true, context: context)
        guard let found = try await upstream.client.bases(call).first(where: { $0.id == id }) else {
            throw AirtableError.hostedBaseNotFound(id)
        }
        let tables = try await upstream.client.tables(of: id, call)
        return try await attach(found, tables, home: home, workspace: workspace, context: context)
    }

    /// Makes every base that the token may see known here. Those that are known stay as they are.
    ///
    /// - Returns: those that came now, and those that could not, each with the reason.
    /// - Throws: `.authenticationRequired` without a token, and when the service knows of none of that name; what it says when
    ///   no base at all could be read.
    public func attachAll(
        home: BaseHome,
        workspace: WorkspaceID? = nil,
        context: RequestContext
    ) async throws -> (attached: [Base], problems: [(base: BaseID, problem: AirtableError)]) {
        try context.require(.schemaWrite)
        try context.require(.recordsWrite)
        precondition(home != .embedded, "an embedded base is made, not attached")
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        let workspace = try await workspaceID(workspace, scope: scope, context: context)
        let upstream = try hostedService()
        let call = try await upstream.call(for: workspace, wantsFresh: true, context: context)
        let known = try await read(context) { _, schema in Set(schema.bases.map(\.id)) }
        let new = try await upstream.client.bases(call).filter { !known.contains($0.id) }
        // The client has them take turns, as many at once as the token may.
        let schemas = try await withThrowingTaskGroup(
            of: (position: Int, tables: Result<[HostedTable], AirtableError>).self
        ) { group in
            for (position, base) in new.enumerated() {
                group.addTask {
                    do { return (position, .success(try await upstream.client.tables(of: base.id, call))) } catch let
                        error
                        as AirtableError
                    { return (position, .failure(error)) }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.position] = $1.tables }
        }
        var attached: [Base] = []
        var problems: [(base: BaseID, problem: AirtableError)] = []
        for (position, base) in new.enumerated() {
            switch schemas[position] {
            case .success(let tables):
                attached.append(
                    try await attach(base, tables, home: home, workspace: workspace, context: context)
                )
            case .failure(let problem): problems.append((base.id, problem))
            case nil: break
            }
        }
        if let first = problems.first, problems.count == new.count, known.isEmpty { throw first.problem }
        return (attached, problems)
    }

    private func attach(
        _ found: HostedBase,
        _ tables: [HostedTable],
        home: BaseHome,
        workspace: WorkspaceID,
        context: RequestContext
    ) async throws -> Base {
        let id = found.id
        let now = now()
        let attached = try await change(context) { [schemas] transaction, schema in
            let store = HostedBaseStore()
            if let known = schema.base(id) {
                guard schema.home(of: id) != .embedded else { throw AirtableError.baseIsEmbedded(known) }
                try store.put(id, home: home, tenant: context.tenant, in: transaction)
                try schemas.raiseVersion(tenant: context.tenant, in: transaction)
                return known
            }
            let name = SchemaBuilder.uniqueName(found.name, among: schema.bases.map(\.name))
            let base = Base(id: id, workspace: workspace, name: name, createdTime: now)
            try schemas.insert(base, state: .ready, tenant: context.tenant, in: transaction)
            try store.put(id, home: home, tenant: context.tenant, in: transaction)
            var edit = HostedSchemaEdit(base: id, schema: schema, transaction: transaction)
            try edit.apply(tables)
            try self.note(edit.entries, context: context, in: transaction)
            return base
        }
        access.policyChanged(in: context.tenant)
        return attached
    }

    /// Forgets a hosted base: what is here of it goes, at the service nothing changes.
    ///
    /// Grants on it stay: attached again, it has the same identifier, and what was denied must not be open then.
    public func detach(_ id: BaseID, context: RequestContext) async throws {
        try context.require(.schemaWrite)
        try context.require(.recordsWrite)
        let scope = try await access.visibleScope(for: context, doing: .schemaWrite)
        try await change(context) { [schemas] transaction, schema in
            let base = try schema.base(id, changingWhole: scope, .schemaWrite)
            guard schema.home(of: id) != .embedded else { throw AirtableError.baseIsEmbedded(base) }
            let tables = schema.tables(in: id).map { ($0.table.base, $0.table.id) }
            try schemas.deleteBase(id, tenant: context.tenant, in: transaction)
            try HostedBaseStore().remove(id, tenant: context.tenant, in: transaction)
            try AccessStore.displace(id, tenant: context.tenant, in: transaction)
            if tables.isEmpty { try schemas.raiseVersion(tenant: context.tenant, in: transaction) }
            self.wholeMirrors.forget(id, tenant: context.tenant)
            try self.note(.tableDeleted, of: tables, context: context, in: transaction)
        }
        await clearSoon(context: context)
    }

    // MARK: Keeping in step

    /// One round for a base: its schema, and of a mirror what is missing or has changed. Goes on where the last round
    /// ended, however that was.
    ///
    /// - Parameters:
    ///   - owner: who keeps the base in step; `MirrorKeeper.randomOwner` makes one.
    ///   - sweeps: whether every record is compared now.
    /// - Throws: `.busy` when somebody else keeps it in step.
    public func synchronise(
        _ id: BaseID,
        owner: String,
        rules: MirrorRules = MirrorRules(),
        sweeps: Bool = false,
        report: @escaping @Sendable (MirrorProgress) -> Void = { _ in },
        context: RequestContext
    ) async throws -> MirrorState {
        let upstream = try hostedService()
        let (base, entry) = try await claim(id, owner: owner, rules: rules, context: context)
        var round = MirrorRound(
            service: self,
            upstream: upstream,
            base: base,
            entry: entry,
            owner: owner,
            rules: rules,
            context: context,
            report: report
        )
        do {
            try await round.run(sweeps: sweeps || entry.wantsSweep > 0)
            try await release(id, owner: owner, round.state, sweptFor: entry.wantsSweep, context: context)
            return round.state
        } catch {
            var state = round.state
            state.problem = (error as? any Failure)?.message ?? "it was interrupted"
            // The first error is the one to tell; a lease that stays runs out.
            try? await release(id, owner: owner, state, sweptFor: 0, context: context)
            throw error
        }
    }

    private func claim(
        _ id: BaseID,
        owner: String,
        rules: MirrorRules,
        context: RequestContext
    ) async throws -> (Base, HostedBaseStore.Entry) {
        let now = now()
        return try await change(context) { transaction, schema in
            let store = HostedBaseStore()
            guard let base = schema.base(id), let entry = try store.entry(id, tenant: context.tenant, in: transaction)
            else { throw AirtableError.baseNotFound() }
            if entry.owner != owner, entry.leaseEnd > now, !ImportOwner.isGone(entry.owner) {
                throw AirtableError.tendedElsewhere()
            }
            try store.setOwner(
                owner,
                of: id,
                until: Instant(microseconds: now.microseconds + rules.lease.microseconds),
                tenant: context.tenant,
                in: transaction
            )
            return (base, entry)
        }
    }

    private func release(
        _ id: BaseID,
        owner: String,
        _ state: MirrorState,
        sweptFor count: Int64,
        context: RequestContext
    ) async throws {
        let now = now()
        try await change(context) { transaction, _ in
            let store = HostedBaseStore()
            try store.set(state, of: id, owner: owner, until: now, tenant: context.tenant, in: transaction)
            try store.setOwner("", of: id, until: now, tenant: context.tenant, in: transaction)
            if count > 0 { try store.forgetSweep(wanted: count, of: id, tenant: context.tenant, in: transaction) }
        }
    }

    /// Writes the schema that the service gave.
    ///
    /// - Returns: the tables of which every record must be read again.
    func followSchema(
        _ tables: [HostedTable],
        of base: BaseID,
        context: RequestContext
    ) async throws -> Set<TableID> {
        let (stale, isSmaller) = try await change(context) { transaction, schema in
            guard schema.home(of: base) != .embedded else { throw AirtableError.baseNotFound() }
            var edit = HostedSchemaEdit(base: base, schema: schema, transaction: transaction)
            try edit.apply(tables)
            if edit.isEmpty { return (Set<TableID>(), false) }
            try self.note(edit.entries, context: context, in: transaction)
            return (
                edit.stale, schema.tables(in: base).contains { model in !tables.contains { $0.id == model.table.id } }
            )
        }
        if isSmaller {
            do { try await clearDeleted(tenant: context.tenant, until: context.deadline) } catch {
                context.logger.debug("clearing deleted tables stopped early", metadata: ["error": "\(error)"])
            }
        }
        return stale
    }

    /// - Throws: `.authenticationRequired` when this process was not told of any.
    func hostedService() throws(AirtableError) -> HostedUpstream {
        guard let upstream else {
            throw AirtableError(
                .authenticationRequired,
                "This process does not call the hosted service.",
                hint: "set AIRTABLE_API_KEY"
            )
        }
        return upstream
    }
}

extension HostedBaseStore.Entry {
    func status(at now: Instant) -> HostedBaseStatus {
        HostedBaseStatus(
            base: base,
            home: home,
            state: state,
            isTended: leaseEnd > now && !owner.isEmpty && !ImportOwner.isGone(owner)
        )
    }
}

extension AirtableError {
    static func hostedBaseNotFound(_ id: BaseID) -> Self {
        Self(
            .modelNotFound,
            "The hosted service has no base \(id), or the token may not see it.",
            hint: "give the token access to the base, and the scope schema.bases:read"
        )
    }

    static func baseIsEmbedded(_ base: Base) -> Self {
        Self(.modelNotFound, "Base \"\(base.name)\" lives in this store, not at the hosted service.")
    }
}
