package import Domain

/// What a key may be at most that somebody makes who came with a key themselves.
extension Policy {
    /// Whether somebody limited to the `held` places may hand on a limit to the `wanted` ones.
    ///
    /// Places are whole bases, nil for all unless there are tables, and of further bases some tables.
    package static func mayHandOn(
        bases wanted: Set<BaseID>?,
        tables wantedTables: [BaseID: Set<TableID>] = [:],
        holding held: Set<BaseID>?,
        tables heldTables: [BaseID: Set<TableID>] = [:]
    ) -> Bool {
        if held == nil, heldTables.isEmpty { return true }
        if wanted == nil, wantedTables.isEmpty { return false }
        let bases = held ?? []
        return (wanted ?? []).isSubset(of: bases)
            && wantedTables.allSatisfy { base, tables in
                bases.contains(base) || tables.isSubset(of: heldTables[base] ?? [])
            }
    }

    /// Whether a key good from `held` may make one that is good from `wanted`. Nil is anywhere.
    package static func mayHandOn(addresses wanted: AddressList?, holding held: AddressList?) -> Bool {
        guard let held else { return true }
        return wanted?.isSubset(of: held) ?? false
    }

    /// Whether a key that dies at `held` may make one that dies at `wanted`. Nil is never.
    package static func mayHandOn(expiry wanted: Instant?, holding held: Instant?) -> Bool {
        guard let held else { return true }
        return wanted.map { $0 <= held } ?? false
    }
}
