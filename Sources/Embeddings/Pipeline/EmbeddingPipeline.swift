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
/// Bulk work goes in pieces, each kept as soon as it is encoded: interrupted work goes on where it stopped. The pieces
/// of all callers together take turns, as many at once as `Embedder.bulk` says, so that a process that ends suddenly
/// has read at most `BulkShape.textsUnderWay` texts for nothing. Queries (interactive work) leave no trace in the
/// database and cost it nothing; the last few are remembered in memory.
public struct EmbeddingPipeline: Sendable {
    public let embedder: any Embedder
    private let cache: EmbeddingCache?
    private let recent = RecentVectors()
    private let turns: BulkTurns

    /// - Parameter cache: nil to encode everything every time, as benchmarks do.
    public init(embedder: any Embedder, cache: EmbeddingCache? = nil) {
        self.embedder = embedder
        self.cache = cache
        turns = BulkTurns(atOnce: embedder.bulk.piecesAtOnce)
    }

    /// The vectors of `texts`; too long ones are cut at the model's limit and reported.
    ///
    /// - Parameter reencodes: has the model read also what was kept before this moment.
    /// - Throws: `EmbeddingsError`, `DatabaseError`, `CancellationError`.
    public func embed(
        _ texts: [String],
        kind: EmbeddingKind = .document,
        tenant: TenantID,
        priority: EmbeddingPriority,
        reencodes: Instant? = nil
    ) async throws -> EmbeddedTexts {
        try Task.checkCancellation()
        let hashes = texts.map { Self.hash(of: $0, kind) }
        let watch = turns.watch()
        defer { turns.endWatch(watch) }
        let request = Request(kind: kind, tenant: tenant, priority: priority, reencodes: reencodes, watch: watch)
        var known = try await lookUp(hashes, request)
        // First places of what is missing, each content once.
        var missing: [Missing] = []
        var seen: Set<[UInt8]> = []
        for (position, hash) in hashes.enumerated() where known[hash] == nil && seen.insert(hash).inserted {
            missing.append(Missing(position: position, hash: hash, text: texts[position]))
        }
        let encoded = try await encode(missing, request)
        known.merge(encoded.entries) { _, new in new }
        var result = EmbeddedTexts(vectors: [], encoded: encoded.read.count, cached: 0, truncated: [])
        result.tokens = encoded.tokens
        result.cached = texts.count - encoded.read.count
        result.encodedPositions = missing.filter { encoded.read.contains($0.hash) }.map(\.position)
        result.vectors.reserveCapacity(texts.count)
        for (position, hash) in hashes.enumerated() {
            guard let entry = known[hash] else {
                // `encode` gave an entry for each missing hash but the refused ones.
                precondition(encoded.refused.contains(hash), "no vector for text \(position)")
                result.vectors.append([])
                result.refused.append(position)
                continue
            }
            result.vectors.append(entry.vector)
            if entry.isTruncated { result.truncated.append(position) }
        }
        return result
    }

    // MARK: Private

    private struct Request: Sendable {
        let kind: EmbeddingKind
        let tenant: TenantID
        let priority: EmbeddingPriority
        let reencodes: Instant?
        /// Began before the cache was looked at.
        let watch: BulkTurns.Watch
    }

    /// A text without a known vector, and its first place.
    private struct Missing: Sendable {
        let position: Int
        let hash: [UInt8]
        let text: String
    }

    private struct Encoded: Sendable {
        var entries: [[UInt8]: EmbeddingCache.Entry] = [:]
        var refused: Set<[UInt8]> = []
        /// What the model read now, refused or not.
        var read: Set<[UInt8]> = []
        var tokens = 0

        mutating func add(_ other: Encoded) {
            entries.merge(other.entries) { _, new in new }
            refused.formUnion(other.refused)
            read.formUnion(other.read)
            tokens += other.tokens
        }
    }

    private func lookUp(_ hashes: [[UInt8]], _ request: Request) async throws -> [[UInt8]: EmbeddingCache.Entry] {
        switch request.priority {
        case .interactive:
            return request.reencodes == nil ? recent.entries(of: hashes, request.tenant) : [:]
        case .bulk:
            let found = try await cache?.entries(
                of: hashes,
                identity: embedder.identity,
                tenant: request.tenant,
                notBefore: request.reencodes
            )
            return found ?? [:]
        }
    }

    /// What a vector is kept under: a question's is never taken for that of a text to be found.
    private static func hash(of text: String, _ kind: EmbeddingKind) -> [UInt8] {
        switch kind {
        case .document: EmbeddingCache.contentHash(text)
        case .query: EmbeddingCache.contentHash("\u{0}query\u{0}" + text)
        }
    }

    /// Encodes what is missing, piece by piece, some at once.
    private func encode(_ missing: [Missing], _ request: Request) async throws -> Encoded {
        guard request.priority == .bulk else { return try await read(missing, request) }
        let (size, atOnce) = (embedder.bulk.texts, embedder.bulk.piecesAtOnce)
        return try await withThrowingTaskGroup(of: Encoded.self) { group in
            var next = 0
            func start() {
                let piece = Array(missing[next..<min(next + size, missing.count)])
                next += piece.count
                group.addTask { try await self.encode(piece: piece, request) }
            }
            var all = Encoded()
            for _ in 0..<atOnce where next < missing.count { start() }
            while let encoded = try await group.next() {
                all.add(encoded)
                if next < missing.count { start() }
            }
            return all
        }
    }

    private func encode(piece: [Missing], _ request: Request) async throws -> Encoded {
        let turn = await turns.enter(Set(piece.map(\.hash)), request.watch)
        defer { turns.leave(turn) }
        try Task.checkCancellation()
        guard turn.mayBeKnown else { return try await read(piece, request) }
        let known = try await lookUp(piece.map(\.hash), request)
        var encoded = try await read(piece.filter { known[$0.hash] == nil }, request)
        encoded.entries.merge(known) { old, _ in old }
        return encoded
    }

    /// Has the model read texts, and keeps their vectors.
    private func read(_ texts: [Missing], _ request: Request) async throws -> Encoded {
        guard !texts.isEmpty else { return Encoded() }
        let encoded = try await embedder.encode(
            texts.map(\.text),
            kind: request.kind,
            overlong: .truncate,
            priority: request.priority
        )
        guard encoded.vectors.count == texts.count else {
            let message = "the model gave \(encoded.vectors.count) vectors for \(texts.count) texts"
            throw EmbeddingsError(.badVector, message)
        }
        let truncated = Set(encoded.truncated)
        let refused = Set(encoded.refused)
        let entries = texts.indices.filter { !refused.contains($0) }.map { position in
            EmbeddingCache.Entry(
                hash: texts[position].hash,
                vector: encoded.vectors[position],
                isTruncated: truncated.contains(position)
            )
        }
        switch request.priority {
        case .interactive: recent.keep(entries, request.tenant)
        case .bulk: try await cache?.store(entries, identity: embedder.identity, tenant: request.tenant)
        }
        return Encoded(
            entries: Dictionary(entries.map { ($0.hash, $0) }, uniquingKeysWith: { first, _ in first }),
            refused: Set(refused.map { texts[$0].hash }),
            read: Set(texts.map(\.hash)),
            tokens: encoded.tokenCounts.reduce(0, +)
        )
    }
}
