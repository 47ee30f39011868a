import Access
import Airtable
import Database
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Tools

@Suite("Who tells of changes", .timeLimit(.minutes(5)))
struct WatchHubTests {
    @Test("what another process does is told too: records, schemas and rights", arguments: DatabaseKind.allCases)
    func otherProcess(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let access = AccessService(database: world.database)
            let other = AirtableService(database: world.database, access: access)
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            let schema = ResourceAddress.table(world.books).uri
            let interest = ChangeInterest(tools: true, prompts: true, resources: true, uris: [moby, schema])
            for uri in [moby, schema] {
                try await world.offers.resources.checkWatchable(uri, context: try await world.context(.viewer))
            }
            // Between the question and the first word.
            _ = try await other.update(
                [RecordUpdate(id: world.moby, fields: ["Shelf": "Whales"])],
                in: world.books.id,
                context: world.owner
            )
            var iterator = world.offers.watcher.changes(of: interest) { try await world.context(.viewer) }
                .makeAsyncIterator()
            #expect(await iterator.next() == .resource(uri: moby))
            _ = try await other.update(
                [RecordUpdate(id: world.moby, fields: ["Shelf": "Sea"])],
                in: world.books.id,
                context: world.owner
            )
            #expect(await iterator.next() == .resource(uri: moby))
            _ = try await other.createField(
                FieldDraft(name: "Year", type: .number),
                in: world.books.id,
                context: world.owner
            )
            #expect(await iterator.next() == .resource(uri: schema))
            _ = try await access.createGrant(
                GrantDraft(
                    subject: try world.user(.viewer),
                    effect: .deny,
                    bundle: .permissions([.basesRead, .schemaRead, .recordsRead]),
                    resource: .base(world.library.id)
                ),
                checking: other,
                context: world.owner
            )
            #expect(await iterator.next() == .resources)
            #expect(await iterator.next() == .resource(uri: moby))
            #expect(await iterator.next() == .resource(uri: schema))
        }
    }

    @Test("what changes many times while nobody asks is told once", arguments: DatabaseKind.allCases)
    func coalescing(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            let grid = ResourceAddress.view(world.grid, of: world.books).uri
            var ear = try await Ear(world, .owner, uris: [moby, grid])
            for number in 0..<40 { try await world.set(["Price": .number(JSONNumber(number))], of: world.moby) }
            #expect(await ear.next() == .resource(uri: moby))
            #expect(await ear.next() == .resource(uri: grid))
            #expect(try await ear.heard() == [])
        }
    }

    @Test("a thousand who listen cost one reader; one change reads for who watches it; when they go nothing is left")
    func manyListeners() async throws {
        try await withOffers(.sqlite, pollInterval: .seconds(600)) { world in
            let hub = world.offers.watcher.hub
            let uri = ResourceAddress.record(world.walden, of: world.books).uri
            let context = try await world.context(.owner)
            let (asked, told) = (Counter(), Counter())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<1_000 {
                    let stream = world.offers.watcher.changes(of: ChangeInterest(uris: [uri])) {
                        asked.add()
                        return context
                    }
                    group.addTask {
                        var isFirst = true
                        for await _ in stream {
                            if isFirst { told.add() }
                            isFirst = false
                        }
                    }
                }
                try await eventually("all have been told once") {
                    try await world.set(["Shelf": .string(RecordID.random().description)], of: world.walden)
                    return told.value == 1_000
                }
                #expect(hub.counts == (1_000, 1, true))
                var ear = try await Ear(world, .owner, uris: [])
                // The last of those changes is told to all; then whatever else happens wakes none of them.
                try await eventually("none of them looks") {
                    let before = asked.value
                    equal(try await ear.heard(), [])
                    return asked.value == before
                }
                let before = world.database.statistics.reads
                #expect(try await ear.heard() == [])
                #expect(world.database.statistics.reads - before < 100)
                group.cancelAll()
                try await group.waitForAll()
                #expect(hub.counts.mailboxes == 1)
            }
            try await eventually("nobody") { hub.counts == (0, 0, false) }
        }
    }

    @Test("a stream that is dropped, unheard or half heard, leaves nothing behind")
    func dropped() async throws {
        try await withOffers(.sqlite) { world in
            let hub = world.offers.watcher.hub
            _ = world.offers.watcher.changes(of: ChangeInterest(tools: true)) { try await world.context(.owner) }
            #expect(hub.counts == (0, 0, false))
            do {
                var ear = try await Ear(world, .owner, uris: [], lists: true)
                #expect(try await ear.heard() == [])
                #expect(hub.counts == (1, 1, true))
            }
            try await eventually("nobody") { hub.counts == (0, 0, false) }
            // And another begins anew.
            var ear = try await Ear(world, .owner, uris: [])
            #expect(try await ear.heard() == [])
        }
    }

    @Test("a look that fails is repeated, and a right that can't be asked for ends it after a while")
    func failures() async throws {
        try await withOffers(.sqlite) { world in
            let attempts = Attempts(failing: 2)
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            try await world.offers.resources.checkWatchable(moby, context: try await world.context(.owner))
            try await world.set(["Shelf": "Sea"], of: world.moby)
            var iterator = world.offers.watcher.changes(of: ChangeInterest(uris: [moby])) {
                try await attempts.next()
                return try await world.context(.owner)
            }.makeAsyncIterator()
            #expect(await iterator.next() == .resource(uri: moby))
            let hopeless = Attempts(failing: .max)
            var deaf = world.offers.watcher.changes(of: ChangeInterest(uris: [moby])) {
                try await hopeless.next()
                return try await world.context(.owner)
            }.makeAsyncIterator()
            #expect(await deaf.next() == nil)
            #expect(await hopeless.count == Limits.watchFailures + 1)
        }
    }

    @Test(
        "a key that is revoked is not listened with for long, though nothing is told",
        arguments: DatabaseKind.allCases
    )
    func revoked(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            var times = WatchHub.Times()
            (times.poll, times.rights) = (.milliseconds(20), .milliseconds(100))
            let watcher = world.watcher(times)
            var ear = try await Ear(world, .viewer, uris: [], watcher: watcher)
            equal(try await ear.heard(), [])
            try await world.access.revokeKey(try #require(world.keyIDs[.viewer]), context: world.owner)
            equal(await ear.next(), nil)
            #expect(watcher.hub.counts == (0, 0, false))
        }
    }

    @Test(
        "after more changes at once than are looked through, everything is looked at",
        arguments: DatabaseKind.allCases
    )
    func tooMany(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            var times = WatchHub.Times()
            times.poll = .milliseconds(20)
            let walden = ResourceAddress.record(world.walden, of: world.books).uri
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            let watcher = world.watcher(times, changesMax: 1)
            var ear = try await Ear(world, .owner, uris: [moby, walden], watcher: watcher)
            _ = try await world.airtable.update(
                [world.memoir, world.walden].map { RecordUpdate(id: $0, fields: ["Shelf": "Lost"]) },
                in: world.books.id,
                context: world.owner
            )
            equal(try await ear.heard(), [.resource(uri: walden)])
        }
    }

    @Test(
        "who follows is told of all that changes from then on, though they listen later",
        arguments: DatabaseKind.allCases
    )
    func following(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            let interest = ChangeInterest(tools: true, prompts: true, resources: true, uris: [moby])
            let stream = await world.offers.watcher.follow(interest) { try await world.context(.owner) }
            #expect(world.offers.watcher.hub.counts.mailboxes == 1)
            try await world.set(["Shelf": "Sea"], of: world.moby)
            _ = try await world.airtable.createView(ViewDraft(name: "New"), in: world.books.id, context: world.owner)
            var heard: Set<OfferChange> = []
            for await change in stream {
                heard.insert(change)
                if heard.count == 2 { break }
            }
            equal(heard, [.resources, .resource(uri: moby)])
        }
    }

    @Test("who stops to listen, and listens for more, goes on where they were", arguments: DatabaseKind.allCases)
    func goingOn(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let moby = ResourceAddress.record(world.moby, of: world.books).uri
            let walden = ResourceAddress.record(world.walden, of: world.books).uri
            var interest = ChangeInterest(resources: true, uris: [moby])
            interest.listener = 1
            let first = await world.offers.watcher.follow(interest) { try await world.context(.owner) }
            let listening = Task { for await _ in first {} }
            listening.cancel()
            await listening.value
            // Nobody listens now.
            try await world.set(["Shelf": "Sea"], of: world.moby)
            _ = try await world.airtable.createView(ViewDraft(name: "New"), in: world.books.id, context: world.owner)
            // Somebody else by the same key takes nothing of theirs.
            let other = await world.offers.watcher.follow(ChangeInterest(resources: true, uris: [moby])) {
                try await world.context(.owner)
            }
            interest.uris.insert(walden)
            var second = await world.offers.watcher.follow(interest) { try await world.context(.owner) }
                .makeAsyncIterator()
            equal(await second.next(), .resources)
            equal(await second.next(), .resource(uri: moby))
            withExtendedLifetime(other) {}
        }
    }

    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { time.withLock(\.self) }
        func advance(by duration: Duration) { time.withLock { $0 += duration } }
    }

    private actor Attempts {
        private(set) var count = 0
        private let failing: Int

        init(failing: Int) { self.failing = failing }

        func next() throws {
            count += 1
            if count <= failing { throw TestSupportError("busy") }
        }
    }

    // MARK: The log

    @Test(
        "places of changes are read without their cells, in pages, until they are no longer kept",
        arguments: DatabaseKind.allCases
    )
    func places(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (feed, tenant) = (world.airtable.changes, world.owner.tenant)
            let start = try await feed.latestSequence(tenant: tenant)
            #expect(try await feed.places(after: start, limit: 10, tenant: tenant).isEmpty)
            try await world.set(["Shelf": "Sea"], of: world.moby)
            try await world.airtable.delete([world.walden], in: world.books.id, context: world.owner)
            _ = try await world.airtable.createField(
                FieldDraft(name: "Year", type: .number),
                in: world.bells.id,
                context: world.owner
            )
            let all = try await feed.places(after: start, limit: 10, tenant: tenant)
            var wanted = ChangedPlaces(end: start + 3)
            wanted.records = [world.moby, world.walden]
            wanted.tables = [world.books.id, world.bells.id]
            wanted.whole = [world.bells.id]
            wanted.schemas = [world.library.id]
            #expect(all == wanted)
            let first = try await feed.places(after: start, limit: 1, tenant: tenant)
            #expect(first.records == [world.moby] && first.end == start + 1)
            #expect(try await feed.latestSequences(of: [tenant]) == [tenant: start + 3])
            let many = [tenant] + (0..<700).map { _ in TenantID.random() }
            #expect(try await feed.latestSequences(of: many) == [tenant: start + 3])
            let versions = try await world.access.policyVersions(of: many)
            #expect(Array(versions.keys) == [tenant])
            #expect(try await world.access.policyVersions(of: [tenant]) == versions)
            #expect(try await world.access.policyVersions(of: []) == [:])
            _ = try await world.grant(try world.user(.guest), .allow, [.basesRead], .base(world.library.id))
            #expect(try await world.access.policyVersions(of: [tenant])[tenant] ?? 0 > versions[tenant] ?? 0)
            await #expect(throws: AirtableError(.resynchronise, "")) {
                try await feed.places(after: start + 100, limit: 1, tenant: tenant)
            }
        }
    }

    @Test("what was there when somebody asked is remembered once, for a minute, and within bounds")
    func recent() async throws {
        try await withOffers(.sqlite) { world in
            let clock = Clock()
            let prints = RecentPrints(now: { clock.now })
            let owner = RecentPrints.Keeper(world.owner.principal)
            let guest = RecentPrints.Keeper(try await world.context(.guest).principal)
            let a = WatchedOffer.resource(uri: "a")
            prints.keep(.missing, of: a, for: owner)
            #expect(prints.take(a, for: guest) == nil && prints.take(a, for: .listener(1)) == nil)
            #expect(prints.take(a, for: owner) == .missing)
            #expect(prints.take(a, for: owner) == nil)
            prints.keep(.content(1), of: a, for: owner)
            clock.advance(by: .seconds(60))
            #expect(prints.take(a, for: owner) == nil)
            for number in 0..<(3 * Limits.watchedContents) {
                prints.keep(.content(number), of: .resource(uri: "\(number)"), for: owner)
            }
            #expect(prints.count <= Limits.watchedContents)
            let last = 3 * Limits.watchedContents - 1
            #expect(prints.take(.resource(uri: "\(last)"), for: owner) == .content(last))
        }
    }
}
