import Domain
import Testing

@testable import Access

@Suite("Cache of verified keys")
struct KeyCacheTests {
    private static func key(_ id: KeyID = .random()) -> AccessStore.StoredKey {
        let key = APIKey(
            id: id,
            owner: .random(),
            name: "test",
            scopes: [.search],
            bases: nil,
            expires: nil,
            isDisabled: false,
            createdTime: Instant(milliseconds: 0),
            lastUsedTime: nil,
            lastFour: "0000"
        )
        return AccessStore.StoredKey(
            tenant: .random(),
            key: key,
            digest: [],
            facts: Policy.KeyFacts(expires: nil, isDisabled: false, isOwnerDisabled: false)
        )
    }

    @Test("gives an entry back for half a second from before it was read")
    func life() {
        let clock = ManualClock()
        let cache = KeyCache(capacity: 8, now: clock.tick)
        let key = Self.key()
        let ticket = cache.ticket()
        clock.advance(.milliseconds(400))
        cache.add(key, ticket)
        #expect(cache.key(key.key.id) == key)
        clock.advance(.milliseconds(99))
        #expect(cache.key(key.key.id) == key)
        clock.advance(.milliseconds(1))
        #expect(cache.key(key.key.id) == nil)
    }

    @Test("refuses what was read before it was cleared")
    func lateArrival() {
        let clock = ManualClock()
        let cache = KeyCache(capacity: 8, now: clock.tick)
        let key = Self.key()
        let ticket = cache.ticket()
        cache.clear()
        cache.add(key, ticket)
        #expect(cache.key(key.key.id) == nil)
        cache.add(key, cache.ticket())
        #expect(cache.key(key.key.id) == key)
    }

    @Test("never holds more than its capacity")
    func bound() {
        let clock = ManualClock()
        let cache = KeyCache(capacity: 8, now: clock.tick)
        for _ in 0..<100 {
            cache.add(Self.key(), cache.ticket())
            #expect(cache.count <= 8)
            clock.advance(.milliseconds(10))
        }
        let last = Self.key()
        cache.add(last, cache.ticket())
        #expect(cache.key(last.key.id) == last)
    }
}
