import Database
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Embeddings

@Suite("Embedding cache")
struct CacheTests {
    private let tenant = TenantID("tenAAAAAAAAAAAAAA")!
    private let other = TenantID("tenBBBBBBBBBBBBBB")!
    private let identity = HashEmbedder(dimension: 4).identity

    private func entry(_ text: String, _ axis: Int, isTruncated: Bool = false) -> EmbeddingCache.Entry {
        var vector: [Float] = [0, 0, 0, 0]
        vector[axis] = 1
        return EmbeddingCache.Entry(
            hash: EmbeddingCache.contentHash(text),
            vector: vector,
            isTruncated: isTruncated
        )
    }

    private func found(_ cache: EmbeddingCache, _ texts: [String], _ tenant: TenantID) async throws -> Set<String> {
        let hashes = texts.map { EmbeddingCache.contentHash($0) }
        let entries = try await cache.entries(of: hashes, identity: identity, tenant: tenant)
        return Set(zip(texts, hashes).filter { entries[$1] != nil }.map { $0.0 })
    }

    @Test("the key of a text is its SHA-256")
    func contentHash() {
        let hex = EmbeddingCache.contentHash("abc").prefix(4).map { String($0, radix: 16) }.joined()
        #expect(hex == "ba7816bf")
        #expect(EmbeddingCache.contentHash("").count == 32)
        // Equal for Swift, not for the tokenizer.
        #expect(EmbeddingCache.contentHash("é") != EmbeddingCache.contentHash("e\u{301}"))
    }

    @Test("gives back what was stored, to its tenant and model only", arguments: DatabaseKind.allCases)
    func roundTrip(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let cache = EmbeddingCache(database: database)
            let entries = [entry("one", 1), entry("two", 2, isTruncated: true)]
            try await cache.store(entries, identity: identity, tenant: tenant)
            let hashes = ["two", "none", "one", "one"].map { EmbeddingCache.contentHash($0) }
            let read = try await cache.entries(of: hashes, identity: identity, tenant: tenant)
            #expect(read == [entries[0].hash: entries[0], entries[1].hash: entries[1]])
            #expect(try await cache.entries(of: hashes, identity: identity, tenant: other).isEmpty)
            let another = HashEmbedder(dimension: 5).identity
            #expect(try await cache.entries(of: hashes, identity: another, tenant: tenant).isEmpty)
            #expect(try await cache.entries(of: [], identity: identity, tenant: tenant).isEmpty)
            // Storing again replaces.
            try await cache.store([entry("one", 3)], identity: identity, tenant: tenant)
            let again = try await cache.entries(of: hashes, identity: identity, tenant: tenant)
            #expect(again[entries[0].hash]?.vector == [0, 0, 0, 1])
            try await cache.removeAll(tenant: other)
            #expect(try await found(cache, ["one", "two"], tenant) == ["one", "two"])
            try await cache.removeAll(tenant: tenant)
            #expect(try await found(cache, ["one", "two"], tenant).isEmpty)
        }
    }

    @Test("looks up and stores more than one group", arguments: DatabaseKind.allCases)
    func groups(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let cache = EmbeddingCache(database: database)
            let count = 2 * EmbeddingCache.groupMax + 3
            let names = (0..<count).map { "text \($0)" }
            try await cache.store(
                names.enumerated().map { entry($1, $0 % 4) },
                identity: identity,
                tenant: tenant
            )
            for asked in [1, 2, 16, 17, 256, 257, count] {
                #expect(try await found(cache, Array(names.suffix(asked)), tenant).count == asked)
            }
        }
    }

    @Test("the oldest rows go first, over all tenants", arguments: DatabaseKind.allCases)
    func oldest(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let time = Guarded<Int64>(0)
            let cache = EmbeddingCache(
                database: database,
                rowsMax: 10,
                now: {
                    time.update { $0 += 1 }
                    return Instant(microseconds: time.value)
                }
            )
            let names = (0..<14).map { "t\($0)" }
            for (number, name) in names.enumerated() {
                let owner = number.isMultiple(of: 2) ? tenant : other
                try await cache.store([entry(name, 0)], identity: identity, tenant: owner)
            }
            let kept = try await found(cache, names, tenant).union(try await found(cache, names, other))
            #expect(kept == Set(names.suffix(10)))
            #expect(try await cache.trim() == 0)
            #expect(try await EmbeddingCache(database: database, rowsMax: 3).trim() == 7)
        }
    }

    @Test("what was not used longest goes first, when so set", arguments: DatabaseKind.allCases)
    func leastRecentlyUsed(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let day = Guarded<Int64>(1)
            let cache = EmbeddingCache(
                database: database,
                rowsMax: 2,
                eviction: .leastRecentlyUsed,
                now: { Instant(microseconds: day.value * 3 * EmbeddingCache.touchInterval) }
            )
            for name in ["a", "b"] {
                try await cache.store([entry(name, 0)], identity: identity, tenant: tenant)
                day.update { $0 += 1 }
            }
            #expect(try await found(cache, ["a"], tenant) == ["a"])
            day.update { $0 += 1 }
            try await cache.store([entry("c", 0)], identity: identity, tenant: tenant)
            #expect(try await found(cache, ["a", "b", "c"], tenant) == ["a", "c"])
        }
    }

    @Test("a damaged row counts as missing", arguments: DatabaseKind.allCases)
    func damage(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let cache = EmbeddingCache(database: database)
            for vector: [UInt8] in [
                [], [1, 2, 3], [UInt8](repeating: 0, count: 16), [UInt8](repeating: 0xFF, count: 16),
            ] {
                try await cache.store([entry("x", 0)], identity: identity, tenant: tenant)
                #expect(try await found(cache, ["x"], tenant) == ["x"])
                _ = try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute("UPDATE embedding_cache SET vector = $1", [.bytes(vector)])
                }
                #expect(try await found(cache, ["x"], tenant).isEmpty)
            }
        }
    }
}

