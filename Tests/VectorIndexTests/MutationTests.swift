import CKernels
import Testing
import VectorIndex

/// Files are untrusted: any damage gives one clear error or a correct read, never a crash or a hang.
@Suite("Damaged files")
struct MutationTests {
    private static let dimension = 7

    /// Checkpoint, tail and CURRENT of an index with some of everything: levels, deletions, twins, three frames.
    private static func sample(_ directory: String) throws -> [UInt64] {
        let index = try IndexWriter.open(
            directory: directory,
            parameters: parameters(dimension, m: 3, efConstruction: 20)
        )
        var generator = SeededGenerator(71)
        for key in 0..<90 {
            try index.upsert(UInt64(key), key % 4 == 0 ? [1, 1, 1, 1, 2, 2, 2] : generator.vector(dimension))
        }
        for key in 0..<20 { try index.delete(UInt64(key * 3)) }
        try index.checkpoint()
        for round in 0..<3 {
            try index.upsert(UInt64(200 + round), generator.vector(dimension))
            try index.delete(UInt64(round * 4 + 1))
            try index.flush()
        }
        let keys = try index.search([Float](repeating: 1, count: dimension), k: index.count, plan: .exact)
        return keys.map(\.key).sorted()
    }

    @Test("OPS-04: random damage to any file")
    func random() throws {
        let seed = UInt64(72)
        var generator = SeededGenerator(seed)
        try withTemporaryDirectory { directory in
            let keys = try Self.sample(directory + "/good")
            let names = ["checkpoint-2", "tail-2", "CURRENT"]
            let originals = try names.map { try bytes("\(directory)/good/\($0)") }
            for round in 0..<(isLongRun ? 1_000 : 120) {
                let copy = "\(directory)/copy"
                for (name, original) in zip(names, originals) {
                    if round == 0 { try copyDirectory(directory + "/good", to: copy) }
                    try write(original, to: "\(copy)/\(name)")
                }
                let file = round % 7 == 6 ? 2 : generator.below(2)
                let mutated = mutate(originals[file], &generator)
                try write(mutated, to: "\(copy)/\(names[file])")
                try examine(copy, keys, isLastFrameIntact: file != 1, "seed \(seed), round \(round), \(names[file])")
            }
        }
    }

