public import Domain

/// The live tail of a tenant's change log; see `ChangeFeed.subscribe`.
///
/// Never ends by itself: it ends by cancelling the task, or with an error. One reader an iterator.
public struct ChangeTail: AsyncSequence, Sendable {
    public typealias Element = RecordChange

    let feed: ChangeFeed
    let sequence: Int64
    let tenant: TenantID

    public func makeAsyncIterator() -> Iterator { Iterator(feed: feed, sequence: sequence, tenant: tenant) }

    public struct Iterator: AsyncIteratorProtocol {
        let feed: ChangeFeed
        var sequence: Int64
        let tenant: TenantID
        private var page: ArraySlice<RecordChange> = []

        init(feed: ChangeFeed, sequence: Int64, tenant: TenantID) {
            self.feed = feed
            self.sequence = sequence
            self.tenant = tenant
        }

        /// The next change, as soon as there is one.
        ///
        /// - Throws: `CancellationError`; `AirtableError.resynchronise`; what the database throws.
        public mutating func next() async throws -> RecordChange? {
            while page.isEmpty {
                try Task.checkCancellation()
                let generation = feed.signal.generation
                do {
                    page = try await feed.changes(after: sequence, limit: 256, tenant: tenant).changes[...]
                } catch {
                    // The database has an error of its own for a caller that gave up.
                    try Task.checkCancellation()
                    throw error
                }
                if page.isEmpty { await feed.signal.wait(beyond: generation, atMost: feed.pollInterval) }
            }
            let change = page.removeFirst()
            sequence = change.sequence
            return change
        }
    }
}
