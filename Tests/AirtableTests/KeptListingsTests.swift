import Access
import Domain
import Testing

@testable import Airtable

@Suite("Sorted lists that are kept")
struct KeptListingsTests {
    static func listing(_ tenant: TenantID, count: Int = 4, table: TableID = .random()) -> KeptListing {
        let scope = VisibleScope(tenant: tenant)
        return KeptListing(
            key: KeptListing.Key(scope: scope, table: table, query: RecordQuery()),
            positions: Array(repeating: 1, count: count)
        )
    }

    @Test("a tenant's list unused longest makes room for its next one, not another tenant's")
    func perTenant() throws {
        var bounds = KeptListings.Bounds()
        bounds.countPerTenant = 2
        let (clock, mine, other) = (TickClock(), TenantID.random(), TenantID.random())
        let kept = KeptListings(bounds: bounds, tick: clock.tick)
        func keep(_ tenant: TenantID) throws -> (IteratorID, KeptListing) {
            clock.advance(.seconds(1))
            let listing = Self.listing(tenant)
            return (try kept.keep(listing), listing)
        }
        let theirs = try keep(other)
        let lists = [try keep(mine), try keep(mine)]
        clock.advance(.seconds(1))
        #expect(kept.listing(lists[0].0, for: lists[0].1.key) != nil)
        let third = try keep(mine)
        #expect(kept.listing(lists[1].0, for: lists[1].1.key) == nil)
        for (id, listing) in [theirs, lists[0], third] { #expect(kept.listing(id, for: listing.key) != nil) }
        // Nobody else's key opens it.
        #expect(kept.listing(theirs.0, for: third.1.key) == nil)
    }

    @Test("bytes are bounded, for a tenant and altogether")
    func bytes() throws {
        var bounds = KeptListings.Bounds()
        let size = Self.listing(.random()).byteCount
        bounds.bytes = size * 3
        bounds.bytesPerTenant = size * 2
        let clock = TickClock()
        let kept = KeptListings(bounds: bounds, tick: clock.tick)
        let tenants = [TenantID.random(), .random()]
        for tenant in [0, 0, 0, 1, 1] {
            clock.advance(.seconds(1))
            _ = try kept.keep(Self.listing(tenants[tenant]))
            #expect(kept.count <= 3)
        }
        #expect(kept.count == 3)
        let large = Self.listing(tenants[0], count: 1_000)
        #expect(throws: AirtableError.self) { try kept.keep(large) }
        #expect(kept.count == 3)
    }

    @Test("an offset is read back as it was written, and nothing else is one", arguments: [0, 1, 99, 1_000_000])
    func offsets(_ index: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let offsets: [ListingOffset] = [
            .table(position: Int64.max - Int64(index), given: index),
            .table(position: Int64(index), given: 0),
            .kept(ListingOffset.newIterator(using: &generator), index: index),
        ]
        for offset in offsets {
            #expect(ListingOffset(offset.description) == offset)
            #expect(offset.description.utf8.count == 35)
            for cut in [offset.description + "0", String(offset.description.dropLast()), "x" + offset.description] {
                #expect(ListingOffset(cut) == nil)
            }
        }
        #expect(ListingOffset("itr0zzzzzzzzzzzzz/rec00000000000000") == nil)
    }
}
