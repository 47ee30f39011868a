import Domain

extension Standing {
    /// Whether somebody may hand on `rights` at a place: they have them in the whole of it, with nothing in it kept from
    /// them that would not be kept from everybody.
    ///
    /// Of tenant owners without a key the inside is not asked: they may take away every refusal.
    package func holds(_ rights: Rights, of resource: Resource) -> Bool {
        rights.permissions.allSatisfy { holds($0, of: resource) }
    }

    /// Whether they are an owner of the tenant, with nothing that limits them.
    package var isOwner: Bool { key == nil && rights.role == .owner }

    /// Whether nothing limits them below what their user may.
    package var isWhole: Bool {
        key.map { $0.scopes == .all && $0.places == nil && $0.rights.grants.isEmpty } ?? true
    }

    private func holds(_ permission: Permission, of resource: Resource) -> Bool {
        let decision = decide(permission, on: resource)
        guard decision.isAllowed else { return false }
        if case .part = decision.reason { return false }
        if isOwner { return true }
        if let places = key?.places, !Rights.administrative.contains(Rights(permission)) {
            guard let base = resource.base else { return false }
            guard resource.table != nil || places.containsWhole(base: base) else { return false }
        }
        let views = [rights] + (key.map { [$0.rights, $0.sight] } ?? [])
        return views.allSatisfy {
            keepsNothing(of: permission, in: resource, $0) && givesWhole(permission, resource, $0)
        }
    }

    /// Whether all records are given, and not those that some condition chooses.
    private func givesWhole(_ permission: Permission, _ resource: Resource, _ view: GrantView) -> Bool {
        let answer = answer(
            permission,
            Path(resource, resource.base.flatMap { placements.workspaces[$0] }, in: view),
            view,
            isSight: false
        ) { _ in .fails }
        guard answer.isAllowed else { return false }
        if case .part = answer.reason { return false }
        return true
    }

    private func keepsNothing(of permission: Permission, in resource: Resource, _ view: GrantView) -> Bool {
        let wanted = [permission, permission.sight].map { Rights($0) }.reduce(Rights()) { $0.union($1) }
        return !view.grants.contains { grant, rights in
            guard grant.effect == .deny, grant.subject != .everybody, isInside(grant.resource, resource) else {
                return false
            }
            let isHiding = grant.resource.level == .field || grant.resource.level == .view
            return !rights.isDisjoint(with: isHiding ? wanted.union(.hiding) : wanted)
        }
    }

    /// Whether a place is another one, or in it.
    private func isInside(_ place: Resource, _ whole: Resource) -> Bool {
        switch whole {
        case .tenant: true
        case .workspace(let workspace):
            place == whole || place.base.map { placements.workspaces[$0] == workspace } ?? false
        case .base(let base): place.base == base
        case .table(let table, let base): place.base == base && place.table == table
        case .view, .record, .field: place == whole
        }
    }
}
