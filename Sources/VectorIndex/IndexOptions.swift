/// Where the rows of an opened index lie.
public enum IndexResidency: String, Sendable, CaseIterable {
    /// In the mapped file: opens quickest, and all processes share one copy.
    case mapped
    /// In memory of this process, in huge pages where the system has them: quickest to search.
    case resident
}

/// How an index is opened; nothing of it is in its files.
public struct IndexOptions: Sendable {
    public var residency: IndexResidency
    /// A flush writes a new checkpoint once the tail is longer than this …
    public var tailBytesMin: Int
    /// … and than this share of the checkpoint.
    public var tailShareMax: Double

    public init(residency: IndexResidency = .mapped, tailBytesMin: Int = 1 << 20, tailShareMax: Double = 0.25) {
        self.residency = residency
        self.tailBytesMin = tailBytesMin
        self.tailShareMax = tailShareMax
    }

    func isTooLong(tailByteCount: Int, checkpointByteCount: Int) -> Bool {
        tailByteCount > tailBytesMin && Double(tailByteCount) > tailShareMax * Double(checkpointByteCount)
    }
}

/// Size and state of an open index.
public struct IndexStatistics: Sendable, Hashable {
    /// Keys.
    public var count: Int
    /// Places for vectors ever used, and how many of them are deleted but not yet repaired.
    public var slotCount: Int
    public var deadCount: Int
    public var generation: UInt64
    public var checkpointBytes: Int
    public var tailBytes: Int
}