    private func mutate(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        switch generator.below(5) {
        case 0: bytes[generator.below(bytes.count)] ^= UInt8(1 << generator.below(8))
        case 1:
            let start = generator.below(bytes.count)
            for position in start..<min(bytes.count, start + 1 + generator.below(64)) {
                bytes[position] = UInt8(truncatingIfNeeded: generator.next())
            }
        case 2: bytes.removeLast(1 + generator.below(bytes.count))
        case 3:
            bytes.append(
                contentsOf: (0...generator.below(5_000)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            )
        default:
            let start = generator.below(bytes.count)
            bytes.removeSubrange(start..<min(bytes.count, start + 1 + generator.below(40)))
        }
        return bytes
    }

    /// Opens, searches and verifies; whatever comes must be a clear error or true.
    private func examine(_ directory: String, _ keys: [UInt64], isLastFrameIntact: Bool, _ what: String) throws {
        let expected: [VectorIndexError.Code] = [.corrupt, .unsupportedVersion, .notFound]
        do {
            let reader = try IndexReader.open(directory: directory, identity: "test")
            let found = try contents(reader, dimension: Self.dimension)
            if isLastFrameIntact {
                #expect(found == keys, "\(what)")
            } else {
                // The last changes may be gone as torn, each with a key that came and one that went.
                #expect(abs(found.count - keys.count) <= 1, "\(what)")
            }
            _ = try reader.search([1, 2, 3, 4, 5, 6, 7], k: 50, ef: 60, plan: .graph)
        } catch let error as VectorIndexError {
            #expect(expected.contains(error.code), "\(what): \(error)")
        }
        do {
            _ = try IndexVerifier.verify(directory: directory)
        } catch {
            #expect(expected.contains(error.code), "\(what): \(error)")
        }
    }

    @Test("OPS-04: numbers forged under valid checksums lead nowhere they should not")
    func forged() throws {
        let seed = UInt64(73)
        var generator = SeededGenerator(seed)
        try withTemporaryDirectory { directory in
            _ = try Self.sample(directory + "/good")
            let copy = directory + "/copy"
            try copyDirectory(directory + "/good", to: copy)
            let checkpoint = try bytes("\(copy)/checkpoint-2")
            let tail = try bytes("\(copy)/tail-2")
            for round in 0..<(isLongRun ? 2_000 : 250) {
                let isTail = round % 3 == 0
                try write(isTail ? checkpoint : forgeCheckpoint(checkpoint, &generator), to: "\(copy)/checkpoint-2")
                try write(isTail ? forgeTail(tail, &generator) : tail, to: "\(copy)/tail-2")
                // Any answer will do, as long as it comes and the program stays alive.
                do {
                    let reader = try IndexReader.open(directory: copy, identity: "test")
                    for plan in SearchPlan.allCases {
                        _ = try reader.search([1, 2, 3, 4, 5, 6, 7], k: 50, ef: 60, plan: plan)
                    }
                    let writer = try IndexWriter.open(directory: copy, parameters: reader.parameters)
                    try writer.upsert(3_000, [7, 6, 5, 4, 3, 2, 1])
                    for key in 0..<90 { try writer.delete(UInt64(key)) }
                    _ = try writer.search([1, 2, 3, 4, 5, 6, 7], k: 50, ef: 60, plan: .graph)
                } catch let error as VectorIndexError {
                    let expected: [VectorIndexError.Code] = [.corrupt, .unsupportedVersion, .identityMismatch]
                    #expect(expected.contains(error.code), "seed \(seed), round \(round): \(error)")
                }
            }
        }
    }

    private func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private func put(_ value: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
        for position in 0..<4 { bytes[offset + position] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(position))) }
    }

    private func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 { ck_crc32c(0, Array(bytes), bytes.count) }

    /// Small numbers, neighbours of limits and anything else.
    private func value(_ generator: inout SeededGenerator) -> UInt32 {
        let choices: [UInt32] = [0, 1, 2, 70, 89, 90, 91, 92, 93, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF]
        return generator.below(3) == 0
            ? UInt32(truncatingIfNeeded: generator.next()) : choices[generator.below(choices.count)]
    }

    /// Changes a number in the header or in a section, and makes all checksums right again.
    private func forgeCheckpoint(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        if generator.below(4) == 0 {
            put(value(&generator), &bytes, 16 + 4 * generator.below(18))
        } else {
            // Sections: offset, length, checksum from byte 88 on, 24 bytes each.
            let section = 88 + 24 * (1 + generator.below(6))
            let start = number(bytes, section, 8)
            let length = number(bytes, section + 8, 8)
            for _ in 0...generator.below(3) {
                if section == 88 + 24 * 4 {
                    bytes[start + generator.below(length)] = UInt8(truncatingIfNeeded: value(&generator))
                } else {
                    put(value(&generator), &bytes, start + 4 * generator.below(length / 4))
                }
            }
            put(crc(bytes[start..<start + length]), &bytes, section + 16)
        }
        put(crc(bytes[..<4_092]), &bytes, 4_092)
        return bytes
    }

    /// Changes a number in one of the frames, and makes its checksums right again. The tail names its
    /// checkpoint by checksum, which is as it was.
    private func forgeTail(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        var frame = 40
        for _ in 0..<generator.below(3) { frame += 32 + number(bytes, frame + 16, 8) }
        let length = number(bytes, frame + 16, 8)
        let payload = frame + 32
        for _ in 0...generator.below(2) {
            let offset = generator.below(4) == 0 ? generator.below(8) * 4 : generator.below(length - 4)
            put(value(&generator), &bytes, payload + offset)
        }
        put(crc(bytes[payload..<payload + length]), &bytes, frame + 24)
        put(crc(bytes[(frame + 8)..<(frame + 32)]), &bytes, frame + 4)
        return bytes
    }
}
