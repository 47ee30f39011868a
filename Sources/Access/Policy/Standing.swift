package import Domain

/// What limits a key, or a token with scopes, beside its owner's rights.
package struct KeyLimits: Sendable, Hashable {
    /// Nil for a token, which has no grants of its own.
    package var id: KeyID?
    package var scopes: Set<Permission>
    /// The only bases, and of others the only tables, that it sees; nil for no limit.
    package var bases: Set<BaseID>?
    package var tables: [BaseID: Set<TableID>]

    package init(
        id: KeyID? = nil,
        scopes: Set<Permission>,
        bases: Set<BaseID>? = nil,
        tables: [BaseID: Set<TableID>] = [:]
    ) {
        self.id = id
        self.scopes = scopes
        self.bases = bases
        self.tables = tables
    }

    /// Nil when it is not limited to places.
    var places: Reach? {
        guard bases != nil || !tables.isEmpty else { return nil }
        var reach = Reach(bases: (bases ?? []).union(tables.keys))
        reach.tables = tables.filter { bases?.contains($0.key) != true }
        return reach
    }
}

/// A key's limits with its own grants.
struct KeyStanding: Sendable {
    let scopes: Rights
    let places: Reach?
    /// What its own grants cover: everything when none allows anything.
    let rights: GrantView
    /// The same where only existence is asked: whoever may do anything at a place may know that it is there.
    let sight: GrantView

    init(_ limits: KeyLimits, grants: [(Grant, Rights)]) {
        scopes = Rights(limits.scopes)
        places = limits.places
        let ground = grants.contains { $0.0.effect == .allow } ? Rights() : Rights.all
        rights = GrantView(ground: ground, role: nil, grants: grants, sparesAdministration: false)
        let seeing = grants.map { ($0.0, $0.0.effect == .allow && !$0.1.isEmpty ? $0.1.union(.sight) : $0.1) }
        sight = GrantView(ground: ground, role: nil, grants: seeing, sparesAdministration: false)
    }
}

/// Where one user, or one of their keys, stands in a tenant: all that decides what they may, and nothing of others.
///
/// Answers single questions (`decide`) and compiles whole ones (`scope`, in `Standing+Scope.swift`). Both say the same;
/// a slow evaluator that shares no code with them is held against both.
package struct Standing: Sendable {
    let tenant: TenantID
    let rights: GrantView
    let key: KeyStanding?
    let placements: PolicySet.Placements
    package let reader: RecordRule.Reader

    /// Everything that may be done in some place, which is what may be asked for at the door.
    ///
    /// What is done to the tenant itself is in it only for who may do it in the whole tenant.
    package var permissions: Set<Permission> {
        var all = somewhere(rights)
        if let key { all.formIntersection(key.scopes.intersection(somewhere(key.rights))) }
        return all.permissions
    }

    private func somewhere(_ view: GrantView) -> Rights {
        var all = view.ground
        for place in view.places {
            let isTenant = place.resource.level == .tenant
            let given = place.allowed.union(place.partial)
            all.formUnion(isTenant ? given : given.subtracting(.administrative))
        }
        guard let tenant = view.position(of: .tenant) else { return all }
        let denied = view.places[tenant].denied
        return all.subtracting(view.sparesAdministration ? denied.subtracting(.administrative) : denied)
    }
}
