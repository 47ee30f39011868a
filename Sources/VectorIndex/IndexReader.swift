import Synchronization

/// Searches an index that another process, or another object of this one, writes.
///
/// Any number of readers may be open, each with its own copy of what the writer has flushed as of its last
/// `refresh`. All methods may be called from any thread; searches never wait for each other.
public final class IndexReader: Sendable {
    private let directory: IndexDirectory
    private let identity: String
    private let options: IndexOptions
    private let shared: Mutex<Graph>
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var generation: Generation
        var stamp: IndexDirectory.Stamp
        var tailByteCount: Int
        /// A frame was wrong: what is in memory may be half of it.
        var isDamaged = false
    }

    /// Opens the index of a directory.
    ///
    /// - Throws: `notFound`, `identityMismatch`, `corrupt`, `unsupportedVersion`, `inputOutput`.
    public static func open(
        directory: String,
        identity: String,
        options: IndexOptions = IndexOptions()
    ) throws(VectorIndexError) -> IndexReader {
        try IndexReader(IndexDirectory(directory), identity, options)
    }

    private init(
        _ directory: IndexDirectory,
        _ identity: String,
        _ options: IndexOptions
    ) throws(VectorIndexError) {
        self.directory = directory
        self.identity = identity
        self.options = options
        let state = try Self.load(directory, identity, options)
        shared = Mutex(state.generation.graph)
        self.state = Mutex(state)
    }

    private static func load(
        _ directory: IndexDirectory,
        _ identity: String,
        _ options: IndexOptions
    ) throws(VectorIndexError) -> State {
        // The stamp first: should CURRENT change in between, the next refresh sees it.
        let stamp = try directory.currentStamp()
        let generation = try Generation.open(directory, identity: identity, options.residency, .read)
        return State(generation: generation, stamp: stamp, tailByteCount: generation.tail.offset)
    }

    /// Brings in what the writer has flushed since; true when there was anything.
    ///
    /// Costs two system calls when there was not. New frames of the tail are applied in place, while searches
    /// wait for the copying; a new generation is opened beside the old one, which runs to the end of the
    /// searches that began in it.
    @discardableResult
    public func refresh() throws(VectorIndexError) -> Bool {
        try state.withLock { (state) throws(VectorIndexError) in
            let stamp = try directory.currentStamp()
            if stamp != state.stamp || state.isDamaged {
                state = try Self.load(directory, identity, options)
                let graph = state.generation.graph
                shared.withLock { $0 = graph }
                return true
            }
            let byteCount = try state.generation.tail.file.byteCount()
            guard byteCount != state.tailByteCount else { return false }
            do throws(VectorIndexError) {
                let hasChanged = try state.generation.applyTail()
                // A frame still being written is looked at again.
                state.tailByteCount = state.generation.isTorn ? -1 : state.generation.tail.offset
                return hasChanged
            } catch {
                state.isDamaged = true
                throw error
            }
        }
    }

    /// Keys in the index.
    public var count: Int { graph.count }

    public func contains(_ key: UInt64) -> Bool { graph.contains(key) }

    /// The `k` nearest keys that are allowed, nearest first, lower keys first among equally near ones.
    ///
    /// - Parameters:
    ///   - query: as many floats as the index has dimensions; need not be of unit length.
    ///   - ef: how widely the graph is searched, at least `k`: more finds more of the true nearest and takes longer.
    /// - Returns: never fewer than `k` or than are allowed.
    /// - Throws: `dimensionMismatch`, `notFinite`, `zeroVector`, `invalidParameter`.
    public func search(
        _ query: [Float],
        k: Int,
        ef: Int? = nil,
        allowed: AllowedKeys = .all,
        plan: SearchPlan = .automatic
    ) throws(VectorIndexError) -> [Neighbor] {
        var statistics = SearchStatistics()
        return try search(query, k: k, ef: ef, allowed: allowed, plan: plan, statistics: &statistics)
    }

    /// The same, adding to `statistics` what it did.
    public func search(
        _ query: [Float],
        k: Int,
        ef: Int? = nil,
        allowed: AllowedKeys = .all,
        plan: SearchPlan = .automatic,
        statistics: inout SearchStatistics
    ) throws(VectorIndexError) -> [Neighbor] {
        try graph.search(query, k: k, ef: ef, allowed: allowed, plan: plan, statistics: &statistics)
    }

    /// The same for several queries: `queries.count / dimension` of them, row-major. Exact scans share one
    /// matrix product.
    public func search(
        batch queries: [Float],
        k: Int,
        ef: Int? = nil,
        allowed: AllowedKeys = .all,
        plan: SearchPlan = .automatic
    ) throws(VectorIndexError) -> [[Neighbor]] {
        try graph.search(batch: queries, k: k, ef: ef, allowed: allowed, plan: plan)
    }

    public var parameters: IndexParameters { graph.parameters }

    public var statistics: IndexStatistics {
        state.withLock { state in
            let graph = state.generation.graph
            return IndexStatistics(
                count: graph.count,
                slotCount: graph.slotCount,
                deadCount: graph.deadCount,
                generation: state.generation.number,
                checkpointBytes: state.generation.checkpointByteCount,
                tailBytes: state.generation.tail.offset
            )
        }
    }

    private var graph: Graph { shared.withLock { $0 } }
}

extension Graph {
    func contains(_ key: UInt64) -> Bool { readCatalog { $0.slot(for: key, in: view) != nil } }

    func search(
        _ query: [Float],
        k: Int,
        ef: Int?,
        allowed: AllowedKeys,
        plan: SearchPlan,
        statistics: inout SearchStatistics
    ) throws(VectorIndexError) -> [Neighbor] {
        let request = try SearchRequest(k: k, ef: ef, allowed: allowed, plan: plan)
        return try query.withUnsafeBufferPointer { (query) throws(VectorIndexError) in
            try search(query, request, &statistics)
        }
    }

    func search(
        batch queries: [Float],
        k: Int,
        ef: Int?,
        allowed: AllowedKeys,
        plan: SearchPlan
    ) throws(VectorIndexError) -> [[Neighbor]] {
        let request = try SearchRequest(k: k, ef: ef, allowed: allowed, plan: plan)
        var statistics = SearchStatistics()
        return try queries.withUnsafeBufferPointer { (queries) throws(VectorIndexError) in
            try search(batch: queries, request, &statistics)
        }
    }
}
