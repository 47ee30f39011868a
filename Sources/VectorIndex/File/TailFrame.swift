import CKernels

/// One flush as bytes: the present state of every slot that changed since the one before.
///
/// Physical, not logical: applying it copies memory and searches nothing, so opening an index costs the
/// same whatever the graph did, and a reader that applies it has the writer's graph, link for link.
enum TailFrame {
    /// - Parameter slots: without duplicates; their dirty flags are taken.
    static func encode(_ editor: GraphEditor, slots: [UInt32]) -> [UInt8] {
        let graph = editor.graph
        let view = graph.view
        var writer = ByteWriter(capacity: slots.count * 256)
        writer.append(UInt32(slots.count))
        writer.append(UInt64(graph.slotCount))
        writer.append(UInt64(editor.allocator.upperCount))
        writer.append(graph.entry?.slot ?? CK_NO_SLOT)
        writer.append(UInt32(graph.entry?.level ?? 0))
        for slot in slots {
            let flags = view.takeDirtyFlags(slot)
            let state = view.state(slot)
            let hasVector = flags & DirtyFlags.vector != 0 && state != SlotState.free
            writer.append(slot)
            writer.append(state)
            writer.append(UInt8(hasVector ? 1 : 0))
            guard state != SlotState.free else { continue }
            writer.append(view.key(slot))
            writer.append(view.twin(slot))
            writer.append(view.level(slot) > 0 ? view.upperOffset(slot) : 0)
            for level in 0...view.level(slot) { append(view, slot, level, &writer) }
            if hasVector {
                let count = graph.space.dimension * MemoryLayout<Float>.stride
                writer.append(UnsafeRawBufferPointer(start: view.vector(slot), count: count))
            }
        }
        return writer.bytes
    }

    private static func append(_ view: GraphView, _ slot: UInt32, _ level: Int, _ writer: inout ByteWriter) {
        let list = view.list(slot, level)
        let capacity = view.capacity(level)
        var count = 0
        while count < capacity && list[count] != CK_NO_SLOT { count += 1 }
        writer.append(UInt8(count))
        writer.append(UnsafeRawBufferPointer(start: list, count: count * MemoryLayout<UInt32>.stride))
    }

    /// A frame taken apart, every number in it checked against the graph it will change.
    struct Decoded {
        let slotCount: Int
        let upperCount: Int
        let entry: (slot: UInt32, level: Int)?
        let records: [Record]
    }

    struct Record {
        var slot: UInt32
        var state: UInt8
        var key: UInt64 = 0
        var twin: UInt32 = CK_NO_SLOT
        var upperOffset: UInt32 = 0
        /// One for each level, lowest first.
        var lists: [UnsafeRawBufferPointer] = []
        var vector: UnsafeRawBufferPointer?
    }

