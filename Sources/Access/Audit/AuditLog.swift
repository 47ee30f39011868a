package import Database
public import Domain
public import Logging

/// Who did what: entries that are added and never changed, each hashed with the one before.
///
/// Two ways in. `append(_:tenant:in:)` is for changes that matter: in the change's own transaction, so that neither is
/// without the other. `note(_:tenant:logger:)` is for what happens often: it returns at once and writes in batches.
public struct AuditLog: Sendable {
    let store: AuditStore
    let now: InstantSource
    private let buffer: AuditBuffer

    init(database: any SQLDatabase, now: @escaping InstantSource) {
        self.store = AuditStore(database: database)
        self.now = now
        buffer = AuditBuffer(store: store)
    }

    /// Adds an event in the transaction of the change it tells of: when it cannot be written, nothing is changed.
    ///
    /// Call it last. On PostgreSQL the tenant's writers of this log take turns until their transactions end, and two
    /// that hold each other's next lock would wait for ever.
    ///
    /// - Parameter tenant: nil for what belongs to none.
    package static func append(_ event: AuditEvent, tenant: TenantID?, in transaction: any Transaction) throws {
        try AuditStore.append([event], to: AuditChain(tenant), in: transaction)
    }

    /// Several events of one change, in their order.
    package static func append(_ events: [AuditEvent], tenant: TenantID?, in transaction: any Transaction) throws {
        try AuditStore.append(events, to: AuditChain(tenant), in: transaction)
    }

    /// Adds an event before it returns, for what changes nothing and yet must not happen unseen, such as an export.
    ///
    /// - Throws: what the database says; the caller then does not go on.
    package func record(
        _ action: AuditAction,
        result: AuditEvent.Result = .done,
        by context: RequestContext,
        object: AuditObject? = nil,
        details: [AuditEvent.Detail: String] = [:]
    ) async throws {
        let event = AuditEvent(action, result: result, at: now(), by: context, object: object, details: details)
        try await store.append([event], to: .tenant(context.tenant), deadline: context.deadline)
    }

    /// Adds an event soon. Nobody waits for it; what a crash finds unwritten is lost.
    ///
    /// Refusals that come again within a minute are written once, the next one with how often. When more happens than
    /// can be written, an entry `audit.dropped` says how much is missing.
    public func note(_ event: AuditEvent, tenant: TenantID?, logger: Logger) {
        buffer.note(event, chain: AuditChain(tenant), logger: logger)
    }

    /// What the caller of `context` did, without waiting for it.
    package func note(
        _ action: AuditAction,
        result: AuditEvent.Result = .done,
        by context: RequestContext,
        agent: String? = nil,
        object: AuditObject? = nil,
        details: [AuditEvent.Detail: String] = [:]
    ) {
        var event = AuditEvent(action, result: result, at: now(), by: context, object: object, details: details)
        event.agent = agent
        note(event, tenant: context.tenant, logger: context.logger)
    }

    /// Notes that somebody came by HTTP who could not prove who they are.
    package func noteStranger(
        requestID: String,
        address: String?,
        object: AuditObject?,
        reason: String,
        logger: Logger
    ) {
        var event = AuditEvent(
            .refused,
            result: .refused,
            at: now(),
            object: object,
            requestID: requestID,
            address: address,
            details: [.reason: reason]
        )
        event.origin = .http
        note(event, tenant: nil, logger: logger)
    }

    /// Notes that the caller's key was used, at most once a minute for each key.
    package func noteUse(by context: RequestContext) {
        guard let key = context.principal.key else { return }
        let time = now()
        buffer.noteUse(of: key, chain: .tenant(context.tenant), at: time, logger: context.logger) {
            AuditEvent(.keyUsed, at: time, by: context, object: AuditObject(.key, key))
        }
    }

    /// Returns when what was noted before is written, or was given up.
    public func flush() async { await buffer.flush() }

    /// Also writes refusals that have been counted and not come again.
    package func settle() async {
        buffer.settle(at: now())
        await buffer.flush()
    }

    /// Entries of the caller's tenant, newest first, with what happened before this call. Needs `audit:read`.
    public func entries(_ query: AuditQuery, context: RequestContext) async throws -> AuditPage {
        try context.require(.auditRead)
        await flush()
        let chain = AuditChain.tenant(context.tenant)
        let rows = try await store.rows(of: chain, query, deadline: context.deadline)
        let entries = try rows.map { row in
            guard let entry = AuditEntry(row, of: chain) else {
                throw AccessError.corrupt("access_audit", "entry \(row.sequence) of \(chain.name)")
            }
            return entry
        }
        return AuditPage(entries: entries, next: rows.count == query.limit ? rows.last?.sequence : nil)
    }

    /// The whole log of the caller's tenant as JSON Lines, oldest entry first, a piece at a time, and its newest
    /// checkpoint last. Needs `audit:read`.
    ///
    /// - Returns: how many entries there were.
    public func export(
        context: RequestContext,
        _ write: (ArraySlice<UInt8>) async throws -> Void
    ) async throws -> Int {
        try context.require(.auditRead)
        await flush()
        return try await export(.tenant(context.tenant), deadline: context.deadline, write)
    }

    package func export(
        _ chain: AuditChain,
        deadline: ContinuousClock.Instant?,
        _ write: (ArraySlice<UInt8>) async throws -> Void
    ) async throws -> Int {
        // What is written meanwhile is not in it, or it might never end.
        let end = try await store.heads(deadline: deadline).first { $0.chain == chain.name }?.sequence ?? 0
        var last: Int64 = 0
        while last < end {
            let rows = try await store.rows(of: chain, after: last, limit: Limits.auditBatch, deadline: deadline)
            guard let newest = rows.last?.sequence else { break }
            for row in rows where row.sequence <= end { try await write(row.exportLine[...]) }
            last = newest
        }
        if let checkpoint = try await store.checkpoints(of: chain, deadline: deadline).last?.checkpoint {
            try await write(checkpoint.line[...])
        }
        return Int(end)
    }
}
