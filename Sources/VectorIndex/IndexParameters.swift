/// What an index is made with. Dimension, metric, `m` and identity are fixed for the life of its files.
public struct IndexParameters: Sendable, Hashable {
    /// Floats of a vector, `1...65,536`.
    public var dimension: Int
    public var metric: Metric
    /// Links of a node on the upper levels, `2...64`; twice as many on the lowest (M of arXiv 1603.09320).
    public var m: Int
    /// Candidates considered when a vector is linked in, `m...4,096`.
    public var efConstruction: Int
    /// Decides, with its key, the level of each vector: the same seed and order give the same graph when
    /// one thread builds.
    public var seed: UInt64
    /// What made the vectors, such as a model's identity, at most 1,024 bytes of UTF-8. An index opens only
    /// under the identity it was made with.
    public var identity: String

    public init(
        dimension: Int,
        metric: Metric,
        m: Int = 16,
        efConstruction: Int = 200,
        seed: UInt64 = 0x5EED,
        identity: String
    ) {
        self.dimension = dimension
        self.metric = metric
        self.m = m
        self.efConstruction = efConstruction
        self.seed = seed
        self.identity = identity
    }

    static let dimensionMax = 65_536
    static let mMax = 64
    static let efConstructionMax = 4_096
    static let identityBytesMax = 1_024

    func validate() throws(VectorIndexError) {
        guard 1...Self.dimensionMax ~= dimension else {
            throw .invalidParameter("dimension", "1...\(Self.dimensionMax)", received: dimension)
        }
        guard 2...Self.mMax ~= m else { throw .invalidParameter("m", "2...\(Self.mMax)", received: m) }
        guard m...Self.efConstructionMax ~= efConstruction else {
            throw .invalidParameter(
                "efConstruction",
                "\(m)...\(Self.efConstructionMax)",
                received: efConstruction
            )
        }
        guard identity.utf8.count <= Self.identityBytesMax else {
            throw .invalidParameter(
                "identity",
                "at most \(Self.identityBytesMax) bytes",
                received: identity.utf8.count
            )
        }
    }
}
