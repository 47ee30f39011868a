import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("The change log")
struct ChangeTests {
    static let fields = [FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Made", type: .createdTime)]

    @Test("every write is there, in order, with before and after", arguments: DatabaseKind.allCases)
    func entries(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table(Self.fields)
            let made = try await store.create(table, ["Name": "a"], ["Name": "b"])
            store.clock.advance(seconds: 5)
            let changed = try await service.update(
                [RecordUpdate(id: made[0].id, fields: ["Name": "c"])],
                in: table.id,
                context: context
            )[0]
            // What changes nothing is no change.
            _ = try await service.update(
                [RecordUpdate(id: made[0].id, fields: ["Name": "c"])],
                in: table.id,
                context: context
            )
            try await service.delete([made[1].id], in: table.id, context: context)
            let changes = try await store.allChanges()
            #expect(
                changes.map(\.event) == [
                    .schemaChanged, .created(made[0]), .created(made[1]), .updated(before: made[0], after: changed),
                    .deleted(made[1]),
                ]
            )
            #expect(changes.map(\.sequence) == [1, 2, 3, 4, 5])
            #expect(changes.map(\.transaction) == [1, 2, 2, 4, 5])
            #expect(changes.allSatisfy { $0.base == table.base && $0.table == table.id })
            #expect(changes.allSatisfy { $0.actor == context.principal.user })
            #expect(changes[3].time == store.clock.instant)
            #expect(changes[2].time.microseconds == store.clock.instant.microseconds - 5_000_000)
            let page = try await service.changes.changes(after: 2, limit: 2, tenant: context.tenant)
            #expect(page == ChangePage(changes: Array(changes[2...3]), oldestKept: 1, latest: 5))
            #expect(try await service.changes.latestSequence(tenant: context.tenant) == 5)
            #expect(try await service.changes.latestSequence(tenant: .random()) == 0)
        }
    }

    @Test("entries of a deleted table can still be read, without its cells", arguments: DatabaseKind.allCases)
    func deletedTable(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let record = try await store.create(table, ["Name": "a"])[0]
            try await store.service.deleteTable(table.id, context: store.context)
            let bare = Record(id: record.id, createdTime: record.createdTime, cells: [:])
            #expect(try await store.allChanges()[1].event == .created(bare))
        }
    }

    @Test("16 writers at once: no gap, no repeat, transactions in one piece", arguments: DatabaseKind.allCases)
    func concurrentWriters(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields + [FieldDraft(name: "No", type: .autoNumber)])
            let other = store.otherProcess()
            let tail = Task {
                // Reads while they write: what it sees must be a prefix at every moment.
                var seen: [RecordChange] = []
                for try await change in store.service.changes.subscribe(after: 0, tenant: store.context.tenant) {
                    #expect(change.sequence == Int64(seen.count) + 1)
                    seen.append(change)
                    if seen.count == 1 + 16 * 10 * 3 { break }
                }
                return seen
            }
            try await withThrowingTaskGroup { group in
                for writer in 0..<16 {
                    let service = writer % 2 == 0 ? store.service : other
                    group.addTask {
                        for round in 0..<10 {
                            let drafts = (0..<3).map {
                                RecordDraft(fields: ["Name": .string("\(writer) \(round) \($0)")])
                            }
                            _ = try await service.create(drafts, in: table.id, context: store.context)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let seen = try await tail.value
            let stored = try await store.allChanges()
            #expect(stored == seen)
            #expect(stored.map(\.sequence) == Array(1...481))
            for change in stored.dropFirst() { #expect((change.sequence - change.transaction) < 3) }
            let numbers = stored.compactMap { change -> CellValue? in
                guard case .created(let record) = change.event else { return nil }
                return record.cells[table.fields[2].id]
            }
            #expect(Set(numbers).count == 480)
            try await store.expectSound()
        }
    }

    @Test("writers that change one record at once lose nothing", arguments: DatabaseKind.allCases)
    func concurrentUpdates(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let hub = FieldDraft(name: "Name", type: .singleLineText)
            let schema = try await store.service.createBase(
                name: "B",
                tables: [
                    TableDraft(name: "Hub", fields: [hub]),
                    TableDraft(name: "Spoke", fields: [hub, .link("Hub", to: "Hub")]),
                ],
                context: store.context
            )
            let (hubs, spokes) = (schema.tables[0], schema.tables[1])
            let center = try await store.create(hubs, ["Name": "center"])[0].id
            try await withThrowingTaskGroup { group in
                for writer in 0..<16 {
                    group.addTask {
                        for round in 0..<4 {
                            _ = try await store.create(
                                spokes,
                                ["Name": .string("\(writer) \(round)"), "Hub": .ids([center])]
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            let record = try await store.service.record(center, in: hubs.id, context: store.context)
            guard case .links(let ids) = record.cells[hubs.fields.first { $0.name == "Spoke" }?.id ?? .random()] else {
                Issue.record("no links")
                return
            }
            #expect(ids.count == 64)
            try await store.expectSound()
        }
    }

    @Test("a feed sees what another process writes", arguments: DatabaseKind.allCases)
    func otherProcess(_ kind: DatabaseKind) async throws {
        try await withDatabaseURL(kind) { url in
            let first = try await DatabaseOpener.open(url: url)
            let second = try await DatabaseOpener.open(url: url)
            try await Migrator.migrate(first, storeMigrations)
            let store = try await storeFixture(first)
            let table = try await store.table(Self.fields)
            let other = store.otherProcess(second)
            let feed = other.changes
            async let woken = feed.waitForChange(after: 1, tenant: store.context.tenant, atMost: .seconds(30))
            let reader = Task {
                var iterator = feed.subscribe(after: 1, tenant: store.context.tenant).makeAsyncIterator()
                return try await iterator.next()
            }
            let record = try await store.create(table, ["Name": "x"])[0]
            #expect(try await reader.value?.event == .created(record))
            #expect(try await woken)
            #expect(try await feed.waitForChange(after: 1, tenant: store.context.tenant, atMost: .zero))
            #expect(try await !feed.waitForChange(after: 2, tenant: store.context.tenant, atMost: .milliseconds(30)))
            await first.close()
            await second.close()
        }
    }

    @Test("a tail ends when its task is cancelled")
    func cancelledTail() async throws {
        try await withStore(.sqlite) { store in
            let reader = Task {
                for try await _ in store.service.changes.subscribe(after: 0, tenant: store.context.tenant) {}
            }
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
        }
    }

    @Test("the oldest entries go when they are too old or too many", arguments: DatabaseKind.allCases)
    func retention(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (feed, tenant) = (store.service.changes, store.context.tenant)
            let table = try await store.table(Self.fields)
            _ = try await store.create(table, ["Name": "old"], ["Name": "old"])
            store.clock.advance(seconds: 100)
            let young = try await store.create(table, ["Name": "young"], ["Name": "young"], ["Name": "last"])
            #expect(try await feed.trim(to: ChangeRetention(), now: store.clock.instant, tenant: tenant) == 0)
            let retention = ChangeRetention(age: .seconds(60))
            #expect(try await feed.trim(to: retention, now: store.clock.instant, tenant: tenant) == 3)
            let page = try await feed.changes(after: 3, limit: 10, tenant: tenant)
            #expect(page.changes.map(\.event) == young.map { .created($0) })
            #expect(page.oldestKept == 4)
            // A consumer that had come to 2 has missed something; one at 3 has not.
            await expectFailure(.resynchronise) { try await feed.changes(after: 2, limit: 10, tenant: tenant) }
            await expectFailure(.resynchronise) {
                for try await _ in feed.subscribe(after: 0, tenant: tenant) { break }
            }
            await expectFailure(.resynchronise) { try await feed.changes(after: 7, limit: 10, tenant: tenant) }
            try await store.expectSound()
            let bytes = try await store.database.read(of: .everyTenant) {
                try $0.firstRow("SELECT bytes FROM change_log")?.integer(0) ?? 0
            }
            let small = ChangeRetention(bytes: bytes + 1)
            #expect(try await feed.trim(to: small, now: store.clock.instant, tenant: tenant) == 2)
            #expect(try await feed.trim(to: ChangeRetention(bytes: 0), now: store.clock.instant, tenant: tenant) == 1)
            let empty = try await feed.changes(after: 6, limit: 10, tenant: tenant)
            #expect(empty == ChangePage(changes: [], oldestKept: 7, latest: 6))
            try await store.expectSound()
            // The next one goes on counting.
            _ = try await store.create(table, ["Name": "next"])
            #expect(try await feed.changes(after: 6, limit: 10, tenant: tenant).changes.map(\.sequence) == [7])
        }
    }

    @Test("trimming takes more entries than one transaction removes")
    func longTrim() async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table(Self.fields)
            for _ in 0..<3 {
                let drafts = (0..<900).map { RecordDraft(fields: ["Name": .string("\($0)")]) }
                _ = try await store.service.create(drafts, in: table.id, context: store.context)
            }
            let removed = try await store.service.changes.trim(
                to: ChangeRetention(bytes: 0),
                now: store.clock.instant,
                tenant: store.context.tenant
            )
            #expect(removed == 2_701)
            try await store.expectSound()
        }
    }

    @Test("a page of large entries is cut short, and goes on", arguments: DatabaseKind.allCases)
    func largeEntries(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table(Self.fields)
            let text = JSONValue.string(String(repeating: "x", count: 100_000))
            for _ in 0..<6 {
                let drafts = Array(repeating: RecordDraft(fields: ["Name": text]), count: 10)
                _ = try await store.service.create(drafts, in: table.id, context: store.context)
            }
            let page = try await store.service.changes.changes(after: 0, limit: 1_000, tenant: store.context.tenant)
            #expect((30...45).contains(page.changes.count))
            #expect(page.latest == 61)
            #expect(try await store.allChanges().count == 61)
        }
    }

    @Test("checkpoints are kept for each consumer", arguments: DatabaseKind.allCases)
    func checkpoints(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (feed, tenant) = (store.service.changes, store.context.tenant)
            _ = try await store.create(try await store.table(Self.fields), ["Name": "x"])
            #expect(try await feed.checkpoint(of: "indexer", tenant: tenant) == nil)
            try await feed.setCheckpoint(1, of: "indexer", tenant: tenant)
            try await feed.setCheckpoint(2, of: "indexer", tenant: tenant)
            try await feed.setCheckpoint(1, of: "webhooks", tenant: tenant)
            #expect(try await feed.checkpoint(of: "indexer", tenant: tenant) == 2)
            #expect(try await feed.checkpoint(of: "indexer", tenant: .random()) == nil)
            let all = try await store.database.read(of: .everyTenant) {
                try ChangeLogStore().checkpoints(tenant: tenant, in: $0)
            }
            #expect(all == ["indexer": 2, "webhooks": 1])
            try await store.expectSound()
            try await feed.deleteCheckpoint(of: "webhooks", tenant: tenant)
            #expect(try await feed.checkpoint(of: "webhooks", tenant: tenant) == nil)
            try await feed.setCheckpoint(3, of: "indexer", tenant: tenant)
            let report = try await store.service.verify(context: store.context)
            #expect(report.problems == ["The checkpoint of indexer is at 3, beyond the newest change 2."])
        }
    }
}
