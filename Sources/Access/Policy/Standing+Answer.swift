import Domain

/// The places above a resource, from the tenant down, as positions in a view; -1 where no grant is about one.
struct Path {
    let resource: Resource
    private(set) var tenant = -1
    private(set) var workspace = -1
    private(set) var base = -1
    private(set) var table = -1
    /// A view, record or field.
    private(set) var leaf = -1

    init(_ resource: Resource, _ placement: WorkspaceID?, in view: GrantView) {
        self.resource = resource
        if view.places.isEmpty { return }
        tenant = view.position(of: .tenant) ?? -1
        if case .workspace = resource { workspace = view.position(of: resource) ?? -1 }
        if let placement { workspace = view.position(of: .workspace(placement)) ?? -1 }
        guard let base = resource.base else { return }
        self.base = view.position(of: .base(base)) ?? -1
        guard let table = resource.table else { return }
        self.table = view.position(of: .table(table, base)) ?? -1
        // A place inside a table brings its table's with it.
        if self.table >= 0, resource.level != .table { leaf = view.position(of: resource) ?? -1 }
    }

    /// Calls `body` with each place about which there are grants, top first, until it returns true.
    func first(_ body: (Int) -> Bool) -> Int? {
        if tenant >= 0, body(tenant) { return tenant }
        if workspace >= 0, body(workspace) { return workspace }
        if base >= 0, body(base) { return base }
        if table >= 0, body(table) { return table }
        if leaf >= 0, body(leaf) { return leaf }
        return nil
    }
}

extension Standing {
    /// One permission in one view: refusals first, then allowances, each from the tenant down.
    ///
    /// - Parameter isSight: whether existence is asked about, so that what hides a field or view counts.
    func answer(
        _ permission: Permission,
        _ path: Path,
        _ view: GrantView,
        isSight: Bool,
        _ truth: (String) -> Truth
    ) -> Decision {
        let right = Rights(permission)
        let isSpared = view.sparesAdministration && Rights.administrative.contains(right)
        if !isSpared, let denial = denial(right, path, view, isSight: isSight) {
            return Decision(verdict: .denied, reason: .grant(denial), permission: permission)
        }
        var unknown: GrantID?
        let isOfRecords = Rights.ofRecords.contains(right)
        let level = path.resource.level
        if level == .record, isOfRecords, path.table >= 0 {
            for clause in view.places[path.table].clauses where clause.isDenial && clause.rights.contains(right) {
                let grant = view.grants[clause.grant].grant.id
                switch truth(clause.formula) {
                case .holds, .broken: return Decision(verdict: .denied, reason: .grant(grant), permission: permission)
                case .unknown: unknown = unknown ?? grant
                case .fails: break
                }
            }
        }
        let allowance = allowance(right, path, view, truth)
        guard let allowance else {
            let reason = view.role == nil && key != nil ? Decision.Reason.keyGrants : .nothing
            return Decision(verdict: .denied, reason: reason, permission: permission)
        }
        if let unknown { return Decision(verdict: .conditional, reason: .grant(unknown), permission: permission) }
        return Decision(verdict: allowance.verdict, reason: allowance.reason, permission: permission)
    }

    private func denial(_ right: Rights, _ path: Path, _ view: GrantView, isSight: Bool) -> GrantID? {
        let level = path.resource.level
        let hides = isSight && (level == .field || level == .view)
        let place = path.first { position in
            let denied = view.places[position].denied
            if position == path.leaf, hides, !denied.isDisjoint(with: .hiding) { return true }
            return denied.contains(right)
        }
        guard let place else { return nil }
        let hiding = hides && place == path.leaf ? right.union(.hiding) : right
        let decider = view.places[place].grants.first { number in
            view.grants[number].grant.effect == .deny && !view.grants[number].rights.isDisjoint(with: hiding)
        }
        return decider.map { view.grants[$0].grant.id }
    }

    private func allowance(
        _ right: Rights,
        _ path: Path,
        _ view: GrantView,
        _ truth: (String) -> Truth
    ) -> (verdict: Decision.Verdict, reason: Decision.Reason)? {
        if view.ground.contains(right) { return (.allowed, view.role.map { .role($0) } ?? .keyGrants) }
        if let place = path.first({ view.places[$0].allowed.contains(right) }) {
            return (.allowed, .grant(view.allower(of: right, at: place)))
        }
        switch path.resource.level {
        case .record where path.table >= 0:
            var unknown: GrantID?
            for clause in view.places[path.table].clauses where !clause.isDenial && clause.rights.contains(right) {
                let grant = view.grants[clause.grant].grant.id
                switch truth(clause.formula) {
                case .holds: return (.allowed, .grant(grant))
                case .unknown: unknown = unknown ?? grant
                case .fails, .broken: break
                }
            }
            return unknown.map { (.conditional, .grant($0)) }
        case .table where path.table >= 0, .view where path.table >= 0, .field where path.table >= 0:
            guard view.places[path.table].partial.contains(right) else { return nil }
            return (.allowed, .part(view.allower(of: right, at: path.table)))
        case .base where Rights.byPart.contains(right):
            guard let base = path.resource.base else { return nil }
            let part = view.tables(of: base).first { view.reaches(right, table: $0) }
            return part.map { (.allowed, .part(view.allower(of: right, at: $0))) }
        default:
            return nil
        }
    }
}

extension GrantView {
    /// Whether anything of a table is allowed, and the table itself is not denied. What stands above is not looked at.
    func reaches(_ right: Rights, table position: Int) -> Bool {
        let place = places[position]
        return place.allowed.union(place.partial).contains(right) && !place.denied.contains(right)
    }

    /// The grant that allows `right` at a place: its own, or for a table one of a record in it.
    func allower(of right: Rights, at position: Int) -> GrantID {
        let place = places[position]
        let giver = (place.grants + place.inner).first { number in
            grants[number].grant.effect == .allow && grants[number].rights.contains(right)
        }
        guard let giver else { preconditionFailure("\(place.resource) is allowed by no grant") }
        return grants[giver].grant.id
    }
}
