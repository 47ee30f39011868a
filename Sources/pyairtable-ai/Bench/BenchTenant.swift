import Access
import Domain

/// A tenant with many grants, the same at every run.
struct BenchTenant {
    /// One table of many records, of which grants name thousands.
    struct Listed {
        let policy: PolicySet
        let user: UserID
        let base: BaseID
        let table: TableID
        let records: [RecordID]
    }

    /// A repeatable source: xorshift64 (Marsaglia, 2003).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    private static let permissions: [Permission] = [
        .recordsRead, .recordsWrite, .search, .schemaRead, .commentsWrite, .recordsDelete,
    ]

    let users: [UserID]
    private var generator = Generator()
    private var grants: [Grant] = []
    private var groups: [GroupID: (name: String, members: [UserID])] = [:]
    private var placements: [BaseID: WorkspaceID] = [:]
    private var places: [Resource] = []
    private let tenant: TenantID

    init(grants count: Int) {
        var generator = Generator()
        tenant = .random(using: &generator)
        users = (0..<1_000).map { _ in UserID.random(using: &generator) }
        let workspaces = (0..<20).map { _ in WorkspaceID.random(using: &generator) }
        places = workspaces.map { .workspace($0) }
        for number in 0..<200 {
            let base = BaseID.random(using: &generator)
            placements[base] = workspaces[number % workspaces.count]
            places.append(.base(base))
            for _ in 0..<5 {
                let table = TableID.random(using: &generator)
                places.append(.table(table, base))
                for _ in 0..<3 { places.append(.field(.random(using: &generator), table, base)) }
                for _ in 0..<3 { places.append(.record(.random(using: &generator), table, base)) }
            }
        }
        for number in 0..<50 {
            let members = users.filter { _ in Int.random(in: 0..<20, using: &generator) == 0 }
            groups[.random(using: &generator)] = ("group \(number)", members)
        }
        let teams = groups.keys.sorted()
        for _ in 0..<count {
            let isTeam = Int.random(in: 0..<4, using: &generator) == 0
            let place = places.randomElement(using: &generator) ?? .tenant
            let isLeaf = place.level == .field
            let isDenied = isLeaf || Int.random(in: 0..<8, using: &generator) == 0
            grants.append(
                Grant(
                    id: .random(using: &generator),
                    subject: isTeam
                        ? .group(teams[Int.random(in: 0..<teams.count, using: &generator)])
                        : .user(users[Int.random(in: 0..<users.count, using: &generator)]),
                    effect: isDenied ? .deny : .allow,
                    bundle: isDenied ? .permissions([.recordsRead]) : .role(.editor),
                    resource: place,
                    createdBy: users[0],
                    createdTime: Instant(microseconds: 0)
                )
            )
        }
        self.generator = generator
    }

    var policy: PolicySet {
        PolicySet(
            tenant: tenant,
            version: 1,
            people: users.enumerated().reduce(into: [:]) { people, user in
                people[user.element] = PolicySet.Person(role: user.offset.isMultiple(of: 4) ? .viewer : .guest)
            },
            groups: groups,
            placements: placements,
            grants: grants
        )
    }

    mutating func question() -> (Permission, Resource) {
        (
            Self.permissions.randomElement(using: &generator) ?? .search,
            places.randomElement(using: &generator) ?? .tenant
        )
    }

    /// - Parameter named: how many records grants allow; as many others are refused.
    mutating func listed(records count: Int, named: Int) -> Listed {
        let (base, table, user) = (
            BaseID.random(using: &generator), TableID.random(using: &generator), UserID.random(using: &generator)
        )
        let records = (0..<count).map { _ in RecordID.random(using: &generator) }
        let chosen = records.shuffled(using: &generator)
        let grants = (0..<(2 * named)).map { number in
            Grant(
                id: .random(using: &generator),
                subject: .user(user),
                effect: number < named ? .allow : .deny,
                bundle: .permissions([.recordsRead, .search]),
                resource: .record(chosen[number % chosen.count], table, base),
                createdBy: user,
                createdTime: Instant(microseconds: 0)
            )
        }
        let policy = PolicySet(
            tenant: tenant,
            version: 1,
            people: [user: PolicySet.Person(role: .guest)],
            grants: grants
        )
        return Listed(policy: policy, user: user, base: base, table: table, records: records)
    }
}
