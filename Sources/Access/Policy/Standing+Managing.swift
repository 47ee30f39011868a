package import Domain

/// Managing members: the only thing of a tenant that may be given in a part of it.
extension Standing {
    /// Whether members may be managed at a place. Of what lies in a table the table is asked, since who manages it may
    /// well be kept from a field of it.
    package func manages(_ place: Resource) -> Bool {
        var asked = place
        if let base = place.base, let table = place.table { asked = .table(table, base) }
        return decide(.membersManage, on: asked).isAllowed
    }

    /// Whether something may be done anywhere: who may not is told so, whatever they ask for.
    package func isGivenSomewhere(_ permission: Permission) -> Bool {
        let right = Rights(permission)
        func gives(_ view: GrantView) -> Bool {
            view.ground.contains(right)
                || view.places.contains { $0.allowed.union($0.partial).contains(right) }
        }
        guard gives(rights) else { return false }
        return key.map { $0.scopes.contains(right) && gives($0.rights) } ?? true
    }
}