    /// - Parameter bytes: the records point into it.
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        for graph: Graph,
        upperCount oldUpperCount: Int
    ) throws(VectorIndexError) -> Decoded {
        var reader = ByteReader(bytes)
        guard let count: UInt32 = reader.next(), let slotCount: UInt64 = reader.next(),
            let upperCount: UInt64 = reader.next(), let entrySlot: UInt32 = reader.next(),
            let entryLevel: UInt32 = reader.next(),
            // A record has at least 6 bytes, so that many can't be told to be there when they are not.
            Int(count) <= reader.remaining / 6, slotCount < 1 << 31, upperCount < 1 << 31
        else { throw damaged("counts") }
        var decoder = RecordDecoder(
            dimension: graph.space.dimension,
            m: graph.parameters.m,
            slotCount: Int(slotCount),
            upperCount: Int(upperCount)
        )
        var records: [Record] = []
        records.reserveCapacity(Int(count))
        var seen = Set<UInt32>(minimumCapacity: Int(count))
        var fresh = 0
        var levels = 0
        for _ in 0..<count {
            let record = try decoder.next(&reader)
            guard seen.insert(record.slot).inserted else { throw damaged("a slot is there twice") }
            if Int(record.slot) >= graph.slotCount { fresh += 1 }
            let isNew = Int(record.slot) >= graph.slotCount || graph.view.state(record.slot) == SlotState.free
            guard !isNew || record.state == SlotState.free || record.vector != nil else {
                throw damaged("a new slot without vector")
            }
            levels += max(0, record.lists.count - 1)
            records.append(record)
        }
        // Memory grows by what the frame brings, never by what it says.
        guard reader.remaining == 0, Int(slotCount) == graph.slotCount + fresh,
            Int(upperCount) >= oldUpperCount,
            Int(upperCount) <= oldUpperCount + levels + SlotState.levelMax * Int(count)
        else { throw damaged("counts") }
        let entry = entrySlot == CK_NO_SLOT ? nil : (entrySlot, Int(entryLevel))
        guard entrySlot == CK_NO_SLOT || (Int(entrySlot) < Int(slotCount) && entryLevel <= SlotState.levelMax) else {
            throw damaged("entry point")
        }
        return Decoded(slotCount: Int(slotCount), upperCount: Int(upperCount), entry: entry, records: records)
    }

    fileprivate static func damaged(_ what: String) -> VectorIndexError {
        .corrupt("a change in its tail", what)
    }

    /// Gives the slots of a frame their new state. Searches wait meanwhile; it is a matter of copying.
    static func apply(_ frame: Decoded, to graph: Graph) throws(VectorIndexError) {
        try graph.memory.grow(slots: frame.slotCount)
        try graph.memory.grow(upperUnits: frame.upperCount)
        let isUnique = graph.gate.write {
            graph.writeCatalog { catalog in apply(frame, to: graph, &catalog) }
        }
        guard isUnique else { throw damaged("a key is there twice") }
        if let entry = frame.entry {
            let state = graph.view.state(entry.slot)
            guard state != SlotState.free, state & SlotState.twin == 0, graph.view.level(entry.slot) == entry.level
            else {
                throw damaged("entry point")
            }
        }
    }

    private static func apply(_ frame: Decoded, to graph: Graph, _ catalog: inout Catalog) -> Bool {
        let view = graph.view
        var dead = graph.deadCount
        // All keys leave before any comes: a key may have moved from one slot of the frame to another.
        for record in frame.records where Int(record.slot) < graph.slotCount {
            if view.isLive(record.slot) { catalog.remove(record.slot, in: view) }
            if view.state(record.slot) & SlotState.dead != 0 { dead -= 1 }
        }
        for record in frame.records {
            if record.state & SlotState.dead != 0 { dead += 1 }
            write(record, view)
        }
        graph.slotCount = frame.slotCount
        graph.entry = frame.entry
        graph.deadCount = dead
        for record in frame.records where view.isLive(record.slot) {
            if catalog.slot(for: record.key, in: view) != nil { return false }
            catalog.insert(record.slot, in: view)
        }
        return true
    }

    private static func write(_ record: Record, _ view: GraphView) {
        let slot = record.slot
        view.setState(slot, record.state)
        guard record.state != SlotState.free else { return }
        view.setKey(slot, record.key)
        view.setTwin(slot, record.twin)
        view.setUpperOffset(slot, record.upperOffset)
        for (level, links) in record.lists.enumerated() {
            let capacity = view.capacity(level)
            let list = view.list(slot, level)
            UnsafeMutableRawBufferPointer(start: list, count: links.count).copyMemory(from: links)
            let count = links.count / MemoryLayout<UInt32>.stride
            (list + count).update(repeating: CK_NO_SLOT, count: capacity - count)
        }
        if let vector = record.vector {
            UnsafeMutableRawBufferPointer(start: view.vector(slot), count: vector.count).copyMemory(from: vector)
            let count = vector.count / MemoryLayout<Float>.stride
            (view.vector(slot) + count).update(repeating: 0, count: view.stride - count)
        }
    }
}

/// Takes records apart one by one.
private struct RecordDecoder {
    let dimension: Int
    let m: Int
    let slotCount: Int
    let upperCount: Int

    mutating func next(_ reader: inout ByteReader) throws(VectorIndexError) -> TailFrame.Record {
        guard let slot: UInt32 = reader.next(), let state: UInt8 = reader.next(), let flags: UInt8 = reader.next(),
            Int(slot) < slotCount, GraphValidation.isPossible(state), flags <= 1
        else { throw TailFrame.damaged("a record") }
        var record = TailFrame.Record(slot: slot, state: state)
        if state == SlotState.free { return record }
        let level = Int(state & SlotState.levelMask)
        guard let key: UInt64 = reader.next(), let twin: UInt32 = reader.next(), let offset: UInt32 = reader.next(),
            twin == CK_NO_SLOT || (Int(twin) < slotCount && twin != slot), Int(offset) + level <= upperCount
        else { throw TailFrame.damaged("a record") }
        record.key = key
        record.twin = twin
        record.upperOffset = offset
        for current in 0...level {
            let capacity = current == 0 ? 2 * m : m
            guard let count: UInt8 = reader.next(), Int(count) <= capacity,
                let links = reader.skip(Int(count) * MemoryLayout<UInt32>.stride)
            else { throw TailFrame.damaged("links") }
            for position in 0..<Int(count) {
                let link = links.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self)
                guard Int(link) < slotCount, link != slot else { throw TailFrame.damaged("links") }
            }
            record.lists.append(links)
        }
        // A twin's list names the slot before it, which is followed when it goes.
        guard state & SlotState.twin == 0 || record.lists[0].count == 4 else { throw TailFrame.damaged("a twin") }
        if flags == 1 {
            guard let vector = reader.skip(dimension * MemoryLayout<Float>.stride), isFinite(vector) else {
                throw TailFrame.damaged("a vector")
            }
            record.vector = vector
        }
        return record
    }

    private func isFinite(_ vector: UnsafeRawBufferPointer) -> Bool {
        for position in 0..<dimension {
            let bits = vector.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self)
            if bits & 0x7F80_0000 == 0x7F80_0000 { return false }
        }
        return true
    }
}
