public import Domain

/// Vectors of some texts, and what they cost.
public struct EmbeddedTexts: Sendable, Equatable {
    /// In the order of the texts, each of unit length.
    public var vectors: [[Float]]
    /// Texts that the model read now.
    public var encoded: Int
    /// Texts whose vector was there already, or that came twice.
    public var cached: Int
    /// Positions of texts longer than the model reads, ascending: their end is in no vector.
    public var truncated: [Int]
    /// Positions of texts that the model would not take, ascending; their vectors are empty.
    public var refused: [Int]
    /// Positions of texts that the model read now, ascending, each content once.
    public var encodedPositions: [Int]
    /// Tokens that the model read now.
    public var tokens: Int

    public init(
        vectors: [[Float]],
        encoded: Int,
        cached: Int,
        truncated: [Int],
        refused: [Int] = [],
        encodedPositions: [Int] = [],
        tokens: Int = 0
    ) {
        self.vectors = vectors
        self.encoded = encoded
        self.cached = cached
        self.truncated = truncated
        self.refused = refused
        self.encodedPositions = encodedPositions
        self.tokens = tokens
    }
}

/// Texts to vectors by way of the cache: what was encoded before is read, the rest is encoded once and kept.
///
/// Bulk work goes in slices, each kept as soon as it is encoded: interrupted work goes on where it stopped. Queries
/// (interactive work) leave no trace in the database and cost it nothing; the last few are remembered in memory.
public struct EmbeddingPipeline: Sendable {
    public let embedder: any Embedder
    private let cache: EmbeddingCache?
    private let recent = RecentVectors()

    /// Texts looked up, encoded and kept together: seconds of work, megabytes of memory.
    static let sliceTexts = 256

    /// - Parameter cache: nil to encode everything every time, as benchmarks do.
    public init(embedder: any Embedder, cache: EmbeddingCache? = nil) {
        self.embedder = embedder
        self.cache = cache
    }

    /// The vectors of `texts`; too long ones are cut at the model's limit and reported.
    ///
    /// - Parameter reencodes: has the model read what was encoded before too, and keeps what it gives.
    /// - Throws: `EmbeddingsError`, `DatabaseError`, `CancellationError`.
    public func embed(
        _ texts: [String],
        kind: EmbeddingKind = .document,
        tenant: TenantID,
        priority: EmbeddingPriority,
        reencodes: Bool = false
    ) async throws -> EmbeddedTexts {
        var result = EmbeddedTexts(vectors: [], encoded: 0, cached: 0, truncated: [])
        result.vectors.reserveCapacity(texts.count)
        for start in stride(from: 0, to: texts.count, by: Self.sliceTexts) {
            try Task.checkCancellation()
            let slice = texts[start..<min(start + Self.sliceTexts, texts.count)]
            let hashes = slice.map { Self.hash(of: $0, kind) }
            var known = reencodes ? [:] : try await lookUp(hashes, tenant, priority)
            // First places of what is missing, each content once.
            var missing: [(hash: [UInt8], text: String)] = []
            var seen: Set<[UInt8]> = []
            for (offset, hash) in hashes.enumerated() where known[hash] == nil && seen.insert(hash).inserted {
                missing.append((hash, slice[start + offset]))
                result.encodedPositions.append(start + offset)
            }
            let encoded = try await encode(missing, kind, tenant, priority)
            for entry in encoded.entries { known[entry.hash] = entry }
            for (offset, hash) in hashes.enumerated() {
                guard let entry = known[hash] else {
                    // `encode` gave one entry for each missing hash but the refused ones.
                    precondition(encoded.refused.contains(hash), "no vector for text \(start + offset)")
                    result.vectors.append([])
                    result.refused.append(start + offset)
                    continue
                }
                result.vectors.append(entry.vector)
                if entry.isTruncated { result.truncated.append(start + offset) }
            }
            result.encoded += missing.count
            result.tokens += encoded.tokens
            result.cached += slice.count - missing.count
        }
        return result
    }

    private func lookUp(
        _ hashes: [[UInt8]],
        _ tenant: TenantID,
        _ priority: EmbeddingPriority
    ) async throws -> [[UInt8]: EmbeddingCache.Entry] {
        switch priority {
        case .interactive: recent.entries(of: hashes, tenant)
        case .bulk: try await cache?.entries(of: hashes, identity: embedder.identity, tenant: tenant) ?? [:]
        }
    }

    /// What a vector is kept under: a question's is never taken for that of a text to be found.
    private static func hash(of text: String, _ kind: EmbeddingKind) -> [UInt8] {
        switch kind {
        case .document: EmbeddingCache.contentHash(text)
        case .query: EmbeddingCache.contentHash("\u{0}query\u{0}" + text)
        }
    }

    private struct Encoded {
        var entries: [EmbeddingCache.Entry] = []
        var refused: Set<[UInt8]> = []
        var tokens = 0
    }

    private func encode(
        _ missing: [(hash: [UInt8], text: String)],
        _ kind: EmbeddingKind,
        _ tenant: TenantID,
        _ priority: EmbeddingPriority
    ) async throws -> Encoded {
        guard !missing.isEmpty else { return Encoded() }
        let encoded = try await embedder.encode(
            missing.map(\.text),
            kind: kind,
            overlong: .truncate,
            priority: priority
        )
        guard encoded.vectors.count == missing.count else {
            let message = "the model gave \(encoded.vectors.count) vectors for \(missing.count) texts"
            throw EmbeddingsError(.badVector, message)
        }
        let truncated = Set(encoded.truncated)
        let refused = Set(encoded.refused)
        let entries = missing.indices.filter { !refused.contains($0) }.map { position in
            EmbeddingCache.Entry(
                hash: missing[position].hash,
                vector: encoded.vectors[position],
                isTruncated: truncated.contains(position)
            )
        }
        switch priority {
        case .interactive: recent.keep(entries, tenant)
        case .bulk: try await cache?.store(entries, identity: embedder.identity, tenant: tenant)
        }
        return Encoded(
            entries: entries,
            refused: Set(refused.map { missing[$0].hash }),
            tokens: encoded.tokenCounts.reduce(0, +)
        )
    }
}
