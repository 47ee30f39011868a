import Domain

/// Whom a session belongs to. Its id alone opens nothing.
struct SessionOwner: Sendable, Hashable {
    let tenant: TenantID
    let user: UserID
    let key: KeyID?
    let session: SessionID?

    init(_ context: RequestContext) {
        tenant = context.tenant
        user = context.principal.user
        key = context.principal.key
        session = context.principal.session
    }
}

/// The sessions of one process: bounded in number, each its owner's, gone when nobody has used them for long.
///
/// A value without a clock; whoever is removed is handed back, to be ended. A session in use does not expire and is
/// never pushed out.
struct SessionTable<Session: Sendable>: Sendable {
    struct Bounds: Sendable {
        var sessionsMax: Int
        var sessionsPerOwnerMax: Int
        var idleMax: Duration
    }

    private struct Entry {
        let owner: SessionOwner
        let session: Session
        var uses = 0
        /// When it was last put aside.
        var lastUse: ContinuousClock.Instant
    }

    private let bounds: Bounds
    private var entries: [String: Entry] = [:]

    init(_ bounds: Bounds) { self.bounds = bounds }

    var count: Int { entries.count }

    /// Adds a session, and pushes out the one that was unused longest when there are too many: of its owner's when
    /// those are too many, else of all.
    ///
    /// - Returns: the sessions that expired or were pushed out; nil, and nothing is added, when all others are in use.
    /// - Complexity: O(sessions).
    mutating func insert(
        _ session: Session,
        id: String,
        owner: SessionOwner,
        at now: ContinuousClock.Instant
    ) -> [Session]? {
        precondition(entries[id] == nil, "a session's id is used once")
        var removed = removeExpired(at: now)
        let own = entries.filter { $0.value.owner == owner }
        if own.count >= bounds.sessionsPerOwnerMax {
            guard let oldest = Self.longestUnused(own) else { return nil }
            removed += remove(oldest)
        } else if entries.count >= bounds.sessionsMax {
            guard let oldest = Self.longestUnused(entries) else { return nil }
            removed += remove(oldest)
        }
        entries[id] = Entry(owner: owner, session: session, lastUse: now)
        return removed
    }

    /// Takes a session into use; `release` puts it aside again, once for each time.
    ///
    /// - Returns: nil for one that is unknown, somebody else's or expired.
    mutating func acquire(_ id: String, owner: SessionOwner, at now: ContinuousClock.Instant) -> Session? {
        guard let entry = entries[id], entry.owner == owner, !isExpired(entry, at: now) else { return nil }
        entries[id]?.uses += 1
        return entry.session
    }

    /// Takes a session that was in use a moment ago into use again.
    ///
    /// - Returns: whether it is still there.
    mutating func acquire(_ id: String) -> Bool {
        guard entries[id] != nil else { return false }
        entries[id]?.uses += 1
        return true
    }

    /// Harmless when the session was removed meanwhile.
    mutating func release(_ id: String, at now: ContinuousClock.Instant) {
        entries[id]?.uses -= 1
        entries[id]?.lastUse = now
    }

    /// - Returns: nil for one that is unknown, somebody else's or expired.
    mutating func remove(_ id: String, owner: SessionOwner, at now: ContinuousClock.Instant) -> Session? {
        guard let entry = entries[id], entry.owner == owner, !isExpired(entry, at: now) else { return nil }
        return remove(id).first
    }

    mutating func removeExpired(at now: ContinuousClock.Instant) -> [Session] {
        entries.filter { isExpired($0.value, at: now) }.flatMap { remove($0.key) }
    }

    private mutating func remove(_ id: String) -> [Session] {
        entries.removeValue(forKey: id).map { [$0.session] } ?? []
    }

    private func isExpired(_ entry: Entry, at now: ContinuousClock.Instant) -> Bool {
        entry.uses == 0 && entry.lastUse.duration(to: now) >= bounds.idleMax
    }

    private static func longestUnused(_ entries: [String: Entry]) -> String? {
        entries.filter { $0.value.uses == 0 }.min { $0.value.lastUse < $1.value.lastUse }?.key
    }
}
