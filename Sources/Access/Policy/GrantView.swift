import Domain

/// Some grants arranged by the place they are about, so that a question looks at the few places above what it asks
/// about, however many grants there are.
struct GrantView: Sendable {
    /// What the grants say of one place.
    struct Place: Sendable {
        let resource: Resource
        /// In the whole of it.
        var allowed: Rights = []
        var denied: Rights = []
        /// In some records of a table.
        var partial: Rights = []
        var clauses: [Clause] = []
        /// Of `GrantView.grants`.
        var grants: [Int] = []
        /// Of grants on records of a table, one for each right they give at least.
        var inner: [Int] = []
    }

    /// A grant with a condition.
    struct Clause: Sendable {
        let rights: Rights
        let isDenial: Bool
        let formula: String
        let grant: Int
    }

    /// What is allowed in the whole tenant without a grant.
    let ground: Rights
    /// The role that `ground` comes from.
    let role: Role?
    let sparesAdministration: Bool
    /// With what each really says at its place.
    private(set) var grants: [(grant: Grant, rights: Rights)]
    private(set) var places: [Place] = []
    private var positions: [Resource: Int] = [:]
    /// Tables of a base about which, or about parts of which, there is any grant.
    private var tables: [BaseID: [Int]] = [:]

    init(ground: Rights, role: Role?, grants: [(Grant, Rights)], sparesAdministration: Bool) {
        self.ground = ground
        self.role = role
        self.sparesAdministration = sparesAdministration
        self.grants = grants.map { (grant: $0.0, rights: $0.1) }
        for position in grants.indices { add(position) }
    }

    /// Where in `places` a resource is; nil when no grant is about it.
    func position(of resource: Resource) -> Int? { positions[resource] }

    /// Where in `places` those tables of a base are about which there is any grant.
    func tables(of base: BaseID) -> [Int] { tables[base] ?? [] }

    private mutating func add(_ grant: Int) {
        let (resource, rights) = (grants[grant].grant.resource, grants[grant].rights)
        let position = place(resource)
        places[position].grants.append(grant)
        switch grants[grant].grant.effect {
        case .allow: allow(rights, position, grant)
        case .deny: deny(rights, position, grant)
        }
    }

    private mutating func allow(_ rights: Rights, _ position: Int, _ grant: Int) {
        let resource = places[position].resource
        var rights = rights
        if resource.level != .tenant { rights.subtract(.ofTenants) }
        if let formula = grants[grant].grant.condition {
            // Only tables have conditions; anywhere else one would be an allowance that nothing checks.
            rights.formIntersection(resource.level == .table ? .ofRecords.union(.ofTheirTable) : [])
            grants[grant].rights = rights
            guard resource.level == .table else { return }
            let part = rights.intersection(.ofRecords)
            places[position].partial.formUnion(part)
            places[position].allowed.formUnion(rights.intersection(.ofTheirTable))
            places[position].clauses.append(Clause(rights: part, isDenial: false, formula: formula, grant: grant))
            return
        }
        switch resource {
        case .tenant, .workspace, .base, .table:
            places[position].allowed.formUnion(rights)
        case .record(_, let table, let base):
            let part = rights.intersection(.ofRecords)
            places[position].allowed.formUnion(part)
            rights.formIntersection(.ofRecords.union(.ofTheirTable))
            let above = place(.table(table, base))
            let known = places[above].inner.reduce(Rights()) { $0.union(grants[$1].rights) }
            if !known.isSuperset(of: rights) { places[above].inner.append(grant) }
            places[above].partial.formUnion(part)
            places[above].allowed.formUnion(rights.intersection(.ofTheirTable))
        case .view, .field:
            // These are only ever taken away: a table is given with all of its fields.
            rights = []
        }
        grants[grant].rights = rights
    }

    private mutating func deny(_ rights: Rights, _ position: Int, _ grant: Int) {
        guard let formula = grants[grant].grant.condition, places[position].resource.level == .table else {
            // A condition where there can be none is not trusted to spare anything.
            places[position].denied.formUnion(rights)
            return
        }
        let part = rights.intersection(.ofRecords)
        places[position].denied.formUnion(rights.subtracting(.ofRecords))
        places[position].clauses.append(Clause(rights: part, isDenial: true, formula: formula, grant: grant))
    }

    private mutating func place(_ resource: Resource) -> Int {
        if let position = positions[resource] { return position }
        // A table's place comes with any place in it, so that a base knows its tables.
        if resource.level != .table, let table = resource.table, let base = resource.base {
            _ = place(.table(table, base))
        }
        let position = places.count
        places.append(Place(resource: resource))
        positions[resource] = position
        if case .table(_, let base) = resource { tables[base, default: []].append(position) }
        return position
    }
}
