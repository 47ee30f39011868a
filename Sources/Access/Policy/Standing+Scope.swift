package import Domain

extension Standing {
    /// What exists for somebody who does `permission`, and where they may do it.
    ///
    /// - Complexity: O(their grants + the bases of the workspaces they speak of).
    package func scope(for permission: Permission) -> VisibleScope {
        let sight = permission.sight
        let seen = rights.reach(sight, isSight: true, placements, reader)
        let own = sight == permission ? seen : rights.reach(permission, isSight: false, placements, reader)
        var (exists, allowed) = (seen, own)
        if let key {
            let limit = key.sight.reach(sight, isSight: true, placements, reader)
            exists = exists.intersection(limit)
            allowed = allowed.intersection(key.rights.reach(permission, isSight: false, placements, reader))
            if let places = key.places {
                exists = exists.intersection(places)
                allowed = allowed.intersection(places)
            }
        }
        if permission.isReading { exists = exists.intersection(allowed) }
        return VisibleScope(tenant: tenant, sight: exists, action: permission.isReading ? nil : allowed)
    }
}

extension GrantView {
    /// All that `permission` covers.
    func reach(
        _ permission: Permission,
        isSight: Bool,
        _ placements: PolicySet.Placements,
        _ reader: RecordRule.Reader
    ) -> Reach {
        let right = Rights(permission)
        let tenant = position(of: .tenant).map { places[$0] }
        if tenant?.denied.contains(right) == true { return .nothing }
        var reach = Reach()
        let isWhole = ground.contains(right) || tenant?.allowed.contains(right) == true
        if !isWhole {
            reach.bases = []
            reach.workspaces = []
        }
        for place in places { cover(place, right, isWhole: isWhole, placements, &reach) }
        if !isWhole { coverParts(right, &reach) }
        for place in places { exclude(place, right, isSight: isSight, placements, &reach) }
        if Rights.ofRecords.contains(right) {
            for place in places { limit(place, right, reader, placements, &reach) }
        }
        return reach
    }

    private func cover(
        _ place: Place,
        _ right: Rights,
        isWhole: Bool,
        _ placements: PolicySet.Placements,
        _ reach: inout Reach
    ) {
        guard !isWhole, place.allowed.contains(right) else { return }
        switch place.resource {
        case .workspace(let workspace):
            reach.workspaces?.insert(workspace)
            reach.bases?.formUnion(placements.bases[workspace] ?? [])
        case .base(let base):
            reach.bases?.insert(base)
        case .tenant, .table, .view, .record, .field:
            break
        }
    }

    /// Bases of which only some tables are allowed. Those allowed whole are in `reach` already.
    private func coverParts(_ right: Rights, _ reach: inout Reach) {
        let whole = reach.bases ?? []
        for (position, place) in places.enumerated() {
            guard case .table(let table, let base) = place.resource, !whole.contains(base),
                reaches(right, table: position)
            else { continue }
            reach.bases?.insert(base)
            reach.tables[base, default: []].insert(table)
        }
    }

    private func exclude(
        _ place: Place,
        _ right: Rights,
        isSight: Bool,
        _ placements: PolicySet.Placements,
        _ reach: inout Reach
    ) {
        let isDenied = place.denied.contains(right)
        let isHidden = isDenied || isSight && !place.denied.isDisjoint(with: .hiding)
        switch place.resource {
        case .tenant, .record: break
        case .workspace(let workspace) where isDenied:
            reach.excludedWorkspaces.insert(workspace)
            reach.excludedBases.formUnion(placements.bases[workspace] ?? [])
        case .base(let base) where isDenied: reach.excludedBases.insert(base)
        case .table(let table, _) where isDenied: reach.excludedTables.insert(table)
        case .view(let view, _, _) where isHidden: reach.excludedViews.insert(view)
        case .field(let field, let table, _) where isHidden: reach.excludedFields[table, default: []].insert(field)
        case .workspace, .base, .table, .view, .field: break
        }
    }

    /// The rule of one table, when there is anything to say of its records.
    private func limit(
        _ place: Place,
        _ right: Rights,
        _ reader: RecordRule.Reader,
        _ placements: PolicySet.Placements,
        _ reach: inout Reach
    ) {
        switch place.resource {
        case .record(let record, let table, let base):
            if place.denied.contains(right) {
                reach.rules[table, default: RecordRule(reader: reader)].refused.insert(record)
            }
            // Where one record was let in, the table is not whole: thousands need not ask again.
            let isLimited = reach.rules[table]?.allowances.isEmpty == false
            guard place.allowed.contains(right), isLimited || !isWhole(right, table, base, placements) else { return }
            reach.rules[table, default: RecordRule(reader: reader)].allow { $0.records.insert(record) }
        case .table(let table, let base):
            for clause in place.clauses where clause.rights.contains(right) {
                if clause.isDenial {
                    reach.rules[table, default: RecordRule(reader: reader)].refusing.append(clause.formula)
                } else if !isWhole(right, table, base, placements) {
                    reach.rules[table, default: RecordRule(reader: reader)].allow { $0.formulas.append(clause.formula) }
                }
            }
        case .tenant, .workspace, .base, .view, .field: break
        }
    }

    /// Whether all records of a table are allowed.
    private func isWhole(
        _ right: Rights,
        _ table: TableID,
        _ base: BaseID,
        _ placements: PolicySet.Placements
    ) -> Bool {
        if ground.contains(right) { return true }
        return Path(.table(table, base), placements.workspaces[base], in: self).first {
            places[$0].allowed.contains(right)
        } != nil
    }
}

extension RecordRule {
    /// Adds to the one allowance of a rule in the making.
    fileprivate mutating func allow(_ change: (inout Allowance) -> Void) {
        if allowances.isEmpty { allowances = [Allowance()] }
        change(&allowances[0])
    }
}
