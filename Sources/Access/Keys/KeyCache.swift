import Domain

/// Keys that were just found good. Only keys whose secret was right get in, so a guesser cannot fill it.
typealias KeyCache = RecentRows<KeyID, AccessStore.StoredKey>

extension RecentRows where ID == KeyID, Value == AccessStore.StoredKey {
    func key(_ id: KeyID) -> AccessStore.StoredKey? { self[id] }

    func add(_ key: AccessStore.StoredKey, _ ticket: Ticket) { add(key, for: key.key.id, ticket) }
}
