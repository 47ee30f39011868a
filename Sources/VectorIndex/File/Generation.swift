/// An open generation: its graph with every complete frame of its tail applied.
struct Generation {
    let number: UInt64
    let graph: Graph
    let checkpointByteCount: Int
    var tail: TailFile
    /// Lists of the upper area in use, which the frames carry on.
    var upperCount: Int
    /// True when the tail ended in a frame that does not count.
    var isTorn = false

    /// Opens the generation in force, following it when it is replaced meanwhile.
    static func open(
        _ directory: IndexDirectory,
        identity: String,
        _ residency: IndexResidency,
        _ mode: PosixFile.Mode
    ) throws(VectorIndexError) -> Generation {
        var attempts = 0
        while true {
            let number = try directory.currentGeneration()
            do throws(VectorIndexError) {
                return try open(directory, number, identity, residency, mode)
            } catch {
                // The files of a generation vanish only when another has taken its place.
                guard error.code == .notFound else { throw error }
                attempts += 1
                let isSame = try directory.currentGeneration() == number
                if attempts >= 100 || (isSame && attempts >= 3) {
                    throw .corrupt("the files that CURRENT names are missing", "generation \(number)")
                }
            }
        }
    }

    private static func open(
        _ directory: IndexDirectory,
        _ number: UInt64,
        _ identity: String,
        _ residency: IndexResidency,
        _ mode: PosixFile.Mode
    ) throws(VectorIndexError) -> Generation {
        let checkpoint = try CheckpointReader(path: directory.checkpointPath(number))
        let found = checkpoint.header.parameters.identity
        guard found == identity else {
            throw VectorIndexError(
                .identityMismatch,
                "the index was made with \"\(found)\", not with \"\(identity)\"",
                hint: "build it again with the model in use"
            )
        }
        guard checkpoint.header.generation == number else { throw .corrupt("a checkpoint of another generation") }
        let tail = try TailFile.open(
            directory.tailPath(number),
            generation: number,
            checkpointCRC: checkpoint.crc,
            mode
        )
        var generation = Generation(
            number: number,
            graph: try checkpoint.load(residency),
            checkpointByteCount: checkpoint.byteCount,
            tail: tail,
            upperCount: checkpoint.header.upperCount
        )
        if try generation.applyTail() {
            // Frame by frame only bounds are checked; the whole must hold together as well.
            try GraphValidation(graph: generation.graph, upperCount: generation.upperCount).check()
        }
        return generation
    }

    /// Applies the frames that have come; true when there were any.
    mutating func applyTail() throws(VectorIndexError) -> Bool {
        let byteCount = try tail.file.byteCount()
        var hasChanged = false
        while true {
            switch try tail.next(byteCount: byteCount) {
            case .end(let torn):
                isTorn = torn
                return hasChanged
            case .frame(let payload):
                upperCount = try payload.withUnsafeBufferPointer { (bytes) throws(VectorIndexError) in
                    let frame = try TailFrame.decode(UnsafeRawBufferPointer(bytes), for: graph, upperCount: upperCount)
                    try TailFrame.apply(frame, to: graph)
                    return frame.upperCount
                }
                hasChanged = true
            }
        }
    }
}
