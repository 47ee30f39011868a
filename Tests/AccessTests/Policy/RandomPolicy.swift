import Access
import Domain
import TestSupport

/// A small tenant with everything that grants can be about, and random grants on it.
struct RandomPolicy {
    let tenant = TenantID.random()
    var reference = ReferenceEvaluator()
    var users: [UserID] = []
    var keys: [(owner: UserID, key: ReferenceEvaluator.Key)] = []
    var places: [Resource] = []
    /// By formula and record, what a formula is there; nil where it breaks.
    private let salt: UInt64

    static let formulas = ["{Owner}=CURRENT_USER()", "{Public}", "{Broken"]

    init(_ generator: inout SeededGenerator) {
        salt = generator.next()
        let workspaces = (0..<2).map { _ in WorkspaceID.random(using: &generator) }
        let bases = (0..<3).map { _ in BaseID.random(using: &generator) }
        for (number, base) in bases.enumerated() { reference.placements[base] = workspaces[number % 2] }
        // One that nobody placed.
        let lost = BaseID.random(using: &generator)
        places = [.tenant] + workspaces.map { .workspace($0) }
        for base in bases + [lost] {
            places.append(.base(base))
            for _ in 0..<2 {
                let table = TableID.random(using: &generator)
                places.append(.table(table, base))
                for _ in 0..<2 {
                    places.append(.field(.random(using: &generator), table, base))
                    places.append(.record(.random(using: &generator), table, base))
                }
                places.append(.view(.random(using: &generator), table, base))
            }
        }
        addPeople(&generator)
        let count = Int.random(in: 0...12, using: &generator)
        reference.grants = (0..<count).map { _ in grant(&generator) }
    }

    private mutating func addPeople(_ generator: inout SeededGenerator) {
        for number in 0..<3 {
            let user = UserID.random(using: &generator)
            let isGuest = number == 0 || Bool.random(using: &generator)
            let role = isGuest ? Role.guest : Role.allCases.randomElement(using: &generator) ?? .viewer
            reference.people[user] = PolicySet.Person(
                role: role,
                isDisabled: Int.random(in: 0..<20, using: &generator) == 0
            )
            users.append(user)
        }
        for name in ["staff", "outside"] {
            let members = users.filter { _ in Bool.random(using: &generator) }
            reference.groups[.random(using: &generator)] = (name, members)
        }
        reference.roles[.random(using: &generator)] = permissions(&generator)
        let bases = places.compactMap { if case .base(let base) = $0 { base } else { nil } }
        for _ in 0..<2 {
            var key = ReferenceEvaluator.Key(id: .random(using: &generator), scopes: permissions(&generator))
            if Bool.random(using: &generator) { key.scopes = Set(Permission.allCases) }
            if Int.random(in: 0..<3, using: &generator) == 0 {
                key.bases = Set(bases.filter { _ in Bool.random(using: &generator) })
            }
            if Int.random(in: 0..<3, using: &generator) == 0 {
                for case .table(let table, let base) in places where Bool.random(using: &generator) {
                    key.tables[base, default: []].insert(table)
                }
            }
            keys.append((users.randomElement(using: &generator) ?? users[0], key))
        }
    }

    private func permissions(_ generator: inout SeededGenerator) -> Set<Permission> {
        let one = Permission.allCases.randomElement(using: &generator) ?? .search
        return Set([one, .recordsRead]).union(
            Permission.allCases.filter { _ in Int.random(in: 0..<4, using: &generator) == 0 }
        )
    }

    private func grant(_ generator: inout SeededGenerator) -> Grant {
        let subjects =
            users.map { Grant.Subject.user($0) } + reference.groups.keys.sorted().map { .group($0) }
            + keys.map { .key($0.key.id) } + [.everybody, .user(.random(using: &generator))]
        let resource = places.randomElement(using: &generator) ?? .tenant
        // Mostly where the product lets conditions be, sometimes elsewhere: a stored grant may say anything.
        let isConditional = Int.random(in: 0..<(resource.level == .table ? 2 : 12), using: &generator) == 0
        let bundle: Grant.Bundle
        switch Int.random(in: 0..<5, using: &generator) {
        case 0, 1: bundle = .role(Role.allCases.randomElement(using: &generator) ?? .viewer)
        case 2: bundle = .customRole(reference.roles.keys.first ?? .random(using: &generator))
        case 3 where Int.random(in: 0..<5, using: &generator) == 0: bundle = .customRole(.random(using: &generator))
        default:
            let some = Permission.allCases.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator))
            bundle = .permissions(Set(some))
        }
        return Grant(
            id: .random(using: &generator),
            subject: subjects.randomElement(using: &generator) ?? .everybody,
            effect: Int.random(in: 0..<3, using: &generator) == 0 ? .deny : .allow,
            bundle: bundle,
            resource: resource,
            condition: isConditional ? Self.formulas.randomElement(using: &generator) : nil,
            createdBy: users[0],
            createdTime: Instant(microseconds: 0)
        )
    }

    var set: PolicySet {
        PolicySet(
            tenant: tenant,
            version: 1,
            people: reference.people,
            groups: reference.groups,
            roles: reference.roles,
            placements: reference.placements,
            grants: reference.grants
        )
    }

    /// What a formula says of a place, the same whoever asks.
    func truth(_ formula: String, _ resource: Resource) -> Bool? {
        guard formula != "{Broken" else { return nil }
        var state = salt
        for byte in formula.utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for byte in (resource.identifier ?? "").utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        switch (state >> 20) % 5 {
        case 0, 1: return true
        case 2, 3: return false
        default: return nil
        }
    }
}
