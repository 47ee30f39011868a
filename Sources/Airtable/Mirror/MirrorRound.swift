import Database
import Domain
import Logging
import Outbound

/// One round of keeping a hosted base in step: the schema, then what is missing or has changed.
///
/// Every step is stored with how far it came, in one transaction, so that a round that ends anywhere is gone on with by
/// the next; and every step is the same when it is done twice.
struct MirrorRound {
    let service: AirtableService
    let upstream: HostedUpstream
    let base: Base
    let home: BaseHome
    /// Who holds the base, as `HostedBaseStore` knows them.
    let owner: String
    let rules: MirrorRules
    let context: RequestContext
    let report: @Sendable (MirrorProgress) -> Void
    let writer: MirrorWriter
    private(set) var state: MirrorState
    private let store = HostedBaseStore()

    init(
        service: AirtableService,
        upstream: HostedUpstream,
        base: Base,
        entry: HostedBaseStore.Entry,
        owner: String,
        rules: MirrorRules,
        context: RequestContext,
        report: @escaping @Sendable (MirrorProgress) -> Void
    ) {
        self.service = service
        self.upstream = upstream
        self.base = base
        self.home = entry.home
        self.owner = owner
        self.rules = rules
        self.context = context
        self.report = report
        self.state = entry.state
        writer = MirrorWriter(service: service, base: base.id, context: context)
    }

    /// - Parameter sweeps: whether every record is compared, however long ago that was done.
    mutating func run(sweeps: Bool) async throws {
        try await followSchema()
        guard home == .mirrored else { return try await save() }
        try await openWebhook()
        for table in state.tables.map(\.table) where !state[table].isPulled { try await pull(table) }
        let news = try await readWebhook()
        for table in state.tables.map(\.table) {
            if sweeps || isSweepDue(table) {
                try await sweep(table)
            } else if news == nil {
                try await poll(table)
            }
        }
        if let news { try await take(news) }
        state.problem = nil
        try await save()
    }

    // MARK: Shared

    func call() async throws -> HostedCall {
        try await upstream.call(
            for: base.workspace,
            lane: .bulk,
            wantsFresh: true,
            patience: rules.patience,
            context: context
        )
    }

    func save() async throws {
        let save = saving(state)
        try await service.change(context) { transaction, _ in try save(transaction) }
    }

    /// Writes `state` as a part of another transaction, and keeps the base for another while.
    func saving(_ state: MirrorState) -> @Sendable (any Transaction) throws -> Void {
        let end = Instant(microseconds: service.now().microseconds + rules.lease.microseconds)
        return { [store, base, owner, context] transaction in
            try store.set(state, of: base.id, owner: owner, until: end, tenant: context.tenant, in: transaction)
        }
    }

    mutating func followSchema() async throws {
        let started = service.now()
        let tables = try await upstream.client.tables(of: base.id, try await call())
        let stale = try await service.followSchema(tables, of: base.id, context: context)
        let ids = tables.map(\.id)
        state.tables.removeAll { !ids.contains($0.table) }
        for id in ids {
            var progress = state[id]
            if stale.contains(id) { progress.needsSweep = true }
            state[id] = progress
        }
        state.schemaTime = started
    }

    mutating func update(_ table: TableID, _ change: (inout MirrorState.Progress) -> Void) { change(&state[table]) }
    mutating func setWebhook(_ webhook: MirrorState.Webhook?) { state.webhook = webhook }
    mutating func refuseWebhook(until end: Instant) { state.webhookRefusedUntil = end }

    /// Puts a page where the copy is; once more with a fresh schema when something of it could not be read.
    mutating func put(
        _ records: [HostedRecord],
        in table: TableID,
        asked sequence: Int64,
        saving next: MirrorState? = nil
    ) async throws -> MirrorWriter.Outcome {
        let save = saving(next ?? state)
        var outcome = try await writer.put(records, in: table, asked: sequence, also: save)
        if let next { state = next }
        if outcome.isWhole { return outcome }
        try await followSchema()
        let changed = outcome.changed
        outcome = try await writer.put(records, in: table, asked: sequence, also: saving(state))
        outcome.changed += changed
        if !outcome.isWhole {
            context.logger.warning("cells of a hosted table could not be read", metadata: ["table": "\(table)"])
        }
        return outcome
    }
}

extension MirrorRound {
    // MARK: The first pull

    /// Brings every record once, from where the last round came.
    private mutating func pull(_ table: TableID) async throws {
        let name = try await name(of: table)
        var restarts = 0
        var start = state[table].changesTime ?? service.now()
        while !state[table].isPulled {
            let sequence = try await writer.mark()
            var listing = listing
            listing.offset = state[table].offset
            let page: HostedPage
            do {
                if listing.offset == nil { start = service.now() }
                page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            } catch let error as AirtableError where error.isLostPlace && restarts < rules.restartsMax {
                restarts += 1
                update(table) { $0.offset = nil }
                continue
            }
            var next = state
            next[table].offset = page.offset
            next[table].pulled = (listing.offset == nil ? 0 : next[table].pulled) + page.records.count
            // What changed meanwhile is asked for from here on.
            next[table].changesTime = start
            next[table].sweepTime = start
            next[table].isPulled = page.offset == nil
            next[table].needsSweep = restarts > 0 || next[table].needsSweep
            _ = try await put(page.records, in: table, asked: sequence, saving: next)
            report(MirrorProgress(phase: .pulling, table: name, records: state[table].pulled))
        }
    }

    // MARK: Comparing

    private func isSweepDue(_ table: TableID) -> Bool {
        let progress = state[table]
        if progress.needsSweep { return true }
        let now = service.now()
        guard let last = progress.sweepTime, let changes = progress.changesTime else { return true }
        return last.age(at: now, isBeyond: rules.sweepInterval) || changes.age(at: now, isBeyond: rules.pollSpanMax)
    }

