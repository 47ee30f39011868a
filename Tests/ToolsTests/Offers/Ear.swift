import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

/// Somebody who listens, and rings a bell to hear that there was nothing else.
struct Ear {
    let bell: String
    private let record: RecordID
    private let world: OffersFixture
    private var iterator: AsyncStream<OfferChange>.AsyncIterator

    /// Listens from before this returns: what was watched as of before a ring is told, so the first look is over.
    init(
        _ world: OffersFixture,
        _ person: OffersFixture.Person,
        uris: Set<String>,
        lists: Bool = false,
        watcher: AirtableOfferWatcher? = nil
    ) async throws {
        self.world = world
        record = try await world.airtable.create(
            [RecordDraft(fields: ["Name": "new"])],
            in: world.bells.id,
            context: world.owner
        )[0].id
        bell = ResourceAddress.record(record, of: world.bells).uri
        let context = try await world.context(person)
        try await world.offers.resources.checkWatchable(bell, context: context)
        var interest = ChangeInterest(uris: uris.union([bell]))
        if lists { (interest.tools, interest.prompts, interest.resources) = (true, true, true) }
        iterator = (watcher ?? world.offers.watcher)
            .changes(of: interest) { try await world.context(person) }
            .makeAsyncIterator()
        try await ring()
        let first = await iterator.next()
        #expect(first == .resource(uri: bell))
    }

    mutating func next() async -> OfferChange? { await iterator.next() }

    /// What was told since the last time.
    mutating func heard() async throws -> Set<OfferChange> {
        var heard: Set<OfferChange> = []
        // What was found together with the first ring may come behind it, but not behind the second.
        for _ in 0..<2 {
            try await ring()
            while let change = await iterator.next(), change != .resource(uri: bell) { heard.insert(change) }
        }
        return heard
    }

    private func ring() async throws {
        try await world.set(["Name": .string(RecordID.random().description)], of: record, in: world.bells)
    }
}

/// `#expect` of what is waited for: the macro does not compile with a literal beside it.
func equal<Value: Equatable>(_ found: Value, _ wanted: Value, at location: SourceLocation = #_sourceLocation) {
    #expect(found == wanted, sourceLocation: location)
}
