import Airtable
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Tools

@Suite("What waits to be looked at")
struct WatchMailboxTests {
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
            mailbox.learn(WatchedLook.Origin(table: table, linked: linked), of: uri)
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

    @Test("no more look at once than there is room for, in the order they came, and who gives up lets the next one in")
    func gate() async throws {
        let gate = LookGate(2)
        try await gate.enter()
        try await gate.enter()
        let (first, second) = (Counter(), Counter())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await gate.enter()
                first.add()
            }
            try await eventually("one waits") { gate.counts.waiting == 1 }
            group.addTask {
                try await gate.enter()
                second.add()
            }
            try await eventually("two wait") { gate.counts == (0, 2) }
            gate.leave()
            try await group.next()
            #expect(first.value == 1 && second.value == 0 && gate.counts == (0, 1))
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
        #expect(second.value == 0 && gate.counts == (0, 0))
        gate.leave()
        gate.leave()
        #expect(gate.counts == (2, 0))
        let cancelled = Task {
            await withCheckedContinuation { continuation in
                withUnsafeCurrentTask { $0?.cancel() }
                continuation.resume()
            }
            try await gate.enter()
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(gate.counts == (2, 0))
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}
