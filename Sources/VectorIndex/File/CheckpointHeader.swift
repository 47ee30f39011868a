/// The first page of a checkpoint: what the file is and where its arrays lie. Layout: `docs/index-format.md`.
struct CheckpointHeader {
    static let magic: UInt64 = 0x3158_4449_5649_5950  // "PYIVIDX1"
    static let version: UInt32 = 1
    static let byteOrderMark: UInt32 = 0x0102_0304
    static let byteCount = 4_096
    private static let identityOffset = 512
    private static let crcOffset = byteCount - 4
    private static let noSlot = UInt64.max

    /// The arrays in the order in which they lie.
    enum Section: Int, CaseIterable {
        case vectors, lists, upperLists, keys, states, upperOffsets, twins
    }

    struct Extent {
        var offset = 0
        var byteCount = 0
        var crc: UInt32 = 0
    }

    var parameters: IndexParameters
    var generation: UInt64
    var slotCount = 0
    var liveCount = 0
    var upperCount = 0
    var entry: (slot: UInt32, level: Int)?
    var extents = [Extent](repeating: Extent(), count: Section.allCases.count)

    /// Bytes of each array, from the counts alone.
    static func byteCounts(_ space: VectorSpace, m: Int, slotCount: Int, upperCount: Int) -> [Int] {
        [
            slotCount * space.rowBytes, slotCount * 2 * m * 4, upperCount * m * 4, slotCount * 8, slotCount,
            slotCount * 4, slotCount * 4,
        ]
    }

    /// Lays the arrays out one after the other, each at the start of a page; returns where the file ends.
    mutating func layOut(_ byteCounts: [Int]) -> Int {
        var offset = Self.byteCount
        for (section, count) in byteCounts.enumerated() {
            extents[section].offset = offset
            extents[section].byteCount = count
            offset = (offset + count + Self.byteCount - 1) / Self.byteCount * Self.byteCount
        }
        return offset
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.append(Self.magic)
        writer.append(Self.version)
        writer.append(Self.byteOrderMark)
        writer.append(UInt32(parameters.dimension))
        writer.append(UInt32(Metric.allCases.firstIndex(of: parameters.metric)!))
        writer.append(UInt32(parameters.m))
        writer.append(UInt32(parameters.efConstruction))
        writer.append(parameters.seed)
        writer.append(generation)
        writer.append(UInt64(slotCount))
        writer.append(UInt64(liveCount))
        writer.append(UInt64(upperCount))
        writer.append(entry.map { UInt64($0.slot) } ?? Self.noSlot)
        writer.append(UInt32(entry?.level ?? 0))
        writer.append(UInt32(parameters.identity.utf8.count))
        for extent in extents {
            writer.append(UInt64(extent.offset))
            writer.append(UInt64(extent.byteCount))
            writer.append(extent.crc)
            writer.append(UInt32(0))
        }
        writer.pad(to: Self.identityOffset)
        writer.append(utf8: parameters.identity)
        writer.pad(to: Self.crcOffset)
        writer.append(Checksum.of(writer.bytes))
        return writer.bytes
    }

    /// - Parameter fileByteCount: what the system says the file has.
    init(_ bytes: [UInt8], fileByteCount: Int) throws(VectorIndexError) {
        let fields = bytes.withUnsafeBytes { HeaderFields($0) }
        guard let fields, fields.magic == Self.magic else { throw .corrupt("not a vector index") }
        guard fields.byteOrderMark == Self.byteOrderMark else {
            throw VectorIndexError(.unsupportedVersion, "the index was written on a machine of other byte order")
        }
        guard fields.version == Self.version else {
            throw VectorIndexError(
                .unsupportedVersion,
                "the index has format \(fields.version), this program reads \(Self.version)"
            )
        }
        guard fields.crc == Checksum.of(bytes.prefix(Self.crcOffset)) else { throw .corrupt("checksum of the header") }
        guard fields.metric < Metric.allCases.count, fields.identityLength <= IndexParameters.identityBytesMax,
            let identity = String(
                validating: bytes[Self.identityOffset..<Self.identityOffset + Int(fields.identityLength)],
                as: UTF8.self
            )
        else { throw .corrupt("parameters in the header") }
        parameters = IndexParameters(
            dimension: Int(fields.dimension),
            metric: Metric.allCases[Int(fields.metric)],
            m: Int(fields.m),
            efConstruction: Int(fields.efConstruction),
            seed: fields.seed,
            identity: identity
        )
        do { try parameters.validate() } catch { throw .corrupt("parameters in the header", error.message) }
        generation = fields.generation
        let slotMax = UInt64(1) << 31
        guard fields.slotCount < slotMax, fields.liveCount <= fields.slotCount, fields.upperCount < slotMax,
            fields.entry == Self.noSlot || fields.entry < fields.slotCount, fields.entryLevel <= SlotState.levelMax
        else { throw .corrupt("counts in the header") }
        slotCount = Int(fields.slotCount)
        liveCount = Int(fields.liveCount)
        upperCount = Int(fields.upperCount)
        entry = fields.entry == Self.noSlot ? nil : (UInt32(fields.entry), Int(fields.entryLevel))
        // The layout follows from the counts; what the file says must agree with it, and with its size.
        let space = VectorSpace(dimension: parameters.dimension, metric: parameters.metric)
        let end = layOut(
            Self.byteCounts(space, m: parameters.m, slotCount: slotCount, upperCount: upperCount)
        )
        guard end == fileByteCount else {
            throw .corrupt("its file has another size than its header says", "\(fileByteCount), not \(end) bytes")
        }
        for (section, extent) in fields.extents.enumerated() {
            guard extent.offset == UInt64(extents[section].offset),
                extent.byteCount == UInt64(extents[section].byteCount)
            else { throw .corrupt("layout in the header") }
            extents[section].crc = extent.crc
        }
    }

    init(parameters: IndexParameters, generation: UInt64) {
        self.parameters = parameters
        self.generation = generation
    }
}

/// The numbers of a header as they stand there.
private struct HeaderFields {
    var magic: UInt64
    var version: UInt32
    var byteOrderMark: UInt32
    var dimension: UInt32
    var metric: UInt32
    var m: UInt32
    var efConstruction: UInt32
    var seed: UInt64
    var generation: UInt64
    var slotCount: UInt64
    var liveCount: UInt64
    var upperCount: UInt64
    var entry: UInt64
    var entryLevel: UInt32
    var identityLength: UInt32
    var extents: [(offset: UInt64, byteCount: UInt64, crc: UInt32)] = []
    var crc: UInt32

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == CheckpointHeader.byteCount else { return nil }
        var reader = ByteReader(bytes)
        // Within the page nothing is missing; zero could only stand for a field that is never read.
        func next<T: FixedWidthInteger>() -> T { reader.next() ?? 0 }
        magic = next()
        version = next()
        byteOrderMark = next()
        dimension = next()
        metric = next()
        m = next()
        efConstruction = next()
        seed = next()
        generation = next()
        slotCount = next()
        liveCount = next()
        upperCount = next()
        entry = next()
        entryLevel = next()
        identityLength = next()
        for _ in CheckpointHeader.Section.allCases {
            let offset: UInt64 = next()
            let byteCount: UInt64 = next()
            extents.append((offset, byteCount, next()))
            let _: UInt32 = next()
        }
        var last = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - 4)...]))
        crc = last.next() ?? 0
    }
}