@Suite("Embedding pipeline")
struct PipelineTests {
    private let tenant = TenantID("tenAAAAAAAAAAAAAA")!

    /// Counts what it is asked, and can fail after some calls.
    final class Counting: Embedder {
        let inner = HashEmbedder(dimension: 8)
        let asked = Mutex<[String]>([])
        let callsLeft = Mutex(Int.max)
        // One after the other, so that it is certain which call is the last.
        let bulk = BulkShape(texts: 32, piecesAtOnce: 1)
        var identity: ModelIdentity { inner.identity }
        var dimension: Int { inner.dimension }
        var tokenLimit: Int { inner.tokenLimit }
        var specialTokenCount: Int { inner.specialTokenCount }
        func tokens(of text: String) -> [TokenSpan] { inner.tokens(of: text) }

        func encode(
            _ texts: [String],
            overlong: OverlongText,
            priority: EmbeddingPriority
        ) async throws -> EncodedTexts {
            try callsLeft.withLock { left in
                guard left > 0 else { throw EmbeddingsError(.busy, "no more") }
                left -= 1
            }
            asked.withLock { $0 += texts }
            return try await inner.encode(texts, overlong: overlong, priority: priority)
        }
    }

    @Test("encodes each content once, and reports what it cost", arguments: DatabaseKind.allCases)
    func cached(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let embedder = Counting()
            let pipeline = EmbeddingPipeline(embedder: embedder, cache: EmbeddingCache(database: database))
            let long = String(repeating: "word ", count: 300)
            let texts = ["a", "b", "a", long, "c"]
            let first = try await pipeline.embed(texts, tenant: tenant, priority: .bulk)
            #expect(embedder.asked.withLock { $0 } == ["a", "b", long, "c"])
            #expect(first.encoded == 4 && first.cached == 1 && first.truncated == [3])
            #expect(first.vectors == (try await embedder.inner.embed(texts, priority: .bulk)))
            let second = try await pipeline.embed(["c", long, "new"], tenant: tenant, priority: .bulk)
            #expect(second.encoded == 1 && second.cached == 2 && second.truncated == [1])
            #expect(second.vectors[0] == first.vectors[4])
            #expect(embedder.asked.withLock { $0.last } == "new")
            let stranger = try await pipeline.embed(
                ["a"],
                tenant: TenantID("tenCCCCCCCCCCCCCC")!,
                priority: .bulk
            )
            #expect(stranger.encoded == 1)
            #expect(try await pipeline.embed([], tenant: tenant, priority: .bulk).vectors.isEmpty)
        }
    }

    @Test("an interrupted call has kept its finished pieces", arguments: DatabaseKind.allCases)
    func interrupted(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let embedder = Counting()
            let pipeline = EmbeddingPipeline(embedder: embedder, cache: EmbeddingCache(database: database))
            let texts = (0..<3 * embedder.bulk.texts).map { "text \($0)" }
            embedder.callsLeft.withLock { $0 = 2 }
            await #expect(throws: EmbeddingsError(.busy, "")) {
                try await pipeline.embed(texts, tenant: tenant, priority: .bulk)
            }
            embedder.callsLeft.withLock { $0 = .max }
            let rest = try await pipeline.embed(texts, tenant: tenant, priority: .bulk)
            #expect(rest.encoded == embedder.bulk.texts)
            #expect(rest.cached == 2 * embedder.bulk.texts)
            #expect(rest.vectors == (try await embedder.inner.embed(texts, priority: .bulk)))
        }
    }

    /// Notes how many texts are under way at once.
    private struct Watching: Embedder {
        let inner = HashEmbedder()
        let state = Guarded((underWay: 0, most: 0, readings: [String: Int]()))

        var identity: ModelIdentity { inner.identity }
        var dimension: Int { inner.dimension }
        var tokenLimit: Int { inner.tokenLimit }
        var specialTokenCount: Int { inner.specialTokenCount }
        func tokens(of text: String) -> [TokenSpan] { inner.tokens(of: text) }

        func encode(
            _ texts: [String],
            overlong: OverlongText,
            priority: EmbeddingPriority
        ) async throws -> EncodedTexts {
            state.update { state in
                state.underWay += texts.count
                state.most = max(state.most, state.underWay)
                for text in texts { state.readings[text, default: 0] += 1 }
            }
            await Task.yield()
            defer { state.update { $0.underWay -= texts.count } }
            return try await inner.encode(texts, overlong: overlong, priority: priority)
        }
    }

    @Test(
        "callers at once read no text twice, and have no more than a batch under way",
        arguments: DatabaseKind.allCases
    )
    func atOnce(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let embedder = Watching()
            let pipeline = EmbeddingPipeline(embedder: embedder, cache: EmbeddingCache(database: database))
            let texts = (0..<400).map { "text \($0)" }
            let expected = try await embedder.inner.embed(texts, priority: .bulk)
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Each range but the first overlaps with those before it.
                for first in [0, 50, 100, 150, 20, 200, 180] {
                    group.addTask {
                        let range = first..<first + 200
                        let found = try await pipeline.embed(Array(texts[range]), tenant: tenant, priority: .bulk)
                        #expect(found.vectors == Array(expected[range]))
                        #expect(found.encoded + found.cached == 200)
                    }
                }
                try await group.waitForAll()
            }
            let state = embedder.state.value
            #expect(state.readings.count == 400 && state.readings.values.allSatisfy { $0 == 1 })
            #expect(state.most <= Limits.embeddingTextsUnderWay)
        }
    }

    @Test("encoding again leaves what was encoded since alone", arguments: DatabaseKind.allCases)
    func again(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let clock = Guarded(Instant(milliseconds: 1_000))
            let cache = EmbeddingCache(database: database, now: { clock.value })
            let pipeline = EmbeddingPipeline(embedder: Counting(), cache: cache)
            _ = try await pipeline.embed(["a", "b"], tenant: tenant, priority: .bulk)
            clock.value = Instant(milliseconds: 2_000)
            let since = clock.value
            let first = try await pipeline.embed(["a"], tenant: tenant, priority: .bulk, reencodes: since)
            #expect(first.encoded == 1 && first.encodedPositions == [0])
            let second = try await pipeline.embed(["a", "b"], tenant: tenant, priority: .bulk, reencodes: since)
            #expect(second.encoded == 1 && second.cached == 1 && second.encodedPositions == [1])
        }
    }

    @Test("queries are remembered in memory and leave no row", arguments: DatabaseKind.allCases)
    func queries(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: EmbeddingCache.migrations) { database in
            let embedder = Counting()
            let pipeline = EmbeddingPipeline(embedder: embedder, cache: EmbeddingCache(database: database))
            #expect(try await pipeline.embed(["q"], tenant: tenant, priority: .interactive).encoded == 1)
            #expect(try await pipeline.embed(["q"], tenant: tenant, priority: .interactive).cached == 1)
            let rows = try await database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM embedding_cache")?.integer(0)
            }
            #expect(rows == 0)
            // More queries than are remembered: the first is forgotten, the last is not.
            for number in 0..<600 {
                _ = try await pipeline.embed(["q\(number)"], tenant: tenant, priority: .interactive)
            }
            #expect(try await pipeline.embed(["q599"], tenant: tenant, priority: .interactive).cached == 1)
            #expect(try await pipeline.embed(["q"], tenant: tenant, priority: .interactive).encoded == 1)
        }
    }

    @Test("works without a cache")
    func uncached() async throws {
        let pipeline = EmbeddingPipeline(embedder: HashEmbedder())
        let result = try await pipeline.embed(["a", "a"], tenant: tenant, priority: .bulk)
        #expect(result.encoded == 1 && result.cached == 1)
        #expect(result.vectors[0] == result.vectors[1])
    }
}
