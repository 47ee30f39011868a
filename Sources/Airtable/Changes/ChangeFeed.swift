import Database
public import Domain

/// A run of the change log.
public struct ChangePage: Sendable, Hashable {
    /// In sequence, without gaps.
    public let changes: [RecordChange]
    /// The oldest sequence still kept; `latest + 1` when none is.
    public let oldestKept: Int64
    /// The newest sequence there is.
    public let latest: Int64
}

/// How much of the change log is kept. Whichever bound is reached first counts.
public struct ChangeRetention: Sendable, Hashable {
    public var age: Duration
    public var bytes: Int64

    public init(age: Duration = .seconds(Limits.changeLogDays * 86_400), bytes: Int64 = Limits.changeLogBytes) {
        self.age = age
        self.bytes = bytes
    }
}

/// The ordered log of what changed in a tenant's bases, for those who keep something in step with
/// it.
///
/// A consumer pulls from its own checkpoint. One whose checkpoint is older than the oldest entry
/// kept gets `AirtableError.resynchronise`: it takes `latestSequence`, reads everything anew, and
/// goes on from there. Trusted code only: changes are whole, whoever may see them.
public struct ChangeFeed: Sendable {
    let database: any SQLDatabase
    let cache: SchemaCache
    /// This process has committed a change.
    let signal: Wakeup
    /// How long a change of another process may go unnoticed.
    let pollInterval: Duration
    private let store = ChangeLogStore()

    init(database: any SQLDatabase, cache: SchemaCache, signal: Wakeup, pollInterval: Duration) {
        self.database = database
        self.cache = cache
        self.signal = signal
        self.pollInterval = pollInterval
    }

    /// Up to `limit` changes after `sequence`; fewer when they are large.
    ///
    /// - Throws: `.resynchronise` when entries after `sequence` are no longer kept, or when the log
    ///   never came as far (the database was put back to an older state).
    public func changes(after sequence: Int64, limit: Int, tenant: TenantID) async throws -> ChangePage {
        let limit = min(max(limit, 1), Limits.changePageEntries)
        return try await database.read(of: .tenant(tenant)) { [store, cache] transaction in
            let extent = try store.extent(tenant: tenant, in: transaction)
            guard sequence >= extent.oldest - 1, sequence <= extent.latest else { throw Self.resynchronise }
            guard sequence < extent.latest else {
                return ChangePage(changes: [], oldestKept: extent.oldest, latest: extent.latest)
            }
            let schema = try cache.schema(tenant, in: transaction)
            let changes = try store.changes(after: sequence, limit: limit, schema: schema, in: transaction)
            return ChangePage(changes: changes, oldestKept: extent.oldest, latest: extent.latest)
        }
    }

    /// The newest sequence there is; 0 before the first change.
    public func latestSequence(tenant: TenantID) async throws -> Int64 {
        try await database.read(of: .tenant(tenant)) { [store] in try store.extent(tenant: tenant, in: $0).latest }
    }

    /// Every change after `sequence`, then each new one within milliseconds of its commit in this
    /// process, and within 100 ms of one in another. Pulled: nothing is read ahead of the reader
    /// but one page.
    public func subscribe(after sequence: Int64, tenant: TenantID) -> ChangeTail {
        ChangeTail(feed: self, sequence: sequence, tenant: tenant)
    }

    /// Returns true when there is a change after `sequence`, false when `timeout` has passed before
    /// one came.
    public func waitForChange(after sequence: Int64, tenant: TenantID, atMost timeout: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + timeout
        while true {
            let generation = signal.generation
            if try await latestSequence(tenant: tenant) > sequence { return true }
            let rest = deadline - .now
            guard rest > .zero else { return false }
            await signal.wait(beyond: generation, atMost: min(rest, pollInterval))
            try Task.checkCancellation()
        }
    }

    /// Removes what `retention` does not keep, in small transactions.
    ///
    /// - Returns: how many entries went.
    public func trim(to retention: ChangeRetention, now: Instant, tenant: TenantID) async throws -> Int {
        let cutoff = Instant(microseconds: now.microseconds - retention.age.microseconds)
        var total = 0
        while true {
            let removed = try await database.write(of: .tenant(tenant)) { [store] transaction in
                try store.trim(
                    before: cutoff,
                    bytesMax: retention.bytes,
                    limit: Limits.changePageEntries,
                    tenant: tenant,
                    in: transaction
                )
            }
            total += removed
            if removed < Limits.changePageEntries { break }
            try Task.checkCancellation()
        }
        try await trimComments(before: cutoff, tenant: tenant)
        return total
    }

    /// The log of comments is kept as long as this one, by age.
    private func trimComments(before cutoff: Instant, tenant: TenantID) async throws {
        while true {
            let removed = try await database.write(of: .tenant(tenant)) { transaction in
                _ = try SchemaStore().lock(tenant: tenant, in: transaction)
                return try CommentStore().trim(
                    before: cutoff,
                    limit: Limits.changePageEntries,
                    tenant: tenant,
                    in: transaction
                )
            }
            if removed < Limits.changePageEntries { return }
            try Task.checkCancellation()
        }
    }

    // MARK: Checkpoints

    /// The last entry that `consumer` has dealt with; nil when it never said.
    public func checkpoint(of consumer: String, tenant: TenantID) async throws -> Int64? {
        try await database.read(of: .tenant(tenant)) { [store] in
            try store.checkpoint(of: consumer, tenant: tenant, in: $0)
        }
    }

    /// Remembers that `consumer` has dealt with everything up to `sequence`.
    public func setCheckpoint(_ sequence: Int64, of consumer: String, tenant: TenantID) async throws {
        let time = Instant.now()
        try await database.write(of: .tenant(tenant)) { [store] transaction in
            try store.setCheckpoint(sequence, of: consumer, time: time, tenant: tenant, in: transaction)
        }
    }

    /// Forgets a consumer that will not come back.
    public func deleteCheckpoint(of consumer: String, tenant: TenantID) async throws {
        try await database.write(of: .tenant(tenant)) { [store] in
            try store.deleteCheckpoint(of: consumer, tenant: tenant, in: $0)
        }
    }

    static let resynchronise = AirtableError(
        .resynchronise,
        "The change log is no longer kept that far back.",
        hint: "read the tables whole, then go on from the latest sequence"
    )
}

extension Duration {
    var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
