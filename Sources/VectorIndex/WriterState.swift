/// What a writer has besides the graph: files, lock, and what is not yet in them.
struct WriterState {
    private let directory: IndexDirectory
    private let options: IndexOptions
    private var lock: PosixFile?
    private var editor: GraphEditor
    private var tail: TailFile
    private var checkpointByteCount: Int
    /// A write failed, or memory was made anew: the tail can't be continued.
    private var needsCheckpoint = false

    var graph: Graph { editor.graph }

    init(
        _ directory: IndexDirectory,
        _ parameters: IndexParameters,
        _ options: IndexOptions
    ) throws(VectorIndexError) {
        try parameters.validate()
        try directory.create()
        let lock = try PosixFile(directory.lockPath, .readWrite)
        guard try lock.lockExclusively() else {
            throw VectorIndexError(
                .locked,
                "another process is writing this index",
                hint: "open it for reading, or wait",
                detail: directory.path
            )
        }
        (editor, tail, checkpointByteCount) = try Self.openOrCreate(directory, parameters, options)
        self.directory = directory
        self.options = options
        self.lock = lock
        try directory.removeOthers(than: tail.generation)
    }

    private static func openOrCreate(
        _ directory: IndexDirectory,
        _ parameters: IndexParameters,
        _ options: IndexOptions
    ) throws(VectorIndexError) -> (GraphEditor, TailFile, Int) {
        let generation: Generation
        do throws(VectorIndexError) {
            generation = try .open(directory, identity: parameters.identity, options.residency, .readWrite)
        } catch {
            // Nothing there yet: generation 1 is empty.
            guard error.code == .notFound else { throw error }
            let editor = GraphEditor(try Graph(parameters: parameters))
            let (tail, byteCount) = try write(editor, generation: 1, directory)
            return (editor, tail, byteCount)
        }
        try check(generation.graph.parameters, against: parameters)
        if generation.isTorn { try generation.tail.cut() }
        let editor = GraphEditor(generation.graph)
        editor.adopt(upperCount: generation.upperCount)
        return (editor, generation.tail, generation.checkpointByteCount)
    }

    private static func check(_ found: IndexParameters, against wanted: IndexParameters) throws(VectorIndexError) {
        let differences = [
            ("dimension", "\(found.dimension)", "\(wanted.dimension)"),
            ("metric", found.metric.rawValue, wanted.metric.rawValue),
            ("m", "\(found.m)", "\(wanted.m)"),
        ].filter { $0.1 != $0.2 }
        if let (name, there, asked) = differences.first {
            throw VectorIndexError(.parameterMismatch, "the index has \(name) \(there), not \(asked)")
        }
    }

    mutating func upsert(_ keys: [UInt64], _ vectors: [Float], threads: Int) throws(VectorIndexError) {
        try requireOpen()
        let space = graph.space
        guard vectors.count == keys.count * space.dimension else {
            throw .dimensionMismatch(
                expected: space.dimension,
                received: keys.isEmpty ? vectors.count : vectors.count / keys.count
            )
        }
        guard threads >= 1 else { throw .invalidParameter("threads", "at least 1", received: threads) }
        // The last of each key, in the order in which they came.
        var positions = Array(keys.indices)
        if keys.count > 1 {
            var last: [UInt64: Int] = [:]
            for (position, key) in keys.enumerated() { last[key] = position }
            positions = positions.filter { last[keys[$0]] == $0 }
        }
        // In parts, so that searches see a long batch grow and the copy stays small.
        let rows = UnsafeMutablePointer<Float>.allocate(capacity: Self.partCount * space.stride)
        defer { rows.deallocate() }
        try vectors.withUnsafeBufferPointer { (vectors) throws(VectorIndexError) in
            func store(_ position: Int, _ row: UnsafeMutablePointer<Float>) throws(VectorIndexError) {
                let vector = vectors[position * space.dimension..<(position + 1) * space.dimension]
                try space.store(UnsafeBufferPointer(rebasing: vector), into: row)
            }
            // All are looked at before the first is taken.
            if positions.count > Self.partCount { for position in positions { try store(position, rows) } }
            for start in stride(from: 0, to: positions.count, by: Self.partCount) {
                let part = positions[start..<min(start + Self.partCount, positions.count)]
                for (row, position) in part.enumerated() { try store(position, rows + row * space.stride) }
                try editor.upsert(
                    part.map { keys[$0] },
                    row: { UnsafePointer(rows + $0 * space.stride) },
                    threads: threads
                )
            }
        }
    }

    private static let partCount = 4_096

    mutating func delete(_ key: UInt64) throws(VectorIndexError) -> Bool {
        try requireOpen()
        return editor.delete(key)
    }

    mutating func flush() throws(VectorIndexError) {
        try requireOpen()
        if needsCheckpoint { return try checkpoint() }
        guard editor.dirtyCount > 0 else { return }
        // A frame as long as a checkpoint would be is better written as one.
        let estimate = editor.dirtyCount * (graph.space.rowBytes / 4 + 256)
        if options.isTooLong(tailByteCount: tail.offset + estimate, checkpointByteCount: checkpointByteCount) {
            return try checkpoint()
        }
        needsCheckpoint = true
        try tail.append(TailFrame.encode(editor, slots: editor.takeDirty()))
        needsCheckpoint = false
        directory.afterStep?(.frameWritten)
        if options.isTooLong(tailByteCount: tail.offset, checkpointByteCount: checkpointByteCount) {
            try checkpoint()
        }
    }

    mutating func checkpoint() throws(VectorIndexError) {
        try requireOpen()
        needsCheckpoint = true
        if editor.isSparse { editor = try editor.compacted() }
        for slot in editor.takeDirty() { _ = graph.view.takeDirtyFlags(slot) }
        (tail, checkpointByteCount) = try Self.write(editor, generation: tail.generation + 1, directory)
        needsCheckpoint = false
        try directory.removeOthers(than: tail.generation)
    }

    /// Writes a generation and puts it in force.
    private static func write(
        _ editor: GraphEditor,
        generation: UInt64,
        _ directory: IndexDirectory
    ) throws(VectorIndexError) -> (TailFile, Int) {
        let writer = CheckpointWriter(
            graph: editor.graph,
            generation: generation,
            upperCount: editor.allocator.upperCount
        )
        var written = (byteCount: 0, crc: UInt32(0))
        try directory.replace(directory.checkpointPath(generation)) { (file) throws(VectorIndexError) in
            written = try writer.write(to: file)
        }
        let tail = try TailFile.create(
            directory.tailPath(generation),
            generation: generation,
            checkpointCRC: written.crc
        )
        try directory.setCurrent(generation)
        return (tail, written.byteCount)
    }

    mutating func close() { lock = nil }

    var statistics: IndexStatistics {
        IndexStatistics(
            count: graph.count,
            slotCount: graph.slotCount,
            deadCount: graph.deadCount,
            generation: tail.generation,
            checkpointBytes: checkpointByteCount,
            tailBytes: tail.offset
        )
    }

    private func requireOpen() throws(VectorIndexError) {
        if lock == nil { throw VectorIndexError(.closed, "the index's writer is closed") }
    }
}
