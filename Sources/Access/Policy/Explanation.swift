public import Domain

/// Why something is allowed or not: the decision, and every grant on the way to it that says anything about it.
public struct Explanation: Sendable, Hashable {
    /// A place on the way from the tenant down to what was asked about, with what is said of it.
    public struct Step: Sendable, Hashable {
        public let resource: Resource
        /// Those that speak of the permission, or of the one that it needs to see; a key's own after its owner's.
        public let grants: [Grant]
    }

    package let decision: Decision
    public let permission: Permission
    public let resource: Resource
    /// The role in the whole tenant; nil for a group and for everybody.
    public let role: Role?
    /// Tenant first.
    public let steps: [Step]
    /// Of the policy that decided.
    public let version: Int64
}

extension Explanation {
    /// Stands for a condition that is not told.
    package static let conditionWithheld = "…"

    /// The same for somebody who is not to learn what conditions ask about, nor of grants further inside.
    var withoutConditions: Explanation {
        let steps = steps.map { step in
            Step(
                resource: step.resource,
                grants: step.grants.filter { $0.resource == step.resource }.map(\.withoutCondition)
            )
        }
        return Explanation(
            decision: decision,
            permission: permission,
            resource: resource,
            role: role,
            steps: steps,
            version: version
        )
    }
}

extension Grant {
    fileprivate var withoutCondition: Grant {
        guard condition != nil else { return self }
        return Grant(
            id: id,
            subject: subject,
            effect: effect,
            bundle: bundle,
            resource: resource,
            condition: Explanation.conditionWithheld,
            createdBy: createdBy,
            createdTime: createdTime
        )
    }
}

extension Standing {
    /// - Complexity: O(their grants).
    package func explain(_ permission: Permission, on resource: Resource, version: Int64) -> Explanation {
        let workspace = resource.base.flatMap { placements.workspaces[$0] }
        var path: [Resource] = [.tenant]
        if let workspace { path.append(.workspace(workspace)) }
        if let base = resource.base { path.append(.base(base)) }
        if let table = resource.table, let base = resource.base { path.append(.table(table, base)) }
        if path.last != resource { path.append(resource) }
        return Explanation(
            decision: decide(permission, on: resource),
            permission: permission,
            resource: resource,
            role: rights.role,
            steps: path.map { place in
                let said = [rights, key?.rights].compactMap(\.self).flatMap { $0.speaking(of: permission, at: place) }
                return Explanation.Step(resource: place, grants: said)
            },
            version: version
        )
    }
}

extension GrantView {
    fileprivate func speaking(of permission: Permission, at resource: Resource) -> [Grant] {
        guard let position = position(of: resource) else { return [] }
        let place = places[position]
        var wanted = Rights([permission, permission.sight])
        if resource.level == .field || resource.level == .view { wanted.formUnion(.hiding) }
        // An allowance on a record is what its table is given by.
        return (place.grants + place.inner).compactMap { number in
            grants[number].rights.isDisjoint(with: wanted) ? nil : grants[number].grant
        }
    }
}
