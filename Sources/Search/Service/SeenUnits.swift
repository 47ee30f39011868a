import VectorIndex

/// Which units a reader sees of partitions of which they see a part: those of the records that a rule shows them.
struct SeenUnits: Sendable {
    private var keys: [UInt32: KeySet] = [:]

    init() {}

    mutating func limit(_ partition: UInt32, to keys: KeySet) { self.keys[partition] = keys }

    var isEmpty: Bool { keys.isEmpty }

    func limits(_ partition: UInt32) -> Bool { keys[partition] != nil }

    func contains(_ key: UnitKey) -> Bool { keys[key.partition]?.contains(key.rawValue) ?? true }

    /// The seen units of those of `partitions` that are limited.
    func inside(_ partitions: Set<UInt32>) -> KeySet {
        KeySet(partitions.sorted().flatMap { keys[$0]?.sorted ?? [] })
    }

    /// Postings of one block without those of units that are not seen.
    func seen(_ data: [UInt8], partition: UInt32, block: UInt32) -> [UInt8] {
        guard let keys = keys[partition] else { return data }
        var hidden: Set<UInt8> = []
        for start in stride(
            from: 0,
            to: data.count - data.count % PostingBlock.bytesPerPosting,
            by: PostingBlock.bytesPerPosting
        ) {
            let key = UnitKey(partition: partition, entry: block << 8 | UInt32(data[start]))
            if !keys.contains(key.rawValue) { hidden.insert(data[start]) }
        }
        return hidden.isEmpty ? data : PostingBlock.removing(hidden, from: data)
    }
}