    /// Reads every record of a table, and takes away those that are gone.
    private mutating func sweep(_ table: TableID) async throws {
        let name = try await name(of: table)
        let started = service.now()
        var seen: Set<RecordID> = []
        var (offset, restarts, isOver) = (String?.none, 0, false)
        while !isOver {
            let sequence = try await writer.mark()
            var listing = listing
            listing.offset = offset
            let page: HostedPage
            do {
                page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            } catch let error as AirtableError where error.isLostPlace && restarts < rules.restartsMax {
                restarts += 1
                (offset, seen) = (nil, [])
                continue
            }
            _ = try await put(page.records, in: table, asked: sequence)
            seen.formUnion(page.records.lazy.map(\.id))
            (offset, isOver) = (page.offset, page.offset == nil)
            report(MirrorProgress(phase: .comparing, table: name, records: seen.count))
        }
        try await removeMissing(from: table, seen)
        update(table) { progress in
            progress.changesTime = started
            progress.sweepTime = started
            progress.needsSweep = false
        }
        try await save()
    }

    /// Asks once more for each record that did not come: it may have been made meanwhile, through this store.
    private mutating func removeMissing(from table: TableID, _ seen: Set<RecordID>) async throws {
        var (position, missing) = (Int64?.none, [RecordID]())
        while true {
            let after = position
            let page = try await service.read(context) { transaction, schema in
                guard let model = schema.table(table) else { return (ids: [RecordID](), last: Int64?.none) }
                return try HostedBaseStore().records(
                    of: model,
                    after: after,
                    limit: Limits.internalPageRecords,
                    in: transaction
                )
            }
            missing += page.ids.filter { !seen.contains($0) }
            guard let last = page.last else { break }
            position = last
        }
        _ = try await reread(missing, in: table)
    }

    /// Reads records by their identifiers, and takes away those that the service does not have.
    ///
    /// - Returns: how many changed here.
    mutating func reread(_ ids: [RecordID], in table: TableID) async throws -> Int {
        var (rest, changed) = (ids[...], 0)
        while !rest.isEmpty {
            let part = Array(rest.prefix(rules.recordsPerQuestion))
            rest = rest.dropFirst(part.count)
            let sequence = try await writer.mark()
            var listing = listing
            listing.filterByFormula = WebAPIBackend.question(part)
            let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            changed += try await put(page.records, in: table, asked: sequence).changed
            let found = Set(page.records.map(\.id))
            let gone = part.filter { !found.contains($0) }
            if !gone.isEmpty { changed += try await writer.remove(gone, in: table, asked: sequence).changed }
        }
        return changed
    }

    // MARK: Asking for changes

    /// Asks for what people changed since the last round. The service's own clock decides: ours only says how long ago
    /// the last round was.
    private mutating func poll(_ table: TableID) async throws {
        let started = service.now()
        let past = state[table].changesTime ?? started
        let seconds = (started.microseconds - past.microseconds + rules.pollMargin.microseconds) / 1_000_000
        var (offset, count) = (String?.none, 0)
        repeat {
            let sequence = try await writer.mark()
            var listing = listing
            listing.filterByFormula = Self.changedWithin(seconds: seconds)
            listing.offset = offset
            let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            _ = try await put(page.records, in: table, asked: sequence)
            count += page.records.count
            offset = page.offset
        } while offset != nil
        if count > 0 { try await noteDependents() }
        update(table) { $0.changesTime = started }
    }

    /// Whether a record was made or changed within so many seconds; the service takes a record that was never changed
    /// for changed when it was made, or not at all.
    static func changedWithin(seconds: Int64) -> String {
        func age(_ time: String) -> String { "DATETIME_DIFF(NOW(),\(time),'seconds')<\(seconds)" }
        return "OR(\(age("CREATED_TIME()")),IF(LAST_MODIFIED_TIME(),\(age("LAST_MODIFIED_TIME()")),FALSE()))"
    }

    /// Small tables whose cells are computed from other records are compared in the next round.
    mutating func noteDependents() async throws {
        let limit = rules.smallTableRecords
        let dependents = try await service.read(context) { [base, context, store = service.store] transaction, schema in
            try schema.tables(in: base.id).filter { model in
                guard model.table.fields.contains(where: { $0.type.readsOtherRecords }) else { return false }
                return try store.count(of: model, tenant: context.tenant, in: transaction) <= limit
            }.map(\.table.id)
        }
        for table in dependents { update(table) { $0.needsSweep = true } }
    }

    // MARK: Parts

    private var listing: HostedListing {
        var listing = HostedListing()
        listing.pageSize = Limits.pageRecords
        listing.returnFieldsByFieldID = true
        return listing
    }

    private func name(of table: TableID) async throws -> String {
        try await service.read(context) { _, schema in schema.table(table)?.table.name ?? table.description }
    }
}

extension AirtableError {
    /// The service no longer knows where a listing was: it is begun again.
    var isLostPlace: Bool { code == .iteratorNotAvailable || code == .invalidOffset }
}

extension FieldType {
    /// Whether its cells may change when only other records do.
    fileprivate var readsOtherRecords: Bool {
        switch self {
        case .rollup, .multipleLookupValues, .count: true
        default: false
        }
    }
}

extension Instant {
    /// Whether it is further from `now` than `span`, in either direction: a clock that was set back proves nothing.
    fileprivate func age(at now: Instant, isBeyond span: Duration) -> Bool {
        now.microseconds < microseconds || now.microseconds - microseconds > span.microseconds
    }
}
