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

    @Test("a mailbox holds no more than is watched, however much comes")
    func bounded() throws {
        let (base, table, record) = (BaseID.random(), TableID.random(), RecordID.random())
        let uris = [
            ResourceAddress.record(record, table: table.description, base).uri,
            ResourceAddress.view("v", table: table.description, base, offset: nil).uri,
            ResourceAddress.table(table.description, base).uri, ResourceAddress.base(base).uri,
        ]
        let mailbox = WatchMailbox(lists: [.resources], uris: Set(uris))
        for uri in uris {
            let linked: Set<RecordID> = [.random()]
            mailbox.learn(ResourceContent(json: [:], table: table, linked: linked), of: uri)
        }
        #expect(mailbox.take().isEmpty)
        var places = ChangedPlaces(end: 1)
        for _ in 0..<1_000 {
            places.records.insert(.random())
            places.tables.insert(.random())
            mailbox.post(places)
        }
        #expect(mailbox.take().isEmpty)
        places.tables.insert(table)
        mailbox.post(places)
        #expect(mailbox.take() == WatchMailbox.Due(uris: [uris[1]]))
        places.records.insert(record)
        mailbox.post(places)
        mailbox.post(places)
        #expect(mailbox.take() == WatchMailbox.Due(uris: [uris[0], uris[1]]))
        places = ChangedPlaces(end: 2)
        (places.tables, places.whole) = ([table], [table])
        mailbox.post(places)
        #expect(mailbox.take() == WatchMailbox.Due(uris: [uris[0], uris[1]]))
        places.schemas = [.random()]
        mailbox.post(places)
        #expect(mailbox.take() == WatchMailbox.Due(lists: [.resources], uris: [uris[0], uris[1]]))
        places.schemas = [base]
        mailbox.post(places)
        let everything = WatchMailbox.Due(lists: [.resources], uris: Set(uris))
        #expect(mailbox.take() == everything)
        mailbox.postEverything()
        mailbox.post(places)
        var due = everything
        due.rights = true
        #expect(mailbox.take() == due && mailbox.take().isEmpty)
    }

    @Test("rights are asked for when they were not for a while")
    func rights() {
        let now = ContinuousClock.now
        let mailbox = WatchMailbox(lists: [], uris: [], now: now)
        mailbox.postRights(since: now)
        #expect(mailbox.take().isEmpty)
        mailbox.postRights(since: now + .seconds(1))
        #expect(mailbox.take() == WatchMailbox.Due(rights: true))
        mailbox.rightsAsked(at: now + .seconds(2))
        mailbox.postRights(since: now + .seconds(1))
        #expect(mailbox.take().isEmpty)
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

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)

        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
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
            let (owner, guest) = (world.owner.principal, try await world.context(.guest).principal)
            prints.keep(.missing, of: "a", for: owner)
            #expect(prints.take("a", for: guest) == nil)
            #expect(prints.take("a", for: owner) == .missing)
            #expect(prints.take("a", for: owner) == nil)
            prints.keep(.content(1), of: "a", for: owner)
            clock.advance(by: .seconds(60))
            #expect(prints.take("a", for: owner) == nil)
            for number in 0..<(3 * Limits.watchedContents) {
                prints.keep(.content(number), of: "\(number)", for: owner)
            }
            #expect(prints.count <= Limits.watchedContents)
            let last = 3 * Limits.watchedContents - 1
            #expect(prints.take("\(last)", for: owner) == .content(last))
        }
    }
}
