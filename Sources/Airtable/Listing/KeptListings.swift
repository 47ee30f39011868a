import Access
import Domain
import Synchronization

/// A sorted list of records as it was when its first page was asked for: places only, 8 bytes a record.
struct KeptListing: Sendable {
    /// Who listed what: pages go on only for the same query by somebody who sees the same.
    struct Key: Sendable, Hashable {
        let scope: VisibleScope
        let table: TableID
        /// Without what may differ from page to page.
        let query: RecordQuery

        init(scope: VisibleScope, table: TableID, query: RecordQuery) {
            var query = query
            query.offset = nil
            query.pageSize = Limits.pageRecords
            query.fields = nil
            self.scope = scope
            self.table = table
            self.query = query
        }
    }

    let key: Key
    let positions: [Int64]

    var byteCount: Int { positions.count * MemoryLayout<Int64>.stride + 256 }
}

/// The sorted lists that clients are in the middle of, in this process's memory.
///
/// Bounded by number and bytes, for a tenant and altogether: the one unused longest makes room, first of the
/// same tenant. One unused for a few minutes is forgotten. Whoever asks for a list that is gone begins anew, as
/// clients of the hosted API do; so does one whose next page reaches another process.
final class KeptListings: Sendable {
    struct Bounds: Sendable {
        var count = Limits.keptListings
        var countPerTenant = Limits.keptListingsPerTenant
        var bytes = Limits.keptListingBytes
        var bytesPerTenant = Limits.keptListingBytesPerTenant
        var idle: Duration = .seconds(Limits.keptListingSeconds)
    }

    private struct Entry {
        let listing: KeptListing
        var used: ContinuousClock.Instant
    }

    private let entries = Mutex<[IteratorID: Entry]>([:])
    private let bounds: Bounds
    private let tick: @Sendable () -> ContinuousClock.Instant

    init(bounds: Bounds = Bounds(), tick: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.bounds = bounds
        self.tick = tick
    }

    /// Keeps a list, and makes room for it.
    ///
    /// - Throws: `.tooLarge` when it alone is more than a tenant may have kept.
    func keep(_ listing: KeptListing) throws(AirtableError) -> IteratorID {
        guard listing.byteCount <= min(bounds.bytesPerTenant, bounds.bytes) else {
            throw AirtableError(
                .tooLarge,
                "A sorted list of \(listing.positions.count) records is too long to be kept.",
                hint: "filter the records, give maxRecords, or list them unsorted"
            )
        }
        var generator = SystemRandomNumberGenerator()
        let id = ListingOffset.newIterator(using: &generator)
        let now = tick()
        entries.withLock { entries in
            forgetIdle(&entries, now)
            let tenant = listing.key.scope.tenant
            makeRoom(
                in: &entries,
                for: listing.byteCount,
                count: bounds.countPerTenant,
                bytes: bounds.bytesPerTenant
            ) { $0.key.scope.tenant == tenant }
            makeRoom(in: &entries, for: listing.byteCount, count: bounds.count, bytes: bounds.bytes) { _ in true }
            entries[id] = Entry(listing: listing, used: now)
        }
        return id
    }

    /// The list, whose time begins anew; nil when it is gone or was another's.
    func listing(_ id: IteratorID, for key: KeptListing.Key) -> KeptListing? {
        let now = tick()
        return entries.withLock { entries in
            forgetIdle(&entries, now)
            guard let entry = entries[id], entry.listing.key == key else { return nil }
            entries[id]?.used = now
            return entry.listing
        }
    }

    var count: Int { entries.withLock(\.count) }

    private func forgetIdle(_ entries: inout [IteratorID: Entry], _ now: ContinuousClock.Instant) {
        for (id, entry) in entries where now - entry.used >= bounds.idle { entries[id] = nil }
    }

    private func makeRoom(
        in entries: inout [IteratorID: Entry],
        for byteCount: Int,
        count: Int,
        bytes: Int,
        among belongs: (KeptListing) -> Bool
    ) {
        var oldest = entries.filter { belongs($0.value.listing) }.sorted { $0.value.used > $1.value.used }
        var total = oldest.reduce(0) { $0 + $1.value.listing.byteCount }
        while oldest.count >= count || total + byteCount > bytes, let last = oldest.popLast() {
            total -= last.value.listing.byteCount
            entries[last.key] = nil
        }
    }
}
