/// Writes a graph as a checkpoint.
struct CheckpointWriter {
    let graph: Graph
    let generation: UInt64
    let upperCount: Int

    /// - Returns: bytes of the file, and its header's checksum, which ties a tail to it.
    func write(to file: PosixFile) throws(VectorIndexError) -> (byteCount: Int, crc: UInt32) {
        let slotCount = graph.slotCount
        var header = CheckpointHeader(parameters: graph.parameters, generation: generation)
        header.slotCount = slotCount
        header.liveCount = graph.count
        header.upperCount = upperCount
        header.entry = graph.entry
        let byteCounts = CheckpointHeader.byteCounts(
            graph.space,
            m: graph.parameters.m,
            slotCount: slotCount,
            upperCount: upperCount
        )
        let end = header.layOut(byteCounts)
        let arrays = graph.memory.arraysInFileOrder
        for (section, array) in arrays.enumerated() {
            header.extents[section].crc = try write(array, header.extents[section], file)
        }
        let page = header.encoded()
        try file.write(page, at: 0)
        try file.truncate(to: end)
        return (end, Checksum.of(page))
    }

    private func write(
        _ array: ChunkedMemory,
        _ extent: CheckpointHeader.Extent,
        _ file: PosixFile
    ) throws(VectorIndexError) -> UInt32 {
        var crc: UInt32 = 0
        var done = 0
        while done < extent.byteCount {
            let count = min(array.chunkBytes, extent.byteCount - done)
            let chunk = UnsafeRawBufferPointer(start: array.table[done / array.chunkBytes], count: count)
            crc = Checksum.of(chunk, continuing: crc)
            try file.write(chunk, at: extent.offset + done)
            done += count
        }
        return crc
    }
}

extension GraphMemory {
    /// As `CheckpointHeader.Section` has them.
    var arraysInFileOrder: [ChunkedMemory] { [vectors, lists, upperLists, keys, states, upperOffsets, twins] }
}
