package import Domain

/// An answer to one question, with what decided it.
package struct Decision: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable, CaseIterable {
        case allowed
        case denied
        /// It depends on what stands in the record.
        case conditional
    }

    package enum Reason: Sendable, Hashable {
        /// The role in the whole tenant.
        case role(Role)
        case grant(GrantID)
        /// A part of it is given by this grant, so that it is there as a place.
        case part(GrantID)
        /// Nothing gives it.
        case nothing
        /// The key's scopes do not hold the permission.
        case keyScopes
        /// The key is limited to other bases or tables.
        case keyPlaces
        /// None of the key's own grants covers it.
        case keyGrants
    }

    package let verdict: Verdict
    package let reason: Reason
    /// The permission that was missing or denied, when it is not the one asked for: what is not seen cannot be searched.
    package let permission: Permission

    package var isAllowed: Bool { verdict == .allowed }
}

/// What is known of a formula for the record that is asked about.
package enum Truth: Sendable, Hashable {
    case holds
    case fails
    /// It does not compile, or fails for the record: it counts against who asks.
    case broken
    /// Nobody looked.
    case unknown
}

extension Standing {
    /// Whether `permission` may be used on `resource`. Pure; a few look-ups, however many grants there are.
    ///
    /// On a workspace or tenant, and to change a base's schema, it means the whole of it; on a base or table otherwise,
    /// that it is there with at least a part of it.
    ///
    /// - Parameter truth: of the formulas of conditions, asked only about a record.
    package func decide(
        _ permission: Permission,
        on resource: Resource,
        truth: (String) -> Truth = { _ in .unknown }
    ) -> Decision {
        // What is not about single records is asked of their table.
        if case .record(_, let table, let base) = resource, !Rights.ofRecords.contains(Rights(permission)) {
            return decide(permission, on: .table(table, base), truth: truth)
        }
        if let key {
            guard key.scopes.contains(Rights(permission)) else {
                return Decision(verdict: .denied, reason: .keyScopes, permission: permission)
            }
            guard Self.covers(key.places, resource, permission) else {
                return Decision(verdict: .denied, reason: .keyPlaces, permission: permission)
            }
        }
        let workspace = resource.base.flatMap { placements.workspaces[$0] }
        let path = Path(resource, workspace, in: rights)
        let sight = permission.sight
        var decision: Decision?
        if sight != permission {
            decision = answer(sight, path, rights, isSight: true, truth)
            if decision?.verdict == .denied, let decision { return decision }
        }
        let asked = answer(permission, path, rights, isSight: sight == permission, truth)
        decision = Self.stricter(decision, asked)
        guard let key, decision?.verdict != .denied else { return decision ?? asked }
        let seen = Path(resource, workspace, in: key.sight)
        decision = Self.stricter(decision, answer(sight, seen, key.sight, isSight: true, truth))
        let own = Path(resource, workspace, in: key.rights)
        let last = answer(permission, own, key.rights, isSight: sight == permission, truth)
        return Self.stricter(decision, last) ?? last
    }

    /// Denied before conditional before allowed; of equals the later one, which is about what was asked, unless that one
    /// only says that a key is not limited.
    private static func stricter(_ first: Decision?, _ second: Decision) -> Decision? {
        guard let first else { return second }
        if first.verdict == .denied { return first }
        if second.verdict == .denied { return second }
        if first.verdict == .conditional { return first }
        if second.verdict == .conditional { return second }
        return second.reason == .keyGrants ? first : second
    }

    private static func covers(_ places: Reach?, _ resource: Resource, _ permission: Permission) -> Bool {
        guard let places else { return true }
        switch resource {
        // Of the tenant and of workspaces such a key has parts only; what is done to a tenant has no place.
        case .tenant: return Rights.administrative.contains(Rights(permission))
        case .workspace: return false
        case .base(let base):
            return permission == .schemaWrite ? places.containsWhole(base: base) : places.contains(base: base)
        case .table(let table, let base), .view(_, let table, let base), .record(_, let table, let base),
            .field(_, let table, let base):
            return places.contains(table: table, in: base)
        }
    }
}
