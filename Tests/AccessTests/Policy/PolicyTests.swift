import Access
import Domain
import TestSupport
import Testing

@Suite("Policy")
struct PolicyTests {
    struct Scenario: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let facts: Policy.KeyFacts
        var client: IPAddress?
        let expected: Policy.Admission
    }

    static let now = Instant(milliseconds: 1_000_000)

    static func facts(
        expires: Instant? = nil,
        isDisabled: Bool = false,
        isOwnerDisabled: Bool = false,
        addresses: AddressList? = nil
    ) -> Policy.KeyFacts {
        Policy.KeyFacts(
            expires: expires,
            isDisabled: isDisabled,
            isOwnerDisabled: isOwnerDisabled,
            addresses: addresses
        )
    }

    static let scenarios: [Scenario] = [
        Scenario(testDescription: "an ordinary key", facts: facts(), expected: .admitted),
        Scenario(
            testDescription: "expires a microsecond later",
            facts: facts(expires: Instant(microseconds: now.microseconds + 1)),
            expected: .admitted
        ),
        Scenario(testDescription: "expires now", facts: facts(expires: now), expected: .refused(.keyExpired)),
        Scenario(
            testDescription: "expired in 1969",
            facts: facts(expires: Instant(microseconds: -1)),
            expected: .refused(.keyExpired)
        ),
        Scenario(testDescription: "disabled", facts: facts(isDisabled: true), expected: .refused(.keyDisabled)),
        Scenario(
            testDescription: "owner disabled",
            facts: facts(isOwnerDisabled: true),
            expected: .refused(.ownerDisabled)
        ),
        Scenario(
            testDescription: "KEY-02: from an address of its list",
            facts: facts(addresses: AddressList(["192.0.2.0/24"])),
            client: IPAddress("::ffff:192.0.2.9"),
            expected: .admitted
        ),
        Scenario(
            testDescription: "KEY-02: from another address",
            facts: facts(addresses: AddressList(["192.0.2.0/24"])),
            client: IPAddress("192.0.3.9"),
            expected: .refused(.addressNotAllowed)
        ),
        Scenario(
            testDescription: "KEY-02: from nobody knows where, with a list",
            facts: facts(addresses: AddressList(["0.0.0.0/0", "::/0"])),
            expected: .refused(.addressNotAllowed)
        ),
        Scenario(
            testDescription: "disabled, expired and without owner",
            facts: facts(expires: now, isDisabled: true, isOwnerDisabled: true),
            expected: .refused(.keyDisabled)
        ),
    ]

    @Test("admits a key or says why not", arguments: scenarios)
    func admit(_ scenario: Scenario) {
        #expect(Policy.admit(scenario.facts, from: scenario.client, at: Self.now) == scenario.expected)
    }

    @Test("KEY-02: never gives more than scopes and role together", arguments: 0..<50)
    func intersection(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let scopes = Set(Permission.allCases.filter { _ in Bool.random(using: &generator) })
        for role in Role.allCases {
            let user = UserID.random(using: &generator)
            let set = PolicySet(tenant: .random(), version: 1, people: [user: PolicySet.Person(role: role)])
            let standing = try #require(set.standing(of: user, key: KeyLimits(id: .random(), scopes: scopes)))
            #expect(standing.permissions == scopes.intersection(role.permissions))
        }
    }

    @Test("admin implies no other permission")
    func admin() {
        let principal = Principal(user: .random(), key: .random(), permissions: [.admin])
        for permission in Permission.allCases {
            #expect(Policy.allows(permission, to: principal) == (permission == .admin))
        }
    }

    @Test("the owner role has every permission")
    func owner() {
        #expect(Role.owner.permissions == Set(Permission.allCases))
    }

    @Test("nobody hands on a wider set of bases than they have")
    func bases() {
        let (one, two) = (BaseID.random(), BaseID.random())
        #expect(Policy.mayHandOn(bases: nil, holding: nil))
        #expect(Policy.mayHandOn(bases: [one], holding: nil))
        #expect(Policy.mayHandOn(bases: [one], holding: [one, two]))
        #expect(Policy.mayHandOn(bases: [], holding: [one]))
        #expect(!Policy.mayHandOn(bases: nil, holding: [one]))
        #expect(!Policy.mayHandOn(bases: [two], holding: [one]))
        #expect(!Policy.mayHandOn(bases: [one, two], holding: [one]))
        #expect(!Policy.mayHandOn(bases: nil, holding: []))
    }

    @Test("KEY-04: nobody hands on a table of a base that they do not see whole, but for their own tables")
    func tables() {
        let (base, other) = (BaseID.random(), BaseID.random())
        let (one, two) = (TableID.random(), TableID.random())
        #expect(Policy.mayHandOn(bases: nil, tables: [base: [one]], holding: nil))
        #expect(Policy.mayHandOn(bases: nil, tables: [base: [one]], holding: [base]))
        #expect(Policy.mayHandOn(bases: nil, tables: [base: [one]], holding: nil, tables: [base: [one, two]]))
        #expect(Policy.mayHandOn(bases: [other], tables: [base: [one]], holding: [other], tables: [base: [one]]))
        #expect(!Policy.mayHandOn(bases: nil, tables: [base: [one, two]], holding: nil, tables: [base: [one]]))
        #expect(!Policy.mayHandOn(bases: [base], tables: [:], holding: nil, tables: [base: [one]]))
        #expect(!Policy.mayHandOn(bases: nil, tables: [:], holding: nil, tables: [base: [one]]))
        #expect(!Policy.mayHandOn(bases: nil, tables: [other: [one]], holding: [base], tables: [base: [one]]))
    }

    @Test("KEY-04: nobody hands on more addresses or a longer life than they have")
    func addressesAndExpiry() {
        let list = AddressList(["10.0.0.0/8"])
        #expect(Policy.mayHandOn(addresses: nil, holding: nil))
        #expect(Policy.mayHandOn(addresses: AddressList(["10.1.0.0/16"]), holding: list))
        #expect(!Policy.mayHandOn(addresses: nil, holding: list))
        #expect(!Policy.mayHandOn(addresses: AddressList(["10.0.0.0/7"]), holding: list))
        let (soon, late) = (Instant(microseconds: 1), Instant(microseconds: 2))
        #expect(Policy.mayHandOn(expiry: nil, holding: nil))
        #expect(Policy.mayHandOn(expiry: soon, holding: soon))
        #expect(!Policy.mayHandOn(expiry: late, holding: soon))
        #expect(!Policy.mayHandOn(expiry: nil, holding: late))
    }

    @Test("what exceeds somebody's rights is found")
    func excess() {
        #expect(Policy.excess(of: [.search], over: [.search, .chat]).isEmpty)
        #expect(Policy.excess(of: [.search, .admin], over: [.search]) == [.admin])
        #expect(Policy.excess(of: [], over: []).isEmpty)
    }
}
