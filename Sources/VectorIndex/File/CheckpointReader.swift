import CKernels

/// Opens a checkpoint as a graph, believing nothing in it before it is checked.
///
/// Links and all that decides where memory is read are copied, 150 bytes a slot, so nobody can change them
/// once they are checked. Rows are 90 % of the file; they stay in the mapping, shared with every other process that
/// has it open, until they change (`mapped`), or are read into memory of our own in huge pages (`resident`).
struct CheckpointReader {
    let file: PosixFile
    let header: CheckpointHeader
    /// The header's checksum, which ties a tail to it.
    let crc: UInt32
    let byteCount: Int

    init(path: String) throws(VectorIndexError) {
        file = try PosixFile(path, .read)
        byteCount = try file.byteCount()
        guard byteCount >= CheckpointHeader.byteCount else { throw .corrupt("a checkpoint is too short") }
        let page = try file.read(CheckpointHeader.byteCount, at: 0)
        header = try CheckpointHeader(page, fileByteCount: byteCount)
        crc = Checksum.of(page)
    }

    func load(_ residency: IndexResidency) throws(VectorIndexError) -> Graph {
        let graph = try Graph(parameters: header.parameters, expectedCount: header.liveCount)
        let memory = graph.memory
        try loadVectors(memory, residency)
        for section in CheckpointHeader.Section.allCases where section != .vectors {
            let array = memory.arraysInFileOrder[section.rawValue]
            let extent = header.extents[section.rawValue]
            try array.grow(to: extent.byteCount / array.elementBytes)
            try read(extent, into: array, "section \(section)")
        }
        // The flags of changes, which are not in the file.
        try memory.grow(slots: header.slotCount)
        graph.slotCount = header.slotCount
        graph.entry = header.entry
        try GraphValidation(graph: graph, upperCount: header.upperCount).check()
        try fillCatalog(graph)
        return graph
    }

    private func loadVectors(_ memory: GraphMemory, _ residency: IndexResidency) throws(VectorIndexError) {
        let extent = header.extents[CheckpointHeader.Section.vectors.rawValue]
        let array = memory.vectors
        if residency == .resident {
            try array.grow(to: header.slotCount)
            try read(extent, into: array, "section vectors")
        } else {
            let mapping = try file.map(byteCount)
            mapping.willReadInOrder()
            memory.mapping = mapping
            let start = mapping.start + extent.offset
            let whole = extent.byteCount / array.chunkBytes
            for chunk in 0..<whole { array.append(start + chunk * array.chunkBytes) }
            // The rest shares its chunk with rows to come.
            try array.grow(to: header.slotCount)
            let rest = extent.byteCount - whole * array.chunkBytes
            if rest > 0 {
                array.table[whole]!.copyMemory(from: start + whole * array.chunkBytes, byteCount: rest)
            }
            try check(extent, array, "section vectors")
        }
        try checkFinite(extent, array)
    }

    private func read(
        _ extent: CheckpointHeader.Extent,
        into array: ChunkedMemory,
        _ what: String
    ) throws(VectorIndexError) {
        var done = 0
        while done < extent.byteCount {
            let count = min(array.chunkBytes, extent.byteCount - done)
            let chunk = UnsafeMutableRawBufferPointer(start: array.table[done / array.chunkBytes], count: count)
            try file.read(chunk, at: extent.offset + done)
            done += count
        }
        try check(extent, array, what)
    }

    private func check(
        _ extent: CheckpointHeader.Extent,
        _ array: ChunkedMemory,
        _ what: String
    ) throws(VectorIndexError) {
        var crc: UInt32 = 0
        var done = 0
        while done < extent.byteCount {
            let count = min(array.chunkBytes, extent.byteCount - done)
            crc = Checksum.of(
                UnsafeRawBufferPointer(start: array.table[done / array.chunkBytes], count: count),
                continuing: crc
            )
            done += count
        }
        guard crc == extent.crc else { throw .corrupt("checksum of a checkpoint", what) }
    }

    private func checkFinite(_ extent: CheckpointHeader.Extent, _ array: ChunkedMemory) throws(VectorIndexError) {
        var done = 0
        while done < extent.byteCount {
            let count = min(array.chunkBytes, extent.byteCount - done)
            let floats = array.table[done / array.chunkBytes]!.assumingMemoryBound(to: Float.self)
            guard ck_all_finite_f32(floats, count / 4) else { throw .corrupt("a vector is not finite") }
            done += count
        }
    }

    private func fillCatalog(_ graph: Graph) throws(VectorIndexError) {
        let view = graph.view
        let isUnique = graph.writeCatalog { catalog in
            for slot in 0..<UInt32(graph.slotCount) where view.isLive(slot) {
                if catalog.slot(for: view.key(slot), in: view) != nil { return false }
                catalog.insert(slot, in: view)
            }
            return true
        }
        guard isUnique else { throw .corrupt("a key is there twice") }
        guard graph.count == header.liveCount else {
            throw .corrupt("count of keys", "\(graph.count), not \(header.liveCount)")
        }
    }
}
