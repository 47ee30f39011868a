import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Managing API keys")
struct KeyManagementTests {
    private static let (base, other) = (BaseID.random(), BaseID.random())
    private static let (table, second) = (TableID.random(), TableID.random())

    @Test("KEY-02: its limits are kept, and its tables are all that exists for it", arguments: DatabaseKind.allCases)
    func limits(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let draft = APIKeyDraft(
                name: "narrow",
                scopes: [.recordsRead],
                bases: [Self.other],
                tables: [Self.base: [Self.table]],
                addresses: AddressList(["192.0.2.0/24"]),
                expires: Instant(microseconds: fixture.clock.instant.microseconds + 1_000_000)
            )
            let issued = try await fixture.service.createKey(draft, context: try await fixture.owner())
            let stored = try await fixture.service.key(issued.key.id, context: try await fixture.owner())
            #expect(stored == issued.key)
            #expect(stored.tables == draft.tables)
            #expect(stored.addresses == draft.addresses)

            let context = try await fixture.authenticate(issued.text, from: "192.0.2.1")
            #expect(context.clientAddress == "192.0.2.1")
            let scope = try await fixture.service.visibleScope(for: context)
            #expect(scope.bases == [Self.base, Self.other])
            #expect(scope.allows(table: Self.table, in: Self.base))
            #expect(!scope.allows(table: Self.second, in: Self.base))
            #expect(scope.allows(table: Self.second, in: Self.other))
            #expect(!scope.isWholeTenant)
        }
    }

    @Test("KEY-02: a key with addresses is refused from others, also in use", arguments: DatabaseKind.allCases)
    func addresses(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let draft = APIKeyDraft(name: "office", scopes: [.search], addresses: AddressList(["192.0.2.0/24", "::1"]))
            let issued = try await fixture.service.createKey(draft, context: owner)
            _ = try await fixture.authenticate(issued.text, from: "::ffff:192.0.2.77")
            _ = try await fixture.authenticate(issued.text, from: "::1")
            for address in [nil, "192.0.3.1", "nonsense", "::2"] {
                await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(issued.text, from: address) }
            }
            // A connection that goes on is looked at again, by the address it came from.
            let open = try await fixture.authenticate(issued.text, from: "192.0.2.1")
            _ = try await fixture.service.renewed(open, timeout: .seconds(9))
            let child = fixture.service.child(of: open)
            _ = try await fixture.service.visibleScope(for: child)
            let ticket = try fixture.service.issueTicket(context: open)
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.redeemTicket(
                    ticket.text,
                    client: "192.0.3.1",
                    timeout: .seconds(9),
                    requestID: "r",
                    logger: fixture.logger
                )
            }
            try await fixture.service.changeKey(
                issued.key.id,
                APIKeyChange(addresses: .some(AddressList(["198.51.100.0/24"]))),
                context: owner
            )
            await expectRefusal(.unauthenticated) { _ = try await fixture.service.renewed(open, timeout: .seconds(9)) }
            await expectRefusal(.unauthenticated) { _ = try await fixture.service.visibleScope(for: open) }
        }
    }

    @Test("a base is named whole or by tables, and limits have limits", arguments: DatabaseKind.allCases)
    func malformed(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let many = Set((0...Limits.keyPlaces).map { _ in BaseID.random() })
            let networks = (0...Limits.keyAddresses).map { "10.0.\($0).0/24" }
            let drafts = [
                APIKeyDraft(name: "k", scopes: [.search], bases: [Self.base], tables: [Self.base: [Self.table]]),
                APIKeyDraft(name: "k", scopes: [.search], tables: [Self.base: []]),
                APIKeyDraft(name: "k", scopes: [.search], bases: many),
                APIKeyDraft(name: "k", scopes: [.search], addresses: AddressList(networks)),
            ]
            for draft in drafts {
                await expectRefusal(.invalid) { _ = try await fixture.service.createKey(draft, context: owner) }
            }
        }
    }

    @Test("KEY-04: a key makes and widens no key beyond itself", arguments: DatabaseKind.allCases)
    func noMore(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let expiry = Instant(microseconds: fixture.clock.instant.microseconds + 60_000_000)
            let base = APIKeyDraft(
                name: "agent",
                scopes: [.search, .keysManage],
                tables: [Self.base: [Self.table]],
                addresses: AddressList(["192.0.2.0/24"]),
                expires: expiry
            )
            let issued = try await fixture.service.createKey(base, context: try await fixture.owner())
            let context = try await fixture.authenticate(issued.text, from: "192.0.2.1")
            let wider: [(inout APIKeyDraft) -> Void] = [
                { $0.scopes.insert(.recordsRead) }, { $0.tables = [:] }, { $0.tables[Self.base]?.insert(Self.second) },
                {
                    $0.bases = [Self.base]; $0.tables = [:]
                }, { $0.addresses = nil },
                { $0.addresses = AddressList(["192.0.0.0/16"]) }, { $0.expires = nil },
                { $0.expires = Instant(microseconds: expiry.microseconds + 1) },
            ]
            let made = try await fixture.service.createKey(base, context: context)
            #expect(made.key.owner == fixture.first.owner)
            for widen in wider {
                var draft = base
                widen(&draft)
                await expectRefusal(.forbidden) { _ = try await fixture.service.createKey(draft, context: context) }
                let change = APIKeyChange(
                    scopes: draft.scopes,
                    bases: .some(draft.bases),
                    tables: draft.tables,
                    addresses: .some(draft.addresses),
                    expires: .some(draft.expires)
                )
                await expectRefusal(.forbidden) {
                    try await fixture.service.changeKey(made.key.id, change, context: context)
                }
            }
            // What is narrower may be had, and not taken back by the key.
            try await fixture.service.changeKey(
                fixture.firstKey.key.id,
                APIKeyChange(isDisabled: true),
                context: context
            )
            await expectRefusal(.forbidden) {
                try await fixture.service.setKey(fixture.firstKey.key.id, isDisabled: false, context: context)
            }
            await expectRefusal(.forbidden) {
                _ = try await fixture.service.rotateKey(fixture.firstKey.key.id, context: context)
            }
            _ = try await fixture.service.rotateKey(made.key.id, context: context)
        }
    }

    @Test("KEY-04: without keys:manage a key manages none, a person their own", arguments: DatabaseKind.allCases)
    func own(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let ada = try await service.createUser(name: "ada", role: .viewer, context: owner)
            let draft = APIKeyDraft(name: "hers", scopes: Role.viewer.permissions, owner: ada.id)
            let key = try await service.createKey(draft, context: owner)
            let byKey = try await fixture.authenticate(key.text)
            await expectRefusal(.forbidden) { _ = try await service.keys(context: byKey) }
            await expectRefusal(.forbidden) { _ = try await service.key(key.key.id, context: byKey) }
            await expectRefusal(.forbidden) { _ = try await service.rotateKey(key.key.id, context: byKey) }
            await expectRefusal(.forbidden) { try await service.revokeKey(key.key.id, context: byKey) }
            await expectRefusal(.forbidden) {
                _ = try await service.createKey(APIKeyDraft(name: "k", scopes: [.search]), context: byKey)
            }

            let signedIn = fixture.signedIn(ada)
            #expect(try await service.keys(context: signedIn).map(\.id) == [key.key.id])
            await expectRefusal(.notFound) { _ = try await service.key(fixture.firstKey.key.id, context: signedIn) }
            await expectRefusal(.notFound) { try await service.revokeKey(fixture.firstKey.key.id, context: signedIn) }
            await expectRefusal(.notFound) {
                try await service.changeKey(fixture.firstKey.key.id, APIKeyChange(name: "x"), context: signedIn)
            }
            await expectRefusal(.forbidden) {
                _ = try await service.createKey(APIKeyDraft(name: "k", scopes: [.recordsWrite]), context: signedIn)
            }
            await expectRefusal(.forbidden) {
                let draft = APIKeyDraft(name: "k", scopes: [.search], owner: fixture.first.owner)
                _ = try await service.createKey(draft, context: signedIn)
            }
            let second = try await service.createKey(APIKeyDraft(name: "2", scopes: [.search]), context: signedIn)
            #expect(second.key.owner == ada.id)
            try await service.revokeKey(second.key.id, context: signedIn)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(second.text) }
        }
    }

    @Test("AUTHZ-07: an admin makes and widens no key that acts as another user", arguments: DatabaseKind.allCases)
    func admin(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let (service, owner) = (fixture.service, try await fixture.owner())
            let admin = fixture.signedIn(try await service.createUser(name: "adm", role: .admin, context: owner))
            let draft = APIKeyDraft(name: "k", scopes: [.search], owner: fixture.first.owner)
            await expectRefusal(.forbidden) { _ = try await service.createKey(draft, context: admin) }
            let first = fixture.firstKey.key.id
            await expectRefusal(.notFound) { _ = try await service.rotateKey(first, context: admin) }
            try await service.setKey(first, isDisabled: true, context: admin)
            await expectRefusal(.forbidden) { try await service.setKey(first, isDisabled: false, context: admin) }
            try await service.changeKey(first, APIKeyChange(name: "found"), context: admin)
            #expect(try await service.key(first, context: admin).name == "found")
        }
    }

    @Test("KEY-01: rotating gives another text, and the old one is dead at once", arguments: DatabaseKind.allCases)
    func rotate(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let other = fixture.otherProcess()
            _ = try await fixture.authenticate(fixture.firstKey.text, by: other)
            let rotated = try await fixture.service.rotateKey(fixture.firstKey.key.id, context: owner)
            #expect(rotated.key.id == fixture.firstKey.key.id)
            #expect(rotated.text != fixture.firstKey.text)
            await expectRefusal(.unauthenticated) { _ = try await fixture.authenticate(fixture.firstKey.text) }
            _ = try await fixture.authenticate(rotated.text)
            #expect(rotated.text.hasSuffix(rotated.key.lastFour))
            #expect(try await fixture.service.key(rotated.key.id, context: owner).lastFour == rotated.key.lastFour)
            // Another process forgets what it knew within the second.
            fixture.clock.advance(.seconds(1))
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.authenticate(fixture.firstKey.text, by: other)
            }
            _ = try await fixture.authenticate(rotated.text, by: other)
        }
    }
}
