import Synchronization

/// Makes and changes an index; holds its directory's lock while open.
///
/// Changes are seen at once by searches through this object, and by readers and after a crash once `flush`
/// has returned. All methods may be called from any thread: changes wait for each other, searches for nobody.
public final class IndexWriter: Sendable {
    private let shared: Mutex<Graph>
    private let state: Mutex<WriterState>

    /// Opens the index of a directory, or makes an empty one.
    ///
    /// - Parameter parameters: dimension, metric, `m` and identity must be those of an index already there.
    /// - Throws: `locked` when another writer has it, `identityMismatch`, `parameterMismatch`, `corrupt`,
    ///   `unsupportedVersion`, `invalidParameter`, `inputOutput`.
    public static func open(
        directory: String,
        parameters: IndexParameters,
        options: IndexOptions = IndexOptions()
    ) throws(VectorIndexError) -> IndexWriter {
        try IndexWriter(IndexDirectory(directory), parameters, options)
    }

    /// The same, with a call after each step on the files; for tests.
    package static func open(
        directory: String,
        parameters: IndexParameters,
        options: IndexOptions,
        afterStep: @escaping @Sendable (FileStep) -> Void
    ) throws(VectorIndexError) -> IndexWriter {
        try IndexWriter(IndexDirectory(directory, afterStep: afterStep), parameters, options)
    }

    private init(
        _ directory: IndexDirectory,
        _ parameters: IndexParameters,
        _ options: IndexOptions
    ) throws(VectorIndexError) {
        let state = try WriterState(directory, parameters, options)
        shared = Mutex(state.graph)
        self.state = Mutex(state)
    }

    /// Adds a key, or gives it another vector.
    ///
    /// - Throws: `dimensionMismatch`, `notFinite`, `zeroVector`, `full`, `closed`.
    /// - Complexity: a search of width `efConstruction` and the choosing of about `2m` lists of links; nothing
    ///   when the vector is the same as before.
    public func upsert(_ key: UInt64, _ vector: [Float]) throws(VectorIndexError) {
        try upsert(keys: [key], vectors: vector)
    }

    /// Adds many keys at once.
    ///
    /// - Parameters:
    ///   - keys: the last vector of a key counts.
    ///   - vectors: `keys.count × dimension` floats, row-major. Nothing changes when one of them is refused.
    ///   - threads: how many work at it. The graph is the same every time only with one.
    public func upsert(keys: [UInt64], vectors: [Float], threads: Int = 1) throws(VectorIndexError) {
        try state.withLock { (state) throws(VectorIndexError) in
            try state.upsert(keys, vectors, threads: threads)
        }
    }

    /// Takes a key out; false when it was not there.
    ///
    /// - Throws: `closed`.
    @discardableResult
    public func delete(_ key: UInt64) throws(VectorIndexError) -> Bool {
        try state.withLock { (state) throws(VectorIndexError) in try state.delete(key) }
    }

    /// Makes all changes so far durable: one append to the tail and one sync, whatever their number. Now and then
    /// a new checkpoint instead, which takes as long as writing the whole index.
    ///
    /// - Throws: `inputOutput`, `closed`. After a failed flush the changes are still there, and the next one writes
    ///   a checkpoint.
    public func flush() throws(VectorIndexError) {
        try state.withLock { (state) throws(VectorIndexError) in
            defer { share(state.graph) }
            try state.flush()
        }
    }

    /// Writes a new checkpoint, which leaves the tail empty.
    public func checkpoint() throws(VectorIndexError) {
        try state.withLock { (state) throws(VectorIndexError) in
            defer { share(state.graph) }
            try state.checkpoint()
        }
    }

    /// Gives the lock back without flushing. Searches still work; changes throw `closed`.
    public func close() { state.withLock { $0.close() } }

    /// Keys in the index.
    public var count: Int { graph.count }

    public func contains(_ key: UInt64) -> Bool { graph.contains(key) }

    /// See `IndexReader.search(_:k:ef:allowed:plan:)`; sees every change made before.
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

    /// The same for several queries, row-major.
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

    public var statistics: IndexStatistics { state.withLock { $0.statistics } }

    private var graph: Graph { shared.withLock { $0 } }

    /// A checkpoint may have made the graph anew, in fewer slots.
    private func share(_ graph: Graph) { shared.withLock { $0 = graph } }
}
